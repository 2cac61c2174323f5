"""Names that wait for a person, and what people decided about them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from jobs.commit import append_rows
from jobs.lake import Lake, arrow_schema
from jobs.outcome import new_run
from jobs.relation import read_rows
from layers.names import REVIEW
from schemas.contracts import contract
from schemas.errors import UserError

MATCH, DECISION, ENTERPRISE = "thematic.name_match", "ops.name_decision", "cleaned.enterprise"


def waiting(lake: Lake, state: str = REVIEW) -> list[dict[str, Any]]:
    """Return the names in a state, those that stand for most rows first; raise UserError where none were matched yet."""
    head = lake.open(MATCH)
    if head is None:
        raise UserError("no names were matched yet", where=MATCH, remedy=f"carbonlake run +{MATCH}")
    rows = [row for row in read_rows(head).to_pylist() if row["state"] == state]
    return sorted(rows, key=lambda row: (-row["mentions"], -(row["score"] or 0), row["name"]))


def decide(lake: Lake, name: str, uscc: str | None, person: str, note: str) -> None:
    """Put on record which enterprise a name means, None for none of ours; raise UserError for a name or code unknown."""
    if not any(row["name"] == name for row in _rows(lake, MATCH)):
        raise UserError(f"nobody is called {name!r}", where=MATCH, remedy="`carbonlake names list` shows what waits")
    if uscc is not None and not any(row["uscc"] == uscc for row in _rows(lake, ENTERPRISE)):
        raise UserError(f"there is no enterprise {uscc!r}", where=ENTERPRISE,
                        remedy="land it first, or say `carbonlake names apart`")  # fmt: skip
    row = {"name": name, "decision": "link" if uscc else "apart", "uscc": uscc, "person": person, "note": note,
           "decided_at": datetime.now(UTC)}  # fmt: skip
    ops = contract(DECISION)
    append_rows(lake, ops, pa.Table.from_pylist([row], schema=arrow_schema(ops)), new_run())


def history(lake: Lake) -> list[dict[str, Any]]:
    """Return every decision about a name, the newest last."""
    return sorted(_rows(lake, DECISION), key=lambda row: row["decided_at"])


def _rows(lake: Lake, table: str) -> list[dict[str, Any]]:
    head = lake.open(table)
    rows: list[dict[str, Any]] = read_rows(head).to_pylist() if head else []
    return rows
