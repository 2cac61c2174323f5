"""What a new version of a factor library would move: line items made anew in a copy that shares the lake's files."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb

from jobs import land, relation
from jobs.factors import TABLE
from jobs.lake import Lake, unstage
from jobs.maintain import restore
from jobs.run import run
from jobs.session import Engine
from jobs.trial import copied
from jobs.variants import Copy
from schemas import graph
from schemas.contracts import contract
from schemas.errors import UserError

LINES, UNRESOLVED = "business.emission", "business.unresolved"
VERSION = re.compile(r"([a-z]+\.[a-z_0-9]+)@([0-9]+)")
PAIRED = """
    create temp table moved as select coalesce(o.line_id, n.line_id) as line_id, coalesce(o.book, n.book) as book,
      coalesce(o.method_id, n.method_id) as method_id, coalesce(o.subject_id, n.subject_id) as subject_id,
      year(coalesce(o.date, n.date)) as year, o.emission_tco2e as before, n.emission_tco2e as after,
      coalesce(n.emission_tco2e, 0) - coalesce(o.emission_tco2e, 0) as difference,
      o.emission_tco2e is distinct from n.emission_tco2e as moves
    from ({old}) o full join ({new}) n on o.line_id = n.line_id"""
SUMS = ("sum(coalesce(before, 0)) as before, sum(coalesce(after, 0)) as after, sum(difference) as difference, "
        "count(*) filter (moves) as lines_moved")  # fmt: skip
FACTORS = """
    create temp table factors as select coalesce(o.factor_id, n.factor_id) as factor_id, o.value as before, n.value as after,
      (n.value / nullif(o.value, 0) - 1) * 100 as change_percent,
      case when o.factor_id is null then 'new' when n.factor_id is null then 'gone'
        when (o.value, o.unit, o.valid_from, o.valid_to) is distinct from (n.value, n.unit, n.valid_from, n.valid_to)
        then 'changed' end as what
    from ({old}) o full join ({new}) n on o.factor_id = n.factor_id"""
Opened = Callable[[str], AbstractContextManager[Engine]]


def impact(lake: Lake, engine: Engine, opened: Opened, given: str, source: str, *, first: int = 10) -> dict[str, Any]:
    """Return which factors and line items a file, or `table@version`, would change, and by how much; the lake stays as it is.

    Raise UserError for a table that no factor is made from, a version that is gone, and a library that would be refused.
    """
    lake.require()
    table, version = _table(given, source)
    run_id = f"trial-{uuid4().hex[:12]}"
    try:
        between = graph.closure(table, "down") | {table}
        tables = [name for name in graph.built() if name in between & (graph.closure(LINES, "up") | {LINES, UNRESOLVED})]
        above = {name for one in tables for name in graph.closure(one, "up")}
        copy = copied(lake, lake.staging(run_id) / "lake", sorted({*tables, *above}))
        if version is None:
            land.land(copy, Path(given), contract(table).reads)
        else:
            restore(copy, table, version)
        _built(copy, engine, opened, [name for name in tables if version is None or name != table])
        return _told(lake, copy, first)
    finally:
        unstage(lake.folder / "_staging" / run_id)


def _table(given: str, source: str) -> tuple[str, int | None]:
    """Return the table that a file is for, or the table and the version that were named."""
    found = None if Path(given).is_file() else VERSION.fullmatch(given)
    if found is None and not Path(given).is_file():
        raise UserError("there is no such file, nor is it a version of a table", where=given,
                        remedy=f"name a file, or a version as in {TABLE}@3; `carbonlake history {TABLE}` lists them")  # fmt: skip
    table = contract(found[1] if found else source).table
    if table != TABLE and TABLE not in graph.closure(table, "down"):
        raise UserError(f"no factor is made from {table}", where=given,
                        remedy=f"`carbonlake lineage {TABLE}` shows what they are made of")  # fmt: skip
    return table, int(found[2]) if found else None


def _built(copy: Copy, engine: Engine, opened: Opened, tables: list[str]) -> None:
    for one in run(copy, engine, tables, opened=opened):
        if not one.usable:
            raise UserError(f"{one.table} would not be built: {one.reason}", remedy="correct the library, and ask again")


def _told(lake: Lake, copy: Copy, first: int) -> dict[str, Any]:
    with relation.connect(copy.root) as duck:
        duck.execute(PAIRED.format(old=_sql(lake, LINES), new=_sql(copy, LINES)))
        duck.execute(FACTORS.format(old=_sql(lake, TABLE), new=_sql(copy, TABLE)))
        counts = _records(duck, "select what, count(*) as n from factors where what is not null group by what")
        return {
            "factors": dict.fromkeys(("new", "gone", "changed"), 0) | {one["what"]: one["n"] for one in counts},
            "changed": _records(duck, "select factor_id, before, after, change_percent from factors where what = 'changed' "
                                      f"order by abs(change_percent) desc nulls last, factor_id limit {first}"),
            "totals": _records(duck, f"select book, year, {SUMS} from moved group by book, year having lines_moved > 0 "
                                     "order by book, year"),
            "methods": _records(duck, f"select method_id, subject_id, {SUMS} from moved where moves group by all "
                                      f"order by abs(sum(difference)) desc, method_id, subject_id limit {first}"),
            "lines": _records(duck, "select line_id, before, after, difference from moved where moves "
                                    f"order by abs(difference) desc, line_id limit {first}"),
            "unresolved": {"before": _count(duck, lake), "after": _count(duck, copy)},
        }  # fmt: skip


def _count(duck: duckdb.DuckDBPyConnection, lake: Lake) -> int:
    (number,) = duck.execute(f"select count(*) from ({_sql(lake, UNRESOLVED)})").fetchone() or (0,)
    return int(number)


def _sql(lake: Lake, table: str) -> str:
    head = lake.open(table)
    if head is None:
        raise UserError("nothing was published yet that could move", where=table, remedy="carbonlake run")
    return relation.relation_sql(head)


def _records(duck: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    cursor = duck.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
