"""Where a number comes from: the rows of each table on the way, down to the cells of deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from pyspark.sql import DataFrame

from jobs import laid_out, origins, query, reruns, sums
from jobs.cells import cell
from jobs.derived import bound, input_tables
from jobs.lake import Lake, arrow_schema
from jobs.origins import LINE_INPUTS
from jobs.session import Engine
from jobs.tracing import Parents, Row, Step, Way, shown, sql
from schemas.contract import Contract
from schemas.contracts import contract as contract_of
from schemas.contracts import contracts
from schemas.errors import UserError

DEPTH = 12
LINES = sums.LINES
HOPS = {**sums.HOPS, **origins.HOPS, **laid_out.HOPS}
# Types that a key is compared in as written; any other is compared as text, which nothing can be skipped by.
PLAIN = {"string": "varchar", "date": "date", "int": "bigint", "bigint": "bigint"}


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
    way = Way(lake, engine, width, released or {})
    try:
        row = _find(way, contract, head, key)
        return _follow(way, contract, int(head.version()), row, DEPTH)
    finally:
        way.duck.close()


def _find(way: Way, contract: Contract, head: DeltaTable, key: Mapping[str, str]) -> dict[str, Any]:
    there = {field.name for field in head.schema().fields}
    if unknown := [name for name in key if name not in contract.columns]:
        raise UserError(f"no column {', '.join(unknown)}", where=contract.table, remedy=f"columns: {', '.join(contract.columns)}")
    # A release is older than some columns, and stays so; of it only what is asked for must be there.
    if unbuilt := [name for name in (key if way.released else contract.columns) if name not in there]:
        raise UserError(f"the table was built without {', '.join(unbuilt)}", where=contract.table,
                        remedy=f"carbonlake run {contract.table}")  # fmt: skip
    view = way.view(contract.table, int(head.version()))
    asked = " and ".join(_asked(contract, name, value) for name, value in key.items()) or "true"
    found = way.rows(f"select * from {view} where {asked} limit 21")
    if not found:
        raise UserError("no row has this key", where=contract.table, remedy=f"its key is {', '.join(contract.key)}")
    if len(found) > 1:
        differ = [name for name in contract.key if len({row[name] for row in found}) > 1]
        examples = "; ".join(" ".join(f"{name}={row[name]}" for name in differ) for row in found[:3])
        raise UserError(f"{len(found) if len(found) < 21 else 'more than 20'} rows have this key", where=contract.table,
                        remedy=f"add {', '.join(differ)}, e.g. {examples}")  # fmt: skip
    return dict(found[0])


def _asked(contract: Contract, name: str, value: str) -> str:
    type_ = PLAIN.get(str(contract.columns[name].type))
    return f'"{name}" = try_cast({sql(value)} as {type_})' if type_ else f'cast("{name}" as varchar) = {sql(value)}'


def _follow(way: Way, contract: Contract, version: int, row: Row, depth: int) -> Step:
    if contract.source:
        return cell(way, contract, row)
    if not depth:
        return Step(contract.table, shown(contract, row), "followed no further")
    pinned = way.pinned(contract.table, version)
    if not pinned:
        return Step(contract.table, shown(contract, row), "the commit names no inputs")
    found = direct(way, contract, pinned, row)
    if found is None:
        found = [*reruns.parents(way, contract, pinned, row), *(_factors(way, pinned, row) if contract.table == LINES else [])]
    steps = [step for one in found for step in ([one] if isinstance(one, Step) else _steps(way, one, depth))]
    return Step(contract.table, shown(contract, row), "", tuple(steps))


def _steps(way: Way, found: Parents, depth: int) -> list[Step]:
    """Follow the first of the rows that a row was made from, list the next ones, and say how many there are."""
    contract, steps = contract_of(found.table), []
    role = {"role": found.role} if found.role else {}
    for place, row in enumerate(found.rows):
        step = _follow(way, contract, found.version, row, depth - 1) if not place else Step(found.table, shown(contract, row))
        steps.append(replace(step, shown={**role, **step.shown}))
    if found.total > len(found.rows):
        more = (
            f"and {found.total - len(found.rows):,} rows more, {found.total:,} in all" if found.rows else f"{found.total:,} rows"
        )
        steps.append(Step(found.table, role, f"{more}; {found.note}" if found.note else more))
    return steps


def direct(way: Way, contract: Contract, pinned: Mapping[str, int], row: Row) -> list[Parents | Step] | None:
    """Return what a row was made from by what rows say themselves; None where they do not, or do not make it."""
    try:
        if contract.table == LINES:
            return origins.of_line(way, pinned, row, _used(way, pinned, row))
        hop = HOPS.get(contract.table)
        return hop(way, pinned, row) if hop else None
    except (KeyError, duckdb.BinderException):  # a project's own table of this name, or an old version, has other columns
        return None


def _factors(way: Way, pinned: Mapping[str, int], line: Row) -> list[Parents | Step]:
    """Return the factors that a line item names among its inputs, whether or not they make its figure."""
    return [origins.factor(way, pinned, one) for one in _used(way, pinned, line) if one["kind"] == "factor"]


def _used(way: Way, pinned: Mapping[str, int], line: Row) -> list[dict[str, Any]]:
    """Return the inputs of a line item, by role: as they are put down, where that was of the same inputs."""
    head = way.head(LINE_INPUTS, way.released.get(LINE_INPUTS))
    if head is None or not _of_the_same(way, way.pinned(LINE_INPUTS, int(head.version())), pinned):
        return _worked_out(way, pinned, line)
    return way.rows(
        f"select * from {way.view(LINE_INPUTS, int(head.version()))} where line_id = ? order by role", [line["line_id"]]
    )


def _of_the_same(way: Way, used: Mapping[str, int], pinned: Mapping[str, int]) -> bool:
    """Tell whether inputs were put down for lines that were made from these tables, with the same factors."""
    if used == pinned:  # as inputs were put down before they were made of lines
        return True
    if LINES not in used or way.pinned(LINES, used[LINES]) != pinned:
        return False
    return all(pinned.get(table) == version for table, version in used.items() if table != LINES)


def _worked_out(way: Way, pinned: Mapping[str, int], line: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the inputs of a line where a lake doesn't keep them, as restatements don't: they follow from the tables."""
    contract = contracts().get(LINE_INPUTS)
    if contract is None or not set(input_tables(contract)) <= {LINES, *pinned} or not line.get("case_id"):
        return []
    lines = pa.Table.from_pylist([dict(line)], schema=arrow_schema(contract_of(LINES)))
    given = {
        name: way.engine.session.createDataFrame(lines) if table == LINES else _read(way, table, pinned)
        for name, table in contract.inputs.items()
    }
    return [row.asDict() for row in bound(way.lake, contract)(**given).orderBy("role").collect()]


def _read(way: Way, table: str, pinned: Mapping[str, int]) -> DataFrame:
    return way.engine.delta(way.lake.table_path(table), pinned[table])
