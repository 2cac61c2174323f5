"""What is kept of every time a source was asked: what came, or why nothing could."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

import pyarrow as pa

from conf.secrets import redact
from jobs import store
from jobs.commit import append_rows
from jobs.lake import Lake, arrow_schema
from jobs.land import Receipt
from jobs.outcome import new_run
from jobs.relation import read_rows
from schemas.contracts import contract
from schemas.errors import UserError

TABLE = "ops.fetch_log"
FETCHED, NOTHING, FAILED = "fetched", "nothing", "failed"
LOG = logging.getLogger("carbonlake")


@dataclass
class Came:
    """What came of one asking."""

    deliveries: int = 0
    size_bytes: int = 0

    def add(self, receipt: Receipt) -> None:
        """Count a delivery."""
        self.deliveries += receipt.fresh
        self.size_bytes += receipt.size_bytes if receipt.fresh else 0


@contextmanager
def recorded(lake: Lake, table: str) -> Iterator[Came]:
    """Keep a row of what comes while a source is asked; an error is kept with what it says, without a secret, and raised."""
    came, at, began = Came(), datetime.now(UTC), time.monotonic()

    def row(status: str, reason: str = "") -> dict[str, Any]:
        return {"source_table": table, "started_at": at, "seconds": time.monotonic() - began, "status": status,
                "deliveries": came.deliveries, "size_bytes": came.size_bytes, "reason": reason}  # fmt: skip

    try:
        yield came
    except Exception as error:
        try:
            _write(lake, row(FAILED, _words(error)))
        except Exception as other:  # noqa: BLE001 - what went wrong first is what is told
            LOG.warning("a failed fetch could not be recorded: %s", _words(other))
        raise
    except GeneratorExit:  # nobody wants more
        _write(lake, row(FETCHED if came.deliveries else NOTHING))
        raise
    _write(lake, row(FETCHED if came.deliveries else NOTHING))


def asked(lake: Lake, where: str = "true") -> list[dict[str, Any]]:
    """Return every asking, the newest last."""
    head = lake.open(TABLE)
    rows = read_rows(head, where).to_pylist() if head else []
    return sorted(rows, key=lambda row: row["started_at"])


def in_vain(lake: Lake, table: str) -> list[str]:
    """Return why a source was asked in vain since it last could be, the newest first."""
    rows = reversed(asked(lake, f"source_table = '{table}'"))
    return [row["reason"] for row in takewhile(lambda row: row["status"] == FAILED, rows)]


def _words(error: Exception) -> str:
    reason = error if isinstance(error, UserError) else store.explain(error) or f"{type(error).__name__}: {error}"
    return redact(str(reason))


def _write(lake: Lake, row: dict[str, Any]) -> None:
    ops = contract(TABLE)
    append_rows(lake, ops, pa.Table.from_pylist([row], schema=arrow_schema(ops)), new_run())
