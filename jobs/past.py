"""What the lake remembers of its own work, added up: builds, checks of the newest ones, maintenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb
from deltalake import DeltaTable

from jobs import relation
from jobs.lake import Lake
from jobs.relation import quote
from schemas import types
from schemas.contracts import contract

Row = Mapping[str, Any]
SUMS = ("rows_in", "rows_written", "rows_set_aside", "rows_superseded", "seconds", "cpu_seconds", "energy_kwh", "emission_kgco2")
ADDED_UP = f"""
select table_name, status, count(*) as builds, {", ".join(f"coalesce(sum({name}), 0) as {name}" for name in SUMS)}
from runs group by all order by all"""
NEWEST = """
select * from runs qualify row_number() over (partition by table_name order by started_at desc, run_id desc) = 1"""
RECENT = """
select count(*) filter (status in ('built', 'repaired')) as built, count(*) filter (status = 'failed') as failed,
  sum(cpu_seconds) as cpu_seconds, sum(energy_kwh) as energy_kwh, sum(emission_kgco2) as emission_kgco2,
  coalesce(bool_or(energy_scope = 'client'), false) as client
from runs where started_at >= ?"""
# Ids of runs sort by time. A check that failed stops its build, so its newest run is not always the newest build.
CHECKS = """
select table_name, rule, kind, outcome, failed, rows, passed, detail from checks
qualify run_id = max(run_id) over (partition by table_name) order by table_name, rule"""
MAINTENANCE = """
select max(tended_at) as tended_at, coalesce(sum(merged), 0) as merged, coalesce(sum(deleted), 0) as deleted,
  coalesce(sum(seconds), 0) as seconds from maintenance"""


@dataclass(frozen=True)
class Past:
    """Builds added up by table and status, the newest of each table, recent ones together, checks, maintenance."""

    added_up: Sequence[Row] = ()
    newest: Mapping[str, Row] = field(default_factory=dict)
    recent: Row = field(default_factory=dict)
    checks: Sequence[Row] = ()
    maintenance: Row = field(default_factory=dict)


def past(lake: Lake, since: datetime) -> Past:
    """Return what the records of a lake say; `since` bounds what is recent. A record that is not there is empty."""
    with relation.connect(lake.root, lake.storage_options) as duck:
        for view, table in (("runs", "ops.run"), ("checks", "ops.check"), ("maintenance", "ops.maintenance")):
            duck.execute(f"create view {view} as {_whole(lake.open(table), table)}")
        return Past(_rows(duck, ADDED_UP), {row["table_name"]: row for row in _rows(duck, NEWEST)}, _rows(duck, RECENT, since)[0],
                    _rows(duck, CHECKS), _rows(duck, MAINTENANCE)[0])  # fmt: skip


def _whole(head: DeltaTable | None, table: str) -> str:
    """Return a SELECT with all columns of the contract: a lake from before lacks some, and has none of a new record."""
    there = relation.columns(head) if head else {}
    wanted = {name: types.duckdb(str(column.type)) for name, column in contract(table).columns.items()}
    columns = ", ".join(quote(name) if name in there else f"cast(null as {type_}) as {quote(name)}"
                        for name, type_ in wanted.items())  # fmt: skip
    return f"select {columns} from ({relation.relation_sql(head)})" if head else f"select {columns} where false"


def _rows(duck: duckdb.DuckDBPyConnection, sql: str, *values: object) -> list[dict[str, Any]]:
    found = duck.execute(sql, list(values))
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
