"""Where deliveries are not what their sources declared: each figure as it was compared last, until somebody settles it."""

from __future__ import annotations

from typing import Any

from jobs import land, sources
from jobs.due import in_force
from jobs.lake import Lake
from jobs.relation import read_rows
from schemas.contracts import contract

TABLE = "ops.reconciliation"
Row = dict[str, Any]


def told(row: Row) -> str:
    """Say how a figure differs."""
    by = f", {row['difference']:+g}" if row["difference"] is not None else ""
    detail = f" ({row['detail']})" if row["detail"] else ""
    which = f"delivery {row['delivery_id']} ({row['name']}): {row['what']}"
    return f"{which}: {row['declared']} declared, {row['found']} came{by}{detail}"


def differences(lake: Lake, table: str | None = None) -> list[Row]:
    """Return the figures that differ, of deliveries that are in force, less those that a person accepted."""
    accepted = {row["delivery_id"] for row in sources.history(lake) if row["decision"] == sources.ACCEPTED}
    wrong = [row for row in newest(lake, table).values() if not row["agrees"] and row["delivery_id"] not in accepted]
    standing = {one: {receipt.delivery_id for receipt in in_force(contract(one), land.receipts(lake, one))}
                for one in {row["table_name"] for row in wrong}}  # fmt: skip
    return sorted((row for row in wrong if row["delivery_id"] in standing[row["table_name"]]),
                  key=lambda row: (row["table_name"], row["delivery_id"], row["what"]))  # fmt: skip


def standing(lake: Lake) -> dict[str, int]:
    """Return how many figures differ, of the tables that have some."""
    found: dict[str, int] = {}
    for row in differences(lake):
        found[row["table_name"]] = found.get(row["table_name"], 0) + 1
    return found


def figures(lake: Lake, table: str | None = None) -> list[Row]:
    """Return every figure as it was compared last."""
    return sorted(newest(lake, table).values(), key=lambda row: (row["table_name"], row["delivery_id"], row["what"]))


def newest(lake: Lake, table: str | None) -> dict[tuple[str, int, str], Row]:
    """Return each figure as it was compared last, by table, delivery and what it is."""
    head = lake.open(TABLE)
    rows = read_rows(head, f"table_name = '{table}'" if table else "true").to_pylist() if head else []
    rows.sort(key=lambda row: row["compared_at"])
    return {(row["table_name"], row["delivery_id"], row["what"]): row for row in rows}
