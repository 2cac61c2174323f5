"""What is known of documents, pictures and other files that were landed: knowledge.document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from jobs import land, query
from jobs.deliveries import Parsed
from jobs.lake import Lake
from models.terms import terms
from schemas.contract import Contract

TABLE = "knowledge.document"
COUNTS = ("size_bytes", "width_px", "height_px", "pages", "passages")
PLACES = ("latitude_deg", "longitude_deg")


def rows(contract: Contract, parsed: Sequence[Parsed]) -> list[dict[str, Any]]:
    """Return rows of knowledge.document for the deliveries that were read just now."""
    now = datetime.now(UTC)
    return [
        {**_typed(row), "delivery_id": one.delivery, "table_name": contract.table, "read_at": now}
        for one in parsed if one.fresh and not one.refused for row in one.around.get("documents", [])
    ]  # fmt: skip


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as readers give it, all texts, in the types of its table."""
    counts = {name: int(row[name]) for name in COUNTS if row.get(name) is not None}
    return {**row, **counts, **{name: float(row[name]) for name in PLACES if row.get(name) is not None}}


def described(lake: Lake, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Return the documents in force whose description holds terms of a query, as passages are: `passage_id` begins those of
    its passages, and `has` are the terms.
    """
    if lake.open(TABLE) is None:
        return []
    with query.connection(lake, {TABLE: None}) as duck:
        sql = f"select table_name, delivery_id, file, arg_max(description, read_at) from {TABLE} group by all order by all"
        every = duck.execute(sql).fetchall()
    found = [(*row, has) for row in every if (has := set(terms(row[3]))) & set(wanted)]
    standing = {one.delivery_id for one in land.receipts(lake)} if found else set()
    return [{"passage_id": f"{table}|{number}", "document": file, "place": f"file {number}", "text": text, "has": sorted(has)}
            for table, number, file, text, has in found if number in standing]  # fmt: skip
