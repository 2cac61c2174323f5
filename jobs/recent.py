"""Recent deliveries, and how far each has come: waiting for a build, read, or refused with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobs import land, query
from jobs.lake import Lake
from jobs.land import Receipt
from schemas.contracts import contract

READINGS = "ops.reading"


def recent(lake: Lake, table: str | None = None, most: int = 50) -> list[dict[str, Any]]:
    """Return the newest deliveries in force, with what reading them came to in each table that reads them."""
    known = land.receipts(lake, contract(table).table if table else None)[-most:]
    if not table:
        known = sorted([*known, *land.unclaimed(lake)[-most:]], key=lambda one: one.delivery_id)[-most:]
    read = _readings(lake, known)
    return [_told(one, read.get(one.delivery_id, [])) for one in reversed(known)]


def _readings(lake: Lake, known: Sequence[Receipt]) -> dict[int, list[dict[str, Any]]]:
    if not known or lake.open(READINGS) is None:
        return {}
    rows = query.sql(
        lake,
        f"""select delivery_id, table_name as "table", last(status order by read_at) as status,
                   last(rows order by read_at) as rows, last(rejected order by read_at) as rejected,
                   last(reason order by read_at) as reason
            from {READINGS} where delivery_id >= {min(one.delivery_id for one in known)} group by all order by all""",
    ).to_pylist()
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.pop("delivery_id"), []).append(row)
    return found


def _told(one: Receipt, read: list[dict[str, Any]]) -> dict[str, Any]:
    came = "refused" if any(reading["status"] == "refused" for reading in read) else "read" if read else "waiting"
    state = came if one.source else "unclaimed"
    return {"delivery": one.delivery_id, "table": one.source, "name": one.name, "bytes": one.size_bytes,
            "received_at": one.received_at.isoformat(timespec="seconds"), "sha256": one.sha256, "note": one.note,
            "state": state, "readings": read}  # fmt: skip
