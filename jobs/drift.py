"""Drift that headers do not show: a measure whose scale jumped against what the table holds."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from jobs import staging
from jobs.outcome import Job
from jobs.query import relation_sql
from jobs.staging import Staged
from schemas import types
from schemas.errors import UserError

# A step of units is 1,000 (k, M) or 10,000 (万); a season or a new subject moves a median far less.
JUMP = 300.0
ENOUGH = 20


def check_scale(job: Job, connection: duckdb.DuckDBPyConnection, staged: Sequence[Staged]) -> None:
    """Raise UserError where the median of a measure is 300 times off that of the table as it stands.

    The unit or the scale of the source has then most likely changed, and every later number would be wrong.
    """
    measures = [name for name, column in job.contract.columns.items()
                if types.decimal_parts(str(column.type)) and not column.derive]  # fmt: skip
    fresh = [file for file in staged if file.verdict == "ok"]
    if not measures or job.note.get("rows", 0) < ENOUGH or sum(file.rows for file in fresh) < ENOUGH or job.force:
        return
    now = _medians(connection, staging.relation(fresh, job.contract), measures)
    before = _medians(connection, relation_sql(job.lake, job.contract.table, job.version), measures)
    for name in measures:
        if now[name] and before[name] and not 1 / JUMP < now[name] / before[name] < JUMP:
            raise UserError(
                f"the scale of {name} changed: its median is {now[name]:g} in the new deliveries, {before[name]:g} in the table",
                where=job.contract.file,
                remedy="if the source's unit changed, declare it with `unit_from` in a source of its own; if the figures are "
                       "right, build with --force; if they are wrong, `carbonlake withdraw` the delivery",
            )  # fmt: skip


def _medians(connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str]) -> dict[str, float]:
    # A sample is enough to tell a step of a thousand.
    sums = ", ".join(f'median(abs(cast("{name}" as double))) filter ("{name}" <> 0)' for name in names)
    row = connection.execute(f"select {sums} from (select * from ({relation}) limit 200000)").fetchone()
    return {name: float(value or 0) for name, value in zip(names, row or (), strict=True)}
