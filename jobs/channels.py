"""How each source is: when it last gave something, how that compares with what it gave before, and what went wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import pyarrow as pa

from jobs import differences, land, relation, sources
from jobs.commit import append_rows, last_commit
from jobs.fetch.log import FAILED as IN_VAIN
from jobs.fetch.log import TABLE as FETCHES
from jobs.lake import Lake, arrow_schema
from jobs.land import Receipt
from jobs.outcome import new_run
from jobs.sources import ACTIVE, REGISTERED, Standing
from jobs.state import RECENT, set_aside
from schemas.ages import age
from schemas.contract import Contract
from schemas.contracts import contract
from schemas.fetch import STREAMS

TABLE = "ops.channel"
BROUGHT = "brought"
FEWEST, MOST = 5, 100  # deliveries that the newest is compared with
FAR = 3.5  # modified z-score: Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993
SPREAD = 0.05  # of the median: less than this is never far, where deliveries are all but the same
NORMAL = 1.4826  # MAD of a normal distribution with standard deviation 1
# In this order: of two that hold, the first is told.
OK, NOTHING, LATE, FAILING, DIFFERS, UNUSUAL = "ok", "nothing yet", "late", "failing", "differs", "unusual"
WRONG = (FAILING, LATE, DIFFERS, UNUSUAL)


@dataclass(frozen=True)
class Volume:
    """A figure of the newest delivery, the median of those before it, and how far it is from them; None where unknown."""

    newest: int | None = None
    usual: float | None = None
    score: float | None = None
    before: int = 0

    @property
    def far(self) -> bool:
        """Whether it is so far from the others that somebody should look."""
        return self.score is not None and abs(self.score) > FAR

    def told(self, what: str) -> str:
        """Say how it compares."""
        if self.newest is None:
            return f"{what} are not known yet"
        if self.usual is None:
            return f"{self.newest:,} {what}; {self.before} deliveries before it are too few to compare with, {FEWEST} are needed"
        return f"{self.newest:,} {what}, usually {self.usual:,.0f}"


@dataclass(frozen=True)
class Channel:
    """A source at an instant."""

    table: str
    kind: str
    standing: Standing
    health: str = OK
    why: str = ""
    last: Receipt | None = None
    due_at: datetime | None = None
    lag_s: float | None = None
    deliveries: int = 0
    rows: Volume = field(default_factory=Volume)
    bytes: Volume = field(default_factory=Volume)
    fetches: int = 0
    fetches_failed: int = 0
    last_failure: str = ""
    rows_read: int = 0
    rows_set_aside: int = 0
    differences: int = 0
    behind: int | None = None
    messages: int = 0

    @property
    def wrong(self) -> bool:
        """Whether somebody should look."""
        return self.health in WRONG


@dataclass(frozen=True)
class _Records:
    """What the lake has recorded of its sources."""

    receipts: Mapping[str, Sequence[Receipt]]
    readings: Mapping[tuple[str, int], int]
    fetches: Mapping[str, Mapping[str, Any]]
    standings: Mapping[str, Standing]
    registered: Mapping[str, datetime]
    differences: Mapping[str, int]


def channels(lake: Lake, now: datetime, tables: Sequence[str] = ()) -> list[Channel]:
    """Return every source, or those that are named, as it is at an instant. Raise UserError where there is no lake."""
    lake.require()
    records = _records(lake, now)
    wanted = [sources.source(table).table for table in tables]
    return [_channel(lake, one, records, now) for table, one in sources.sources().items() if not wanted or table in wanted]


def keep(lake: Lake, found: Sequence[Channel], now: datetime) -> None:
    """Write how sources are, one row each, so that SQL can ask how they were."""
    rows = [{"source_table": one.table, "measured_at": now, "state": one.standing.state, "size_bytes": one.bytes.newest,
             "last_delivery_at": one.last.received_at if one.last else None, "rows": one.rows.newest,
             "usual_rows": one.rows.usual, "rows_score": one.rows.score, "usual_bytes": one.bytes.usual,
             "bytes_score": one.bytes.score, **_plain(one)} for one in found]  # fmt: skip
    ops = contract(TABLE)
    append_rows(lake, ops, pa.Table.from_pylist(rows, schema=arrow_schema(ops)), new_run())


def _plain(one: Channel) -> dict[str, Any]:
    names = ("kind", "health", "why", "due_at", "lag_s", "deliveries", "fetches", "fetches_failed", "rows_read",
             "rows_set_aside", "differences", "behind", "messages")  # fmt: skip
    return {name: value for name, value in asdict(one).items() if name in names}


def volume(figures: Sequence[int | None]) -> Volume:
    """Compare the newest figure, which is the last, with those before it, by their median and MAD."""
    if not figures or figures[-1] is None:
        return Volume()
    newest, before = figures[-1], [one for one in figures[:-1] if one is not None][-MOST:]
    if len(before) < FEWEST:
        return Volume(newest, before=len(before))
    usual = float(median(before))
    spread = max(NORMAL * float(median(abs(one - usual) for one in before)), SPREAD * abs(usual), 1.0)
    return Volume(newest, usual, (newest - usual) / spread, len(before))


def due(one: Contract, last: Receipt | None, registered: datetime | None) -> datetime | None:
    """Return when a source is late: `freshness` behind its newest delivery or, where none came, behind its registration."""
    since = last.received_at if last else registered
    return since + age(one.freshness) if one.freshness and since else None


def _records(lake: Lake, now: datetime) -> _Records:
    receipts: dict[str, list[Receipt]] = {}
    for receipt in land.receipts(lake):
        receipts.setdefault(receipt.source, []).append(receipt)
    history = sources.history(lake)
    registered = {row["source_table"]: row["decided_at"] for row in reversed(history) if row["decision"] in (REGISTERED, ACTIVE)}
    return _Records(receipts, _readings(lake), _fetches(lake, now - RECENT), sources.standings(lake), registered,
                    differences.standing(lake))  # fmt: skip


def _readings(lake: Lake) -> dict[tuple[str, int], int]:
    """Return of each delivery that a table read how many rows it has, malformed ones among them."""
    rows = _asked(lake, "ops.reading", """
        select table_name, delivery_id, max_by(rows + rejected, read_at) from {} group by all""")  # fmt: skip
    return {(table, number): rows or 0 for table, number, rows in rows}


def _fetches(lake: Lake, since: datetime) -> dict[str, dict[str, Any]]:
    rows = _asked(lake, FETCHES, """
        select source_table, count(*), count(*) filter (status = ?), arg_max(status, started_at), arg_max(reason, started_at)
        from {} where started_at >= ? group by all""", IN_VAIN, since)  # fmt: skip
    return {table: {"asked": asked, "failed": failed, "last": last, "reason": reason or ""}
            for table, asked, failed, last, reason in rows}  # fmt: skip


def _asked(lake: Lake, table: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
    head = lake.open(table)
    if head is None:
        return []
    with relation.connect(lake.root, lake.storage_options) as duck:
        return duck.execute(sql.format(f"({relation.relation_sql(head)})"), list(values)).fetchall()


def _channel(lake: Lake, one: Contract, records: _Records, now: datetime) -> Channel:
    assert one.source
    receipts = records.receipts.get(one.table, ())
    stands, fetches = records.standings.get(one.table, Standing()), records.fetches.get(one.table, {})
    last = receipts[-1] if receipts else None
    declared = [json.loads(receipt.declared) if receipt.declared else {} for receipt in receipts]
    read = [records.readings.get((one.table, receipt.delivery_id)) for receipt in receipts]
    counts = [_rows(found, said) for found, said in zip(read, declared, strict=True)]
    head = lake.open(one.table)
    made = Channel(
        one.table, one.source.fetch.by if one.source.fetch else BROUGHT, stands, last=last,
        due_at=due(one, last, records.registered.get(one.table)) if stands.state == ACTIVE else None,
        lag_s=(now - last.received_at).total_seconds() if last else None, deliveries=len(receipts), rows=volume(counts),
        bytes=volume([receipt.size_bytes for receipt in receipts]), fetches=fetches.get("asked", 0),
        fetches_failed=fetches.get("failed", 0), last_failure=fetches["reason"] if fetches.get("last") == IN_VAIN else "",
        rows_read=sum(found or 0 for found in read), differences=records.differences.get(one.table, 0),
        rows_set_aside=set_aside(lake, one, last_commit(head) if head else {}),
        behind=next((said["behind"] for said in declared[-1:] if "behind" in said), None),
        messages=sum(number or 0 for number in counts),
    )  # fmt: skip
    health, why = _health(made, now)
    return Channel(**{**vars(made), "health": health, "why": why})


def _rows(read: int | None, declared: Mapping[str, Any]) -> int | None:
    said = declared.get("rows")
    return read if read is not None else said if isinstance(said, int) else None


def _health(one: Channel, now: datetime) -> tuple[str, str]:
    """Return how a source is, and what that is told from."""
    if one.standing.state != ACTIVE:
        return one.standing.state, f"by {one.standing.person}: {one.standing.note}"
    if one.last_failure:
        return FAILING, " ".join(one.last_failure.split())
    if one.due_at and one.due_at < now:
        return LATE, f"due {one.due_at:%Y-%m-%d %H:%M} UTC, {_span(now - one.due_at)} ago"
    if one.differences:
        return DIFFERS, f"{one.differences} figures are not what the source declared: `carbonlake sources reconcile {one.table}`"
    # Batches of a stream are as large as the moment makes them.
    far = [figure.told(what) for figure, what in ((one.rows, "rows"), (one.bytes, "bytes")) if figure.far]
    if far and one.kind not in STREAMS:
        return UNUSUAL, "; ".join(far)
    return (OK, one.rows.told("rows")) if one.last else (NOTHING, "no delivery has come")


def _span(span: timedelta) -> str:
    """Say a time as people do, in its largest unit."""
    seconds = span.total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
