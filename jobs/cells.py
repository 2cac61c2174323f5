"""Where a trace ends: the delivery of a cleaned row, its file and place, with the values as found."""

from __future__ import annotations

from typing import Any

from jobs.clean import DELIVERY, LOCATOR, headers
from jobs.deliveries import reading
from jobs.tracing import SHOWN, Row, Step, Way, shown
from schemas.contract import Contract

DELIVERIES = "raw.delivery"


def cell(way: Way, contract: Contract, row: Row) -> Step:
    """Resolve a cleaned row to its delivery, file and place, with the values as found."""
    place = (contract.table, row[DELIVERY], row[LOCATOR])
    if place not in way.cells:
        way.cells[place] = _raw(way, contract, row[DELIVERY], row[LOCATOR])
    return Step(contract.table, shown(contract, row), "", (way.cells[place],))


def _raw(way: Way, contract: Contract, delivery: int, locator: Any) -> Step:
    receipt = _receipt(way, delivery)
    grade = way.integrity.get((contract.table, delivery), "")
    guarded = {"integrity": grade} if grade else {}
    where = {"file": receipt["name"], "place": _place(contract, locator)}
    told = f"delivery {delivery}, sha256 {receipt['sha256'][:12]}, {receipt['publisher']}, {receipt['licence']}"
    return Step("delivery", {**where, **guarded, **_as_found(way, contract, delivery, locator)}, told)


def _receipt(way: Way, delivery: int) -> Row:
    """Return what the receipt of a delivery says, in force or not."""
    text = "select name, sha256, publisher, licence"
    head = way.head(DELIVERIES)
    view = way.view(DELIVERIES, int(head.version())) if head else ""
    found = way.rows(f"{text} from {view} where delivery_id = ? limit 1", [delivery]) if head else []
    return found[0] if found else {"name": "?", "sha256": "", "publisher": "", "licence": ""}


def _place(contract: Contract, locator: Any) -> str:
    if contract.source and contract.source.form and isinstance(locator, int):
        return f"form entry row {locator - 1}, line {locator}"
    kind = "line" if contract.source and contract.source.format == "csv" else "cell"
    return f"{kind} {locator}" if isinstance(locator, int) else str(locator)


def _as_found(way: Way, contract: Contract, delivery: int, locator: Any) -> dict[str, Any]:
    folder = reading(way.lake, contract.table, delivery, way.receipts)
    files = sorted(str(path) for path in folder.glob("part-*.parquet"))
    if not files:
        return {}
    rows = way.rows(f"select * from read_parquet(?) where {DELIVERY} = ? and {LOCATOR} = ? limit 1", [files, delivery, locator])
    used = {header for name, column in contract.columns.items() for header in headers(column, name)}
    found = {name: value for name, value in (rows[0] if rows else {}).items() if not name.startswith("_") and value is not None}
    named = {name: value for name, value in found.items() if name in used} or found
    return dict(list(named.items())[:SHOWN])
