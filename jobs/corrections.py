"""What people decided about rows in quarantine, laid over the parsed deliveries before they are typed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.clean import DELIVERY, LOCATOR, WAIVED
from jobs.commit import append_rows
from jobs.lake import Lake, arrow_schema
from jobs.land import receipts
from jobs.outcome import new_run
from jobs.relation import read_rows
from jobs.session import Engine
from schemas.contracts import contract
from schemas.errors import UserError

TABLE = "ops.correction"


def decisions(lake: Lake, table: str) -> dict[tuple[int, str], dict[str, Any]]:
    """Return the newest decision about each row of a table, by delivery and locator."""
    merged: dict[tuple[int, str], dict[str, Any]] = {}
    for row in history(lake, table):
        place = (row["delivery_id"], row["locator"])
        before = merged.get(place, {}).get("values", {})
        merged[place] = {**row, "values": {**before, **json.loads(row["values"] or "{}")}}
    return merged


def digest(lake: Lake, table: str) -> str:
    """Return what changes when a decision is made; empty while there is none."""
    made = decisions(lake, table)
    if not made:
        return ""
    text = json.dumps(sorted((*place, row["decision"], row["values"]) for place, row in made.items()), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def discarded(lake: Lake, table: str) -> set[tuple[int, str]]:
    """Return the rows that a person put away for good."""
    return {place for place, row in decisions(lake, table).items() if row["decision"] == "discard"}


def applied(engine: Engine, lake: Lake, table: str, files: Sequence[str]) -> DataFrame:
    """Return the rows as found, corrected where a person corrected them, and marked where a rule is waived.

    A corrected row keeps its delivery and locator: it goes the same way as any other row.
    """
    found = engine.parquet(files)
    made = decisions(lake, table)
    if not made:
        return found
    waived = [place for place, row in made.items() if row["decision"] == "waive"]
    headers = sorted({header for row in made.values() for header in row["values"] if header in found.columns})
    fixed = {header: _fixed(header, made) for header in headers}
    return found.withColumns({**fixed, WAIVED: _at(waived) if waived else F.lit(False)})


def _fixed(header: str, made: dict[tuple[int, str], dict[str, Any]]) -> Column:
    places = [(place, row["values"][header]) for place, row in made.items() if header in row["values"]]
    return reduce(lambda other, item: F.when(_at([item[0]]), F.lit(item[1])).otherwise(other), places, F.col(f"`{header}`"))


def _at(places: Sequence[tuple[int, str]]) -> Column:
    return reduce(lambda one, other: one | other, [
        (F.col(DELIVERY) == delivery) & (F.col(LOCATOR).cast("string") == locator) for delivery, locator in places
    ])  # fmt: skip


def history(lake: Lake, table: str) -> list[dict[str, Any]]:
    """Return every decision about rows of a table, the newest last."""
    head = lake.open(TABLE)
    rows = read_rows(head, f"table_name = '{table}'").to_pylist() if head else []
    return sorted(rows, key=lambda row: row["decided_at"])


def decide(
    lake: Lake, table: str, place: tuple[int, str], decision: str, values: dict[str, str], person: str, note: str
) -> None:
    """Put a decision about a row on record; raise UserError for a table or a delivery that is not there."""
    one = contract(table)
    if not any(receipt.delivery_id == place[0] for receipt in receipts(lake, table)):
        raise UserError(f"delivery {place[0]} is not in force for {table}", remedy=f"`carbonlake quarantine show {table}`")
    headers = {header for name, column in one.columns.items() for header in _headers(name, column.from_)}
    unknown = sorted(set(values) - headers)
    if unknown:
        raise UserError(f"{', '.join(unknown)}: no such header", where=one.file, remedy=f"headers: {', '.join(sorted(headers))}")
    row = {"table_name": table, "delivery_id": place[0], "locator": place[1], "decision": decision, "person": person,
           "values": json.dumps(values, ensure_ascii=False), "note": note, "decided_at": datetime.now(UTC)}  # fmt: skip
    ops = contract(TABLE)
    append_rows(lake, ops, pa.Table.from_pylist([row], schema=arrow_schema(ops)), new_run())


def _headers(name: str, given: str | list[str] | None) -> list[str]:
    return [name] if given is None else [given] if isinstance(given, str) else given
