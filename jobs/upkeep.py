"""Maintenance on record: what was done to which table, so that anybody can see when it was last done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa

from jobs.commit import append_rows
from jobs.lake import Lake, arrow_schema
from jobs.maintain import Work
from jobs.outcome import new_run
from schemas.contracts import contract

TABLE = "ops.maintenance"


def record(lake: Lake, done: Sequence[Work]) -> None:
    """Put down what maintenance did, tables that needed nothing included."""
    now, one = datetime.now(UTC), contract(TABLE)
    rows = [{"table_name": work.table, "tended_at": now, "merged": work.merged, "written": work.into, "deleted": work.deleted,
             "checkpoint": work.checkpoint, "seconds": work.seconds} for work in done]  # fmt: skip
    if rows:
        append_rows(lake, one, pa.Table.from_pylist(rows, schema=arrow_schema(one)), new_run())
