"""Which versions of tables are still needed: what current figures were made from, and what retention asks for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from deltalake import DeltaTable

from jobs import deltalog, query
from schemas.contracts import contracts
from schemas.errors import UserError

# Layers of what happened: written to, never made from other tables, so that their log names no inputs.
RECORDS = ("raw", "ops")
RETENTION = timedelta(days=30)
UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def kept_versions(tables: Mapping[str, DeltaTable], now: datetime, keep: Mapping[str, set[int]]) -> dict[str, set[int]]:
    """Return the versions of each of all tables that must stay readable: asked for, current, young, or inputs of such."""
    needed: dict[str, set[int]] = {}
    open_ = [(name, version) for name, table in tables.items() for version in _young(table, name, now)]
    open_ += [(name, version) for name, versions in keep.items() for version in versions]
    while open_:
        name, version = open_.pop()
        if version in needed.setdefault(name, set()):
            continue
        needed[name].add(version)
        if name in tables and name.split(".")[0] not in (*RECORDS, query.QUARANTINE):
            open_ += [source for source in _made_from(tables[name], name, version) if source[0] in tables]
    return needed


def _young(table: DeltaTable, name: str, now: datetime) -> list[int]:
    """Return the versions that were current at some time within the retention, the newest always."""
    limit, newest = now - retention(name), int(table.version())

    def since(version: int) -> bool:
        made = deltalog.moment(table, version)
        return made is not None and made >= limit

    # Versions follow each other in time, so a few looks into the log find the first that is young.
    first = bisect_left(range(newest + 1), True, key=since)
    return list(range(max(first - 1, 0), newest + 1))


def _made_from(table: DeltaTable, name: str, version: int) -> list[tuple[str, int]]:
    """Return the versions of tables that a version was made from, and that of its quarantine; none if its log is gone."""
    note: Mapping[str, Any] = deltalog.last_commit(table, version)
    found = [(other, int(number)) for other, number in (note.get("inputs") or {}).items()]
    if note.get("quarantine_version") is not None:
        found.append((f"{query.QUARANTINE}.{name}", int(note["quarantine_version"])))
    return found


def retention(name: str) -> timedelta:
    """Return how long versions of a table are kept: as its contract says, or 30 days."""
    one = contracts().get(name.removeprefix(f"{query.QUARANTINE}."))
    if one is None or not one.retention:
        return RETENTION
    number, unit = one.retention[:-1], one.retention[-1:]
    if not number.isdigit() or unit not in UNITS:
        raise UserError(f"retention: {one.retention!r}", where=one.file, remedy="write it as 36h, 30d or 8w")
    return timedelta(**{UNITS[unit]: int(number)})
