"""What people decided about rows in quarantine, as it is on record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from jobs.lake import Lake
from jobs.relation import read_rows

TABLE = "ops.correction"
Decisions = Mapping[tuple[int, str], Mapping[str, Any]]


def decisions(lake: Lake, table: str) -> Decisions:
    """Return the newest decision about each row of a table, by delivery and locator."""
    merged: dict[tuple[int, str], dict[str, Any]] = {}
    for row in history(lake, table):
        place = (row["delivery_id"], row["locator"])
        before = merged.get(place, {}).get("values", {})
        merged[place] = {**row, "values": {**before, **json.loads(row["values"] or "{}")}}
    return merged


def digest(made: Decisions) -> str:
    """Return what changes when a decision is made; empty while there is none."""
    if not made:
        return ""
    text = json.dumps(sorted((*place, row["decision"], row["values"]) for place, row in made.items()), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def history(lake: Lake, table: str) -> list[dict[str, Any]]:
    """Return every decision about rows of a table, the newest last."""
    head = lake.open(TABLE)
    rows = read_rows(head, f"table_name = '{table}'").to_pylist() if head else []
    return sorted(rows, key=lambda row: row["decided_at"])
