"""The end of a build: judged by another engine than the one that wrote, balanced, and published in one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import duckdb

from jobs import commit, gap, inflow, keep, staging, views
from jobs.clean import DELIVERY, LOCATOR, RULES
from jobs.cleaned import Made
from jobs.derived import Plan
from jobs.lake import arrow_schema
from jobs.ops import Ops
from jobs.outcome import Job, Mode
from jobs.relation import table_files
from quality.audit import Verdict, judge, raise_if_failed
from schemas.contract import Contract

WHOLE = "*"


def judge_cleaned(
    job: Job, mode: Mode, made: Made, connection: duckdb.DuckDBPyConnection, ops: Ops, more: Iterable[Verdict] = ()
) -> tuple[str, ...]:  # fmt: skip
    """Judge what a cleaned table would become; return warnings, raise UserError where it may not be published.

    `more` are verdicts on its deliveries.
    """
    views.tables(job, mode, made, connection, (DELIVERY, LOCATOR, RULES))
    views.referred(job, connection, {})
    stays = _stays(job, mode, made, connection)
    came, gone = _measures(job, made, connection, stays)
    return _judge(job, made, connection, ops, rows_in=made.counts.came_in + stays.rows, carried=stays.rows + made.waived,
                  came=came, gone=gone, more=more,
                  where=lambda name: gap.located(job, mode, made, connection, name))  # fmt: skip


def judge_derived(job: Job, plan: Plan, made: Made, connection: duckdb.DuckDBPyConnection, ops: Ops) -> tuple[str, ...]:
    """Judge what a derived table would become; its inputs are seen at the versions that the build read."""
    views.tables(job, plan.mode, made, connection, (RULES,))
    views.referred(job, connection, plan.versions)
    everything = views.whole(job.contract, plan.mode)
    views.inputs(job, connection, plan.versions, {} if everything else plan.through, plan.partitions)
    carried = rows_after(job, plan.mode, made) - made.counts.written if everything else 0
    return _judge(job, made, connection, ops, rows_in=None, carried=carried, came=None, gone={})


def _judge(
    job: Job, made: Made, connection: duckdb.DuckDBPyConnection, ops: Ops, *, rows_in: int | None, carried: int,
    came: dict[str, Decimal] | None, gone: dict[str, Decimal], where: Callable[[str], str] = lambda name: "",
    more: Iterable[Verdict] = (),
) -> tuple[str, ...]:  # fmt: skip
    aside = _aside_counts(made, connection)
    verdicts = [*more, *judge(
        job.contract, connection, has_old=bool(job.note), quarantined=aside, rows_in=rows_in,
        superseded=made.counts.superseded, now=datetime.now(UTC), carried=carried, inflow=came, aside=gone,
        distinct=made.distinct,
    )]  # fmt: skip
    ops.verdicts(job.run_id, job.contract.table, verdicts)
    ops.balances(job.run_id, job.contract.table, verdicts, made.counts)
    names = {f"balance_{name}": name for name in _measured(job.contract)}
    raise_if_failed([replace(v, detail=v.detail + where(names[v.rule])) if v.stops and v.rule in names else v
                     for v in verdicts], job.contract)  # fmt: skip
    return tuple(_warning(v) for v in verdicts if not v.passed and v.outcome == "warn")


def _stays(job: Job, mode: Mode, made: Made, connection: duckdb.DuckDBPyConnection) -> inflow.Stays:
    """Count what is in the view `new` beside the new rows, from the version before."""
    names = _measured(job.contract)
    if mode == "whole" or (mode == "append" and not views.whole(job.contract, mode)):
        return inflow.Stays(0, dict.fromkeys(names, Decimal(0)))
    by = keep.group(job.contract) if mode == "partitions" else ()
    return inflow.stays(connection, by, [one.delivery for one in made.parsed], names)


def _measured(contract: Contract) -> list[str]:
    return [name for name in contract.measures if name in contract.columns]


def _warning(verdict: Verdict) -> str:
    return f"{verdict.rule}: {verdict.detail or f'{verdict.failed} of {verdict.rows} rows'}"


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
    job: Job, made: Made, connection: duckdb.DuckDBPyConnection, stays: inflow.Stays
) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Return each measure as delivered (counted from the values as found) and as set aside or superseded."""
    names = _measured(job.contract)
    fixes = job.decided
    came = inflow.measure_sums(connection, job.contract, [one for one in made.parsed if one.rows and not one.refused], fixes)
    aside = _sums(connection, staging.relation(made.aside, job.contract), names)
    dropped = inflow.dropped_sums(connection, job.contract, names)
    return {n: came[n] + stays.sums[n] for n in names}, {n: aside[n] + dropped[n] for n in names}


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
