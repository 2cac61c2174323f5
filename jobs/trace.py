"""Where a number comes from: each table on the way is made again from the rows that count, and must give them back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import reduce
from typing import Any

import duckdb
from deltalake import DeltaTable
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs import query
from jobs.clean import DELIVERY, LOCATOR, headers
from jobs.commit import last_commit
from jobs.deliveries import reading
from jobs.derived import as_contract, bound, frames, input_tables, leaves_of
from jobs.integrity import of_delivery
from jobs.lake import Lake
from jobs.session import Engine
from lineage.columns import Lineage, column_lineage
from schemas import types
from schemas.contract import Contract
from schemas.contracts import contract as contract_of
from schemas.contracts import contracts
from schemas.errors import UserError

# Types whose equality is the same on every engine; a double or a decimal never narrows.
NARROWING = ("string", "int", "bigint", "date", "timestamp", "boolean")
DEPTH = 12
SHOWN = 8
MANY = 4096  # rows among which those that count are looked for
Test = Callable[[DataFrame], Column]
Conditions = Mapping[str, Sequence[Test]]
LINES, LINE_INPUTS, FACTORS = "business.emission", "business.emission_input", "knowledge.factor"
ACTIVITY = "thematic.activity"


@dataclass(frozen=True)
class Step:
    """One row on the way of a number: its table, what to show of it, and the rows it was made from."""

    table: str
    shown: Mapping[str, Any]
    note: str = ""
    made_from: tuple[Step, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Return the step for a machine."""
        return {"table": self.table, "row": dict(self.shown), "note": self.note,
                "made_from": [step.as_dict() for step in self.made_from]}  # fmt: skip


@dataclass(frozen=True)
class Way:
    """What a trace goes by: the lake, an engine, and how many rows it follows at each step."""

    lake: Lake
    engine: Engine
    width: int
    released: Mapping[str, int] = field(default_factory=dict)


def trace(
    lake: Lake, engine: Engine, table: str, key: Mapping[str, str], *, width: int = 3, released: Mapping[str, int] | None = None
) -> Step:  # fmt: skip
    """Resolve one row of a table to the cells of deliveries; `released` names versions of tables, as a release does.

    Raise UserError where the key names no row or several, or where the transform does not give the stored row back.
    """
    contract = contract_of(table)
    if released is not None and table not in released:
        raise query.not_released(table, released)
    head = lake.open(table, released[table] if released is not None else None)
    if head is None:
        raise UserError("this table was never built", where=table, remedy=f"carbonlake run +{table}")
    row = _find(lake, contract, head, key)
    return _follow(Way(lake, engine, width, released or {}), contract, int(head.version()), row, DEPTH)


def _find(lake: Lake, contract: Contract, head: DeltaTable, key: Mapping[str, str]) -> dict[str, Any]:
    there = {field.name for field in head.schema().fields}
    if unknown := [name for name in key if name not in contract.columns]:
        raise UserError(f"no column {', '.join(unknown)}", where=contract.table, remedy=f"columns: {', '.join(contract.columns)}")
    if unbuilt := [name for name in contract.columns if name not in there]:
        raise UserError(f"the table was built without {', '.join(unbuilt)}", where=contract.table,
                        remedy=f"carbonlake run {contract.table}")  # fmt: skip
    with query.connection(lake, {contract.table: int(head.version())}) as duck:
        same = " and ".join(f'cast("{name}" as varchar) = ?' for name in key) or "true"
        found = _rows(duck, f"select * from {contract.table} where {same} limit 21", list(key.values()))
    if not found:
        raise UserError("no row has this key", where=contract.table, remedy=f"its key is {', '.join(contract.key)}")
    if len(found) > 1:
        differ = [name for name in contract.key if len({row[name] for row in found}) > 1]
        examples = "; ".join(" ".join(f"{name}={row[name]}" for name in differ) for row in found[:3])
        raise UserError(f"{len(found) if len(found) < 21 else 'more than 20'} rows have this key", where=contract.table,
                        remedy=f"add {', '.join(differ)}, e.g. {examples}")  # fmt: skip
    return dict(found[0])


def _rows(duck: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    cursor = duck.execute(sql, values)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _follow(way: Way, contract: Contract, version: int, row: Mapping[str, Any], depth: int) -> Step:
    if contract.source:
        return _cell(way.lake, contract, row)
    if not depth:
        return Step(contract.table, _shown(contract, row), "followed no further")
    head = way.lake.open(contract.table, version)
    pinned = last_commit(head).get("inputs") if head else None
    if not pinned:
        return Step(contract.table, _shown(contract, row), "the commit names no inputs")
    rerun = Rerun(way, contract, pinned, row)
    narrowed, wanted = _narrowed(rerun)
    steps = [step for table, frame in narrowed.items() for step in _sources(rerun, wanted, table, frame, depth)]
    steps += _factors(way, pinned, row, depth) if contract.table == LINES else []
    return Step(contract.table, _shown(contract, row), "", tuple(steps))


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


def _sources(rerun: Rerun, wanted: Conditions, table: str, frame: DataFrame, depth: int) -> list[Step]:
    """Follow the first row of an input that counts, list the next ones, and say how many there are."""
    way, contract = rerun.way, contract_of(table)
    ordered = frame.orderBy(*contract.key) if contract.key else frame
    rows = [one.asDict() for one in ordered.limit(way.width).collect()]
    total = frame.count() if len(rows) == way.width else len(rows)
    # What lineage narrows need not be all that the figure was made from: rows of others may be among several.
    if total > 1 and contract.key:
        rows = _those_that_count(rerun, wanted, table, frame)[: way.width] or rows
    steps = [_follow(way, contract, rerun.pinned[table], row, depth - 1) for row in rows[:1]]
    steps += [Step(table, _shown(contract, row)) for row in rows[1:]]
    if total > len(rows):
        steps.append(Step(table, {}, f"and {total - len(rows):,} rows more, {total:,} in all"))
    return steps


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


def _factors(way: Way, pinned: Mapping[str, int], line: Mapping[str, Any], depth: int) -> list[Step]:
    """Return the factors that a line item names among its inputs."""
    if way.lake.open(LINE_INPUTS) is None:
        used = _worked_out(way, pinned, line)
    else:
        with query.connection(way.lake, {LINE_INPUTS: way.released.get(LINE_INPUTS)}) as duck:
            text = f"select * from {LINE_INPUTS} where line_id = ? and kind = 'factor' order by role"
            used = _rows(duck, text, [line["line_id"]])
    return [step for one in used for step in _factor(way, pinned, one, depth)]


def _worked_out(way: Way, pinned: Mapping[str, int], line: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the factors of a line where a lake doesn't keep them, as restatements don't: they follow from the inputs."""
    contract = contracts().get(LINE_INPUTS)
    if contract is None or set(input_tables(contract)) != set(pinned):
        return []

    def narrow(table: str, frame: DataFrame) -> DataFrame:
        return frame.filter(F.col("activity_id") == F.lit(line["activity_id"])) if table == ACTIVITY else frame

    made = bound(way.lake, contract)(**frames(way.engine, way.lake, contract, pinned, narrow))
    kept = made.filter((F.col("line_id") == F.lit(line["line_id"])) & (F.col("kind") == F.lit("factor")))
    return [row.asDict() for row in kept.orderBy("role").collect()]


def _factor(way: Way, pinned: Mapping[str, int], used: Mapping[str, Any], depth: int) -> list[Step]:
    for table, version in pinned.items():
        contract = contracts()[table]
        if "factor_id" in contract.columns:
            with query.connection(way.lake, {table: version}) as duck:
                rows = _rows(duck, f"select * from {table} where factor_id = ?", [used["ref_id"]])
            if rows:
                step = _follow(way, contract, version, rows[0], depth - 1)
                return [Step(table, {"role": used["role"], **step.shown}, step.note, step.made_from)]
    return [Step(FACTORS, {"role": used["role"], "value": used["value"], "unit": used["unit"]}, f"{used['ref_id']} is not there")]


def _shown(contract: Contract, row: Mapping[str, Any]) -> dict[str, Any]:
    """Choose what identifies the row, its measures, and what says where it was published."""
    first = [*contract.key, *contract.measures, "value", "quantity", "unit", "emission_tco2e", "source", "clause"]
    names = list(dict.fromkeys(name for name in first if name in contract.columns))
    return {name: row[name] for name in names[:SHOWN] if row.get(name) is not None}


def _cell(lake: Lake, contract: Contract, row: Mapping[str, Any]) -> Step:
    """Resolve a cleaned row to its delivery, file and place, with the values as found."""
    delivery, locator = row[DELIVERY], row[LOCATOR]
    with query.connection(lake, {"raw.delivery": None}) as duck:
        found = duck.execute("select name, sha256, publisher, licence from raw.delivery where delivery_id = ? limit 1",
                             [delivery]).fetchone()  # fmt: skip
    name, sha, publisher, licence = found or ("?", "", "", "")
    where = _place(contract, locator)
    grade = of_delivery(lake, contract.table, delivery)
    guarded = {"integrity": grade} if grade else {}
    raw = Step("delivery", {"file": name, "place": where, **guarded, **_as_found(lake, contract, delivery, locator)},
               f"delivery {delivery}, sha256 {sha[:12]}, {publisher}, {licence}")  # fmt: skip
    return Step(contract.table, _shown(contract, row), "", (raw,))


def _place(contract: Contract, locator: Any) -> str:
    if contract.source and contract.source.form and isinstance(locator, int):
        return f"form entry row {locator - 1}, line {locator}"
    kind = "line" if contract.source and contract.source.format == "csv" else "cell"
    return f"{kind} {locator}" if isinstance(locator, int) else str(locator)


def _as_found(lake: Lake, contract: Contract, delivery: int, locator: Any) -> dict[str, Any]:
    files = sorted(str(path) for path in reading(lake, contract.table, delivery).glob("part-*.parquet"))
    if not files:
        return {}
    with duckdb.connect() as duck:
        rows = _rows(duck, f"select * from read_parquet(?) where {DELIVERY} = ? and {LOCATOR} = ? limit 1",
                     [files, delivery, locator])  # fmt: skip
    used = {header for name, column in contract.columns.items() for header in headers(column, name)}
    found = {name: value for name, value in (rows[0] if rows else {}).items() if not name.startswith("_") and value is not None}
    named = {name: value for name, value in found.items() if name in used} or found
    return dict(list(named.items())[:SHOWN])
