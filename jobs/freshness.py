"""Whether a table is as fresh as its contract wants it: by its newest delivery, or by its newest build."""

from __future__ import annotations

from datetime import datetime

from jobs.deltalog import last_commit, moment
from jobs.lake import Lake
from jobs.land import receipts
from jobs.sources import ACTIVE, standing
from schemas.ages import age
from schemas.contracts import contract

NOTHING = "stale: nothing has come"


def freshness(lake: Lake, table: str, now: datetime) -> str:
    """Say whether a table is fresh or stale at an instant, and since when; empty where its contract does not ask."""
    one = contract(table)
    if not one.freshness:
        return ""
    if one.source and (now_is := standing(lake, table)).state != ACTIVE:
        return str(now_is)
    then = _newest(lake, table)
    if then is None:
        return f"{NOTHING}, wanted every {one.freshness}"
    state = "stale" if now - then > age(one.freshness) else "fresh"
    return f"{state}: newest of {then:%Y-%m-%d %H:%M} UTC, wanted every {one.freshness}"


def _newest(lake: Lake, table: str) -> datetime | None:
    """Return when the newest delivery in force came or, of a derived table, when it was built."""
    if contract(table).source:
        return max((receipt.received_at for receipt in receipts(lake, table)), default=None)
    head = lake.open(table)
    built = last_commit(head).get("version") if head else None
    return moment(head, built) if head and built is not None else None
