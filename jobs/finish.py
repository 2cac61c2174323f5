"""The end of a build: judged by another engine than the one that wrote, balanced, and published in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import duckdb

from jobs import commit, corrections, inflow, staging
from jobs.clean import DELIVERY, LOCATOR, RULES
from jobs.cleaned import Made
from jobs.derived import Plan
from jobs.lake import arrow_schema
from jobs.ops import Ops
from jobs.outcome import Job, Mode
from jobs.query import relation_sql
from jobs.relation import table_files
from quality.audit import Verdict, judge, raise_if_failed
from schemas import graph
from schemas.contract import Contract

WHOLE = "*"


def judge_cleaned(job: Job, mode: Mode, made: Made, connection: duckdb.DuckDBPyConnection, ops: Ops) -> tuple[str, ...]:
    """Judge what a cleaned table would become; return warnings, raise UserError where it may not be published."""
    extra = (DELIVERY, LOCATOR, RULES)
    _views(job, mode, made, connection, extra)
    carried = sum(f.rows for f in made.files) - made.counts.written
    came, gone = _measures(job, made, connection, carried) if job.contract.balance else ({}, {})
    return _judge(job, made, connection, ops, rows_in=made.counts.came_in + carried, carried=carried, came=came, gone=gone,
                  has_old=_has_old(job))  # fmt: skip


def judge_derived(job: Job, plan: Plan, made: Made, connection: duckdb.DuckDBPyConnection, ops: Ops) -> tuple[str, ...]:
    """Judge what a derived table would become; its inputs are seen at the versions that the build read."""
    _views(job, plan.mode, made, connection, (RULES,))
    for table, version in plan.versions.items():
        _table_view(job, connection, table, version, plan.partitions if plan.mode == "partitions" else ())
    return _judge(job, made, connection, ops, rows_in=None, carried=0, came=None, gone={}, has_old=_has_old(job))


def _has_old(job: Job) -> bool:
    return bool(job.note)


def _judge(
    job: Job, made: Made, connection: duckdb.DuckDBPyConnection, ops: Ops, *, rows_in: int | None, carried: int,
    came: dict[str, Decimal] | None, gone: dict[str, Decimal], has_old: bool,
) -> tuple[str, ...]:  # fmt: skip
    for rule in job.contract.rules:
        if rule.table and rule.table != job.contract.table and rule.table not in graph.inputs(job.contract):
            head = job.lake.open(rule.table)
            _table_view(job, connection, rule.table, int(head.version()) if head else None, ())
    aside = _aside_counts(made, connection)
    verdicts = judge(
        job.contract, connection, has_old=has_old, quarantined=aside, rows_in=rows_in,
        superseded=made.counts.superseded, now=datetime.now(UTC), carried=carried, inflow=came, aside=gone,
    )  # fmt: skip
    ops.verdicts(job.run_id, job.contract.table, verdicts)
    ops.balances(job.run_id, job.contract.table, verdicts, made.counts)
    raise_if_failed(verdicts, job.contract)
    return tuple(_warning(v) for v in verdicts if not v.passed and v.outcome == "warn")


def _warning(verdict: Verdict) -> str:
    return f"{verdict.rule}: {verdict.detail or f'{verdict.failed} of {verdict.rows} rows'}"


def _views(job: Job, mode: Mode, made: Made, connection: duckdb.DuckDBPyConnection, extra: Sequence[str]) -> None:
    """Make the views `new` and `old`: with partitions, both are those partitions alone."""
    new = staging.relation(made.files, job.contract, extra)
    old = relation_sql(job.lake, job.contract.table, job.version) if _has_old(job) else ""
    if mode == "append" and old and job.contract.key:
        # A key may not come twice over all deliveries, so the rows that are there already are judged along.
        columns = ", ".join(f'"{name}"' for name in (*job.contract.columns, DELIVERY, LOCATOR))
        new = f"select {columns}, {RULES} from ({new}) union all select {columns}, null from ({old})"
    elif mode == "partitions" and old:
        old = f"select * from ({old}) where {_within(job.contract, made.replaced)}"
    connection.execute(f'create or replace view "new" as {new}')
    if old:
        connection.execute(f'create or replace view "old" as {old}')


def _within(contract: Contract, values: Iterable[str]) -> str:
    name = contract.partition_by[0]
    listed = ", ".join(staging.quoted(value) for value in values) or "''"
    return f'cast("{name}" as varchar) in ({listed})'


def _table_view(
    job: Job, connection: duckdb.DuckDBPyConnection, table: str, version: int | None, partitions: Sequence[str]
) -> None:
    """Make the view "layer"."table" of an input; with partitions, only those that were rebuilt."""
    if version is None:
        return
    layer, name = table.split(".")
    sql = relation_sql(job.lake, table, version)
    head = job.lake.open(table)
    by = head.metadata().partition_columns if head else []
    if partitions and by and by[0] == job.contract.partition_by[0]:
        sql = f"select * from ({sql}) where {_within(job.contract, partitions)}"
    connection.execute(f'create schema if not exists "{layer}"')
    connection.execute(f'create or replace view "{layer}"."{name}" as {sql}')


def _aside_counts(made: Made, connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Count the rows set aside by the label of each rule they broke, and under `*` the rows themselves."""
    counts = {WHOLE: made.counts.set_aside}
    if not made.aside:
        return counts
    bits = ", ".join(f"count(*) filter (({RULES} & {1 << bit}) <> 0)" for bit in range(len(made.labels)))
    paths = ", ".join(staging.quoted(file.path) for file in made.aside)
    row = connection.execute(f"select {bits} from read_parquet([{paths}])").fetchone() or ()
    return counts | {check.label: number for check, number in zip(made.labels, row, strict=True) if number}


def _measures(
    job: Job, made: Made, connection: duckdb.DuckDBPyConnection, carried: int
) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Return each measure as delivered (counted from the values as found) and as set aside or superseded."""
    names = [name for name in job.contract.measures if name in job.contract.columns]
    fixes = corrections.decisions(job.lake, job.contract.table)
    came = inflow.measure_sums(connection, job.contract, [one for one in made.parsed if one.rows and not one.refused], fixes)
    aside = _sums(connection, staging.relation(made.aside, job.contract), names)
    dropped = inflow.dropped_sums(connection, job.contract, names)
    kept = _carried_sums(job, made, connection, names) if carried else dict.fromkeys(names, Decimal(0))
    return {n: came[n] + kept[n] for n in names}, {n: aside[n] + dropped[n] for n in names}


def _carried_sums(job: Job, made: Made, connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> dict[str, Decimal]:
    fresh = {one.delivery for one in made.parsed}
    listed = ", ".join(map(str, sorted(fresh))) or "-1"
    return _sums(connection, f'select * from "new" where {DELIVERY} not in ({listed})', names)


def _sums(connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str]) -> dict[str, Decimal]:
    if not names:
        return {}
    sums = ", ".join(f'coalesce(sum("{name}"), 0)' for name in names)
    row = connection.execute(f"select {sums} from ({relation})").fetchone() or ()
    return {name: Decimal(value) for name, value in zip(names, row, strict=True)}


def rows_after(job: Job, mode: Mode, made: Made) -> int:
    """Return the rows that the table will hold."""
    there = int(job.note.get("rows", 0))
    new = sum(file.rows for file in made.files)
    if mode == "whole":
        return new
    return there + new if mode == "append" else there + new - _rows_in(job, made.replaced)


def _rows_in(job: Job, partitions: Sequence[str]) -> int:
    name = job.contract.partition_by[0]
    return sum(file.rows for file in table_files(job.head) if file.partition[name] in partitions)


def publish(job: Job, mode: Mode, made: Made, note: dict[str, object]) -> int:
    """Make the accepted files part of the table in one commit, and return its version."""
    name = job.contract.partition_by[0] if job.contract.partition_by else ""
    files = [commit.StagedFile(f.path, {name: str(f.partition)} if name else {}, f.rows, f.size) for f in made.files]
    replace: commit.Replace = "all" if mode == "whole" else "append" if mode == "append" else list(made.replaced)
    if replace == [] or (mode == "append" and not files):
        # Nothing new stands, yet the deliveries are dealt with: an empty append carries the note.
        replace, files = "append", []
    path, schema = job.lake.table_path(job.contract.table), arrow_schema(job.contract)
    version = commit.publish(
        job.lake, path, schema, files, read_version=job.version, replace=replace, commit_info=note,
        app_id=f"build:{job.contract.table}", app_sequence=job.version + 1,
    )  # fmt: skip
    if {field.name for field in job.head.schema().fields} != set(schema.names):
        # Statistics are kept for columns by name, and the names have changed.
        commit.describe(job.lake, path, schema, job.contract.partition_by)
    return version
