"""What people decided about rows in quarantine, laid over the parsed deliveries before they are typed."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import reduce

import duckdb
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.clean import DELIVERY, DISCARDED, DOUBT, LOCATOR, WAIVED
from jobs.commit import append_rows
from jobs.decisions import TABLE as TABLE
from jobs.decisions import Decisions
from jobs.decisions import decisions as decisions
from jobs.decisions import digest as digest
from jobs.decisions import history as history
from jobs.deliveries import Parsed, files, reading, strangers
from jobs.lake import Lake, arrow_schema
from jobs.land import receipts
from jobs.outcome import new_run
from jobs.row_units import as_found, unit_column
from jobs.session import Engine
from schemas.contracts import contract
from schemas.errors import UserError


def discarded(made: Decisions) -> set[tuple[int, str]]:
    """Return the rows that a person put away for good."""
    return {place for place, row in made.items() if row["decision"] == "discard"}


def applied(engine: Engine, made: Decisions, parsed: Sequence[Parsed]) -> DataFrame:
    """Return the rows as found, corrected where a person corrected them, and marked where a rule is waived.

    A corrected row keeps its delivery and locator: it goes the same way as any other row.
    """
    found = engine.parquet(files(parsed))
    if others := strangers(parsed):
        found = found.filter(~F.col(DELIVERY).isin(others))
    if not made:
        return found
    headers = sorted({header for row in made.values() for header in row["values"] if header in found.columns})
    fixed = {header: _fixed(header, made) for header in headers}
    flags = {flag: _at([place for place, row in made.items() if row["decision"] == decision])
             for flag, decision in ((WAIVED, "waive"), (DISCARDED, "discard"))}  # fmt: skip
    if DOUBT in found.columns:
        # Who corrects a row has looked at it, so that the reader's doubt is answered.
        seen = _at([place for place, row in made.items() if row["values"]])
        flags[DOUBT] = F.when(~seen, F.col(DOUBT))
    return found.withColumns({**fixed, **flags})


def _fixed(header: str, made: Decisions) -> Column:
    by_value: dict[str, list[tuple[int, str]]] = {}
    for place, row in made.items():
        if header in row["values"]:
            by_value.setdefault(row["values"][header], []).append(place)
    (first, at), *others = by_value.items()
    cases = F.when(_at(at), F.lit(first))
    for value, places in others:
        cases = cases.when(_at(places), F.lit(value))
    return cases.otherwise(as_found(header))


def _at(places: Sequence[tuple[int, str]]) -> Column:
    """Tell whether a row is at one of some places; flat per delivery, so that thousands of places fit into a plan."""
    by_delivery: dict[int, list[str]] = {}
    for delivery, locator in places:
        by_delivery.setdefault(delivery, []).append(locator)
    return reduce(lambda one, other: one | other, [
        (F.col(DELIVERY) == delivery) & F.col(LOCATOR).cast("string").isin(locators)
        for delivery, locators in by_delivery.items()
    ], F.lit(False))  # fmt: skip


def waived(made: Decisions, deliveries: Collection[int]) -> int:
    """Return how many rows of some deliveries a person let pass."""
    return sum(row["decision"] == "waive" and place[0] in deliveries for place, row in made.items())


def decide(lake: Lake, table: str, place: tuple[int, str], decision: str, values: dict[str, str], person: str, note: str) -> None:
    """Put a decision about a row on record; raise UserError for a delivery, row or header that is not there."""
    one = contract(table)
    if not any(receipt.delivery_id == place[0] for receipt in receipts(lake, table)):
        raise UserError(f"delivery {place[0]} is not in force for {table}", remedy=f"`carbonlake quarantine show {table}`")
    if not _there(lake, table, place, "part-*"):
        malformed = _there(lake, table, place, "rejected")
        if not malformed or decision != "discard":
            what = "could not be taken apart, so nothing of it can be mended here" if malformed else "is not there"
            raise UserError(f"row {place[0]}:{place[1]} {what}", where=table,
                            remedy="discard it, or land the delivery again as it should be" if malformed else
                                   f"`carbonlake quarantine show {table}` lists rows")  # fmt: skip
    headers = {header for name, column in one.columns.items() for header in _headers(name, column.from_)}
    headers |= {of_row.column for column in one.columns.values() if (of_row := unit_column(column))}
    unknown = sorted(set(values) - headers)
    if unknown:
        raise UserError(f"{', '.join(unknown)}: no such header", where=one.file, remedy=f"headers: {', '.join(sorted(headers))}")
    row = {"table_name": table, "delivery_id": place[0], "locator": place[1], "decision": decision, "person": person,
           "values": json.dumps(values, ensure_ascii=False), "note": note, "decided_at": datetime.now(UTC)}  # fmt: skip
    ops = contract(TABLE)
    append_rows(lake, ops, pa.Table.from_pylist([row], schema=arrow_schema(ops)), new_run())


def _there(lake: Lake, table: str, place: tuple[int, str], parts: str) -> bool:
    """Tell whether a delivery as read has a row at a place."""
    folder = reading(lake, table, place[0])
    if not list(folder.glob(f"{parts}.parquet")):
        return False
    pattern = str(folder / f"{parts}.parquet")
    with duckdb.connect() as connection:
        sql = f"select 1 from read_parquet(?) where {DELIVERY} = ? and cast({LOCATOR} as varchar) = ? limit 1"
        return connection.execute(sql, [pattern, *place]).fetchone() is not None


def _headers(name: str, given: str | list[str] | None) -> list[str]:
    return [name] if given is None else [given] if isinstance(given, str) else given
