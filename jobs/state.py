"""How a lake stands at an instant: each of its tables, what is set aside, under way, and due; read from the lake alone."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from deltalake import DeltaTable

from jobs import land, sources, store
from jobs.deltalog import last_commit, moment
from jobs.due import NEVER, due
from jobs.integrity import Grade, beneath, grades
from jobs.lake import Lake, alive, owner
from jobs.land import Receipt
from jobs.maintain import SMALL
from jobs.outcome import NO_DELIVERY
from jobs.past import Past, past
from schemas import graph
from schemas.ages import age
from schemas.contract import Contract
from schemas.contracts import contracts

RECENT = timedelta(days=30)
# In this order: of two that hold, the first is told.
STATES = FAILED, BUILDING, WAITING, STALE, EMPTY, FRESH = (
    "failed", "building", "waiting", "stale", "no delivery", "up to date",
)  # fmt: skip
# What is written as it happens is never built, so it is in none of them.
RECORD = ""
AT_ONCE = 8


@dataclass(frozen=True)
class Table:
    """A table: its state and why, its size and files, rows set aside, and its age against its limit, both in seconds.

    Of its deliveries in force, `graded` have a grade of integrity and `unchecked` no checksum; a table that is made from
    others rests on those of them that have unchecked ones.
    """

    name: str
    state: str
    why: str = ""
    version: int | None = None
    rows: int = 0
    size_bytes: int = 0
    files: int = 0
    small_files: int = 0
    quarantined: int = 0
    age: float | None = None
    limit: float | None = None
    due: bool = False
    unchecked: int = 0
    graded: int = 0
    rests_on: Sequence[str] = ()

    @property
    def stale(self) -> bool:
        """Whether it is older than its contract wants."""
        return self.limit is not None and (self.age is None or self.age > self.limit)


@dataclass(frozen=True)
class State:
    """A lake: its tables, its records, deliveries in force and unclaimed, and room left (None in an object store)."""

    tables: Sequence[Table]
    past: Past
    deliveries: int
    delivered_bytes: int
    unclaimed: int
    free_bytes: int | None


@dataclass(frozen=True)
class _Seen:
    """What the state of each table is told from."""

    lake: Lake
    now: datetime
    heads: Mapping[str, DeltaTable | None]
    receipts: Sequence[Receipt]
    newest: Mapping[str, Mapping[str, Any]]
    running: set[str]
    grades: Mapping[str, Grade]
    held: Mapping[str, sources.Standing]


def look(lake: Lake, now: datetime) -> State:
    """Return how a lake stands at an instant. Raise UserError where there is no lake."""
    lake.require()
    known = contracts()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        heads = dict(zip(known, pool.map(lake.open, known), strict=True))
    receipts = land.receipts(lake)
    remembered = past(lake, now - RECENT)
    seen = _Seen(lake, now, heads, receipts, remembered.newest, _running(lake), grades(lake, known, receipts),
                 sources.held(lake))  # fmt: skip
    # What is recorded as it happens is a table from its first record on.
    built = set(graph.built())
    tables = [_table(seen, one) for name, one in known.items() if name in built or heads[name]]
    free = None if store.is_remote(lake.root) else shutil.disk_usage(lake.folder).free
    size = sum({receipt.sha256: receipt.size_bytes for receipt in receipts}.values())
    return State(tables, remembered, len(receipts), size, len(land.unclaimed(lake)), free)


def _table(seen: _Seen, one: Contract) -> Table:
    head, receipts = seen.heads[one.table], [receipt for receipt in seen.receipts if receipt.source == one.reads]
    note = last_commit(head) if head else {}
    sizes = _sizes(head)
    then = _newest(one, head, note, receipts)
    found = Table(
        one.table, RECORD, version=int(head.version()) if head else None, rows=sum(rows for _, rows in sizes),
        size_bytes=sum(size for size, _ in sizes), files=len(sizes), small_files=sum(size < SMALL for size, _ in sizes),
        quarantined=set_aside(seen.lake, one, note), age=(seen.now - then).total_seconds() if then else None,
        # Nobody waits for a source that is paused or retired.
        limit=age(one.freshness).total_seconds() if one.freshness and one.reads not in seen.held else None,
        **_integrity(seen, one),
    )  # fmt: skip
    return found if one.recorded else _standing(seen, one, note, receipts, found)


def _standing(seen: _Seen, one: Contract, note: Mapping[str, Any], receipts: Sequence[Receipt], found: Table) -> Table:
    """Return a table with its state; of several that hold, the first of STATES."""
    empty = bool(one.source) and not receipts and not note.get("last_delivery")
    waits = "" if empty else due(seen.lake, one, note, receipts, seen.heads)
    lacking = [table for table in graph.upstream(one.table) if seen.heads.get(table) is None]
    newest = seen.newest.get(one.table, {})
    states = {
        # What failed and has nothing to be built any more, as after its delivery was withdrawn, is well again.
        FAILED: str(newest.get("reason") or "") if newest.get("status") == "failed" and waits else "",
        BUILDING: "now" if one.table in seen.running else "",
        WAITING: f"{waits}; its input {lacking[0]} is not there" if waits == NEVER and lacking else waits,
        STALE: f"wanted every {one.freshness}" if found.stale and not empty else "",
        EMPTY: NO_DELIVERY if empty else "",
    }
    state = next((name for name in STATES if states.get(name)), FRESH)
    return replace(found, state=state, why=states.get(state, ""), due=bool(waits))


def _integrity(seen: _Seen, one: Contract) -> dict[str, Any]:
    if own := seen.grades.get(one.table):
        return {"unchecked": own.unchecked, "graded": own.of}
    below = beneath([one.table]) if seen.heads[one.table] and not one.recorded else set()
    return {"rests_on": tuple(sorted(name for name in below if name in seen.grades and seen.grades[name].unchecked))}


def _newest(one: Contract, head: DeltaTable | None, note: Mapping[str, Any], receipts: Sequence[Receipt]) -> datetime | None:
    """Return when the newest delivery in force came or, of a derived table, when it was built."""
    if not one.freshness:
        return None
    if one.source:
        return max((receipt.received_at for receipt in receipts), default=None)
    return moment(head, int(note["version"])) if head and note else None


def _sizes(head: DeltaTable | None) -> list[tuple[int, int]]:
    """Return bytes and rows of each data file, as the log has them."""
    if head is None:
        return []
    found = head.get_add_actions()
    return list(
        zip(found.column("size_bytes").to_pylist(), (n or 0 for n in found.column("num_records").to_pylist()), strict=True)
    )


def set_aside(lake: Lake, one: Contract, note: Mapping[str, Any]) -> int:
    """Return the rows in the quarantine that belongs to a table as it stands."""
    version = note.get("quarantine_version")
    head = lake.open_path(lake.quarantine_path(one.table), version) if version is not None else None
    return sum(rows for _, rows in _sizes(head))


def _running(lake: Lake) -> set[str]:
    """Return the tables that a living process is at work on."""
    notes = [owner(folder) for folder in (lake.folder / "_staging").glob("*")]
    return {str(note["table"]) for note in notes if note and note.get("table") and alive(note)}
