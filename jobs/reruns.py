"""Where no row says what it was made from: the transform is run again on narrowed inputs and must give the row back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import reduce
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.clean import DELIVERY, LOCATOR
from jobs.derived import as_contract, bound, frames, input_tables, leaves_of
from jobs.tracing import Parents, Row, Way
from lineage.columns import Lineage, column_lineage
from schemas import types
from schemas.contract import Contract
from schemas.contracts import contract as contract_of
from schemas.errors import UserError

# Types whose equality is the same on every engine; a double or a decimal never narrows.
NARROWING = ("string", "int", "bigint", "date", "timestamp", "boolean")
MANY = 4096  # rows among which those that count are looked for
Test = Callable[[DataFrame], Column]
Conditions = Mapping[str, Sequence[Test]]


def parents(way: Way, contract: Contract, pinned: Mapping[str, int], row: Row) -> list[Parents]:
    """Return the rows of each input that a row was made from, as far as column lineage and reruns tell them apart.

    Raise UserError where the transform does not give the stored row back, or does not fit the inputs any more.
    """
    if not (set(contract.columns) <= set(row) and set(input_tables(contract)) <= set(pinned)):
        raise _outdated(contract)
    rerun = Rerun(way, contract, pinned, row)
    try:
        narrowed, wanted = _narrowed(rerun)
    except AnalysisException as error:
        raise _outdated(contract) from error
    return [_parents(rerun, wanted, table, frame) for table, frame in narrowed.items()]


def _outdated(contract: Contract) -> UserError:
    return UserError("the versions that it was made from do not fit the code of today", where=contract.table,
                     remedy=f"carbonlake run +{contract.table}, then trace again; "
                            "a release is traced this far by the code that made it")  # fmt: skip


@dataclass(frozen=True)
class Rerun:
    """One row of a table, and the inputs that its transform is run on again."""

    way: Way
    contract: Contract
    pinned: Mapping[str, int]
    row: Mapping[str, Any]

    def inputs(self, wanted: Conditions) -> dict[str, Any]:
        """Return the transform's arguments, narrowed by conditions."""

        def narrow(table: str, frame: DataFrame) -> DataFrame:
            tests = [test(frame) for test in wanted.get(table, ())]
            return frame.filter(reduce(lambda one, other: one & other, tests)) if tests else frame

        return frames(self.way.engine, self.way.lake, self.contract, self.pinned, narrow)

    def comes_out(self, wanted: Conditions) -> bool:
        """Tell whether a row with this key comes out of inputs narrowed by conditions."""
        made = as_contract(bound(self.way.lake, self.contract)(**self.inputs(wanted)), self.contract)
        return bool(_with_key(made, self.contract, self.row).limit(1).count())


def _narrowed(rerun: Rerun) -> tuple[dict[str, DataFrame], Conditions]:
    """Return the inputs narrowed to the rows that count, and how; what nothing narrows (look-ups, factors) is left out.

    The narrowest way is tried first. Each is held to the same proof: the transform, run again on the narrowed
    inputs, gives the stored row back.
    """
    contract, row = rerun.contract, rerun.row
    given, transform = rerun.inputs({}), bound(rerun.way.lake, contract)
    lineage = column_lineage(transform(**given), leaves_of(contract, given))
    differ = ""
    for wanted in _ways(lineage, contract, row):
        narrowed = rerun.inputs(wanted)
        differ = _gives_back(as_contract(transform(**narrowed), contract), contract, row)
        if not differ:
            return {table: frame for table, frame in leaves_of(contract, narrowed).items() if table in wanted}, wanted
    raise UserError(
        f"the transform, run again on the rows that count, does not give the stored row back: {differ}", where=contract.table,
        remedy="build the table again; if it stays so, its transform leans on order or time",
    )  # fmt: skip


def _ways(lineage: Lineage, contract: Contract, row: Mapping[str, Any]) -> Iterator[Conditions]:
    """Yield conditions on the inputs, the narrowest first, the ones that lineage proves last."""
    given = {n: row[n] for n, c in contract.columns.items() if row[n] is not None and c.type in NARROWING}
    unchanged = [(place, _is(*place, value)) for name, value in given.items() for place in lineage.identity(name)]
    computed = [(place, test) for name, value in given.items() for place in _computed_from(lineage, name)
                for test in _calendar(place[1], name, value)]  # fmt: skip
    proved = [(place, _is(*place, value)) for name, value in given.items() for place in lineage.passes_through(name)]
    for tests in (unchanged + computed, unchanged, proved):
        wanted: dict[str, list[Test]] = {}
        for (table, _), test in tests:
            wanted.setdefault(table, []).append(test)
        yield wanted


def _computed_from(lineage: Lineage, name: str) -> set[tuple[str, str]]:
    """Return the input columns that an output column is computed from, each alone in its table."""
    direct = [edge for edge in lineage.columns[name] if edge.kind == "DIRECT" and edge.subtype == "TRANSFORMATION"]
    tables = [edge.input_table for edge in direct]
    return {edge.place for edge in direct if tables.count(edge.input_table) == 1}


def _calendar(source: str, name: str, value: Any) -> list[Test]:
    """Return the usual ways a period or a place in a delivery is computed: month, year and text of a column."""
    if name == "month":
        return [lambda frame: F.trunc(F.col(source), "month") == F.lit(value).cast("date")]
    if name == "year":
        return [lambda frame: F.year(F.col(source)) == F.lit(value)]
    if source in (DELIVERY, LOCATOR):
        return [lambda frame: F.col(source).cast("string") == F.lit(str(value))]
    return []


def _is(table: str, source: str, value: Any) -> Test:
    column = contract_of(table).columns.get(source)
    # The contract knows the type of a column; to ask the engine takes as long as a small query.
    return lambda frame: (
        F.col(f"`{source}`") == F.lit(value).cast(types.spark(str(column.type)) if column else frame.schema[source].dataType)
    )


def _gives_back(made: DataFrame, contract: Contract, row: Mapping[str, Any]) -> str:
    """Demand the stored row from the narrowed rerun, and say what came out otherwise; empty where it is the same."""
    found = [one.asDict() for one in _with_key(made, contract, row).limit(2).collect()]
    if len(found) != 1:
        return f"{len(found)} rows came out"
    return ", ".join(name for name in contract.columns if not _equal(found[0][name], row[name]))


def _with_key(made: DataFrame, contract: Contract, row: Mapping[str, Any]) -> DataFrame:
    tests = [_is(contract.table, name, row[name])(made) for name in contract.key if row[name] is not None]
    return made.filter(reduce(lambda one, other: one & other, tests))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    if hasattr(one, "tzinfo") and hasattr(other, "tzinfo"):
        return bool(_naive(one) == _naive(other))
    return bool(one == other)


def _naive(moment: Any) -> Any:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _parents(rerun: Rerun, wanted: Conditions, table: str, frame: DataFrame) -> Parents:
    """Return the first rows of an input that count, and how many lineage leaves."""
    way, contract = rerun.way, contract_of(table)
    ordered = frame.orderBy(*contract.key) if contract.key else frame
    rows = [one.asDict() for one in ordered.limit(way.width).collect()]
    total = frame.count() if len(rows) == way.width else len(rows)
    note = ""
    # What lineage narrows need not be all that the figure was made from: rows of others may be among several.
    if total > 1 and contract.key:
        # A figure that comes out without any of them says nothing of which ones it is made of: then none is followed.
        none = rerun.comes_out({**wanted, table: [*wanted[table], lambda _: F.lit(False)]})
        counting = [] if none else _those_that_count(rerun, wanted, table, frame)[: way.width]
        rows = [one for place, one in enumerate(counting) if not place or _alone(rerun, wanted, table, one)]
        note = "not exact: column lineage does not tell them apart"
        if not rows:
            note += f", so that none is followed; ask {way.named(table, rerun.pinned[table])} which of them are meant"
    return Parents(table, rerun.pinned[table], rows, total, note)


def _alone(rerun: Rerun, wanted: Conditions, table: str, row: Row) -> bool:
    return rerun.comes_out({**wanted, table: [*wanted[table], _between(table, row, row)]})


def _those_that_count(rerun: Rerun, wanted: Conditions, table: str, frame: DataFrame) -> list[dict[str, Any]]:
    """Return the rows from the first on, by key, that brings the figure's key out alone; it is found by halving."""
    key = contract_of(table).key
    rows = [one.asDict() for one in frame.orderBy(*key).limit(MANY).collect()]

    def counts(low: int, high: int) -> bool:
        return rerun.comes_out({**wanted, table: [*wanted[table], _between(table, rows[low], rows[high - 1])]})

    low, high = (0, 1) if counts(0, 1) else (1, len(rows))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if counts(low, middle) else (middle, high)
    return rows[low:] if low == 0 or counts(low, high) else []


def _between(table: str, first: Mapping[str, Any], last: Mapping[str, Any]) -> Test:
    """Return the test of whether the key of a row stands between those of two rows, both included."""
    key = contract_of(table).key

    def beyond(name: str, row: Mapping[str, Any], *, after: bool) -> Column:
        value = F.lit(row[name]).cast(types.spark(str(contract_of(table).columns[name].type)))
        return F.col(f"`{name}`") > value if after else F.col(f"`{name}`") < value

    def side(frame: DataFrame, row: Mapping[str, Any], *, after: bool) -> Column:
        tail: Column = F.lit(True)
        for name in reversed(key):
            tail = beyond(name, row, after=after) | (_is(table, name, row[name])(frame) & tail)
        return tail

    return lambda frame: side(frame, first, after=True) & side(frame, last, after=False)
