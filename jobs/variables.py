"""What is known of the arrays of deliveries, and whether their values are guarded by checksums: knowledge.variable."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from jobs import query
from jobs.deliveries import Parsed
from jobs.lake import Lake
from jobs.land import Receipt
from schemas.contract import Contract

TABLE = "knowledge.variable"
CHECKED, UNCHECKED = "checked", "unchecked"


def rows(contract: Contract, parsed: Sequence[Parsed], receipts: Sequence[Receipt]) -> list[dict[str, Any]]:
    """Return rows of knowledge.variable for the deliveries that were read just now.

    What a source declared the SHA-256 of came as it was sent, whatever the file itself carries.
    """
    now = datetime.now(UTC)
    sums = {one.delivery_id: _declared(one) for one in receipts}
    return [
        {**row, "delivery_id": one.delivery, "table_name": contract.table, "read_at": now,
         "integrity": CHECKED if row["integrity"] and sums.get(one.delivery) else row["integrity"]}
        for one in parsed if one.fresh and not one.refused for row in one.around.get("variables", [])
    ]  # fmt: skip


def _declared(one: Receipt) -> bool:
    said = json.loads(one.declared) if one.declared else {}
    return bool(said.get("sha256")) and said["sha256"] == one.sha256


def integrity(lake: Lake, table: str, delivery: int | None = None) -> str:
    """Return the grade of a table's deliveries, or of one: `checked`, `unchecked`, how many are; empty where none is known."""
    if lake.open(TABLE) is None:
        return ""
    with query.connection(lake, {TABLE: None}) as duck:
        found = duck.execute(
            f"""select delivery_id, bool_and(integrity = '{CHECKED}') from {TABLE}
                where table_name = ? and used and integrity is not null and (? is null or delivery_id = ?) group by 1""",
            [table, delivery, delivery]).fetchall()  # fmt: skip
    bare = sum(not good for _, good in found)
    if not bare:
        return CHECKED if found else ""
    return UNCHECKED if bare == len(found) else f"{UNCHECKED} in {bare} of {len(found)} deliveries"
