"""Whether a source may be asked at an instant: not while it is paused or retired, nor outside its hours, nor too often."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from jobs import sources
from jobs.fetch.log import asked
from jobs.lake import Lake
from schemas.ages import age
from schemas.contract import Source


def not_now(lake: Lake, table: str, now: datetime) -> str:
    """Say why a source is left alone at an instant; empty where it may be asked."""
    one = sources.source(table)
    held = sources.standing(lake, one.table)
    if held.state != sources.ACTIVE:
        return f"{held}; `carbonlake sources resume {one.table} --why …` takes it up again"
    assert one.source
    how = one.source.fetch
    return _closed(one.source, now) or _too_early(lake, one.table, str(getattr(how, "every", "")), now)


def opens(source: Source, now: datetime) -> bool:
    """Tell whether an instant is within the hours in which a source may be asked."""
    window = str(getattr(source.fetch, "window", ""))
    if not window:
        return True
    first, last = (time.fromisoformat(text) for text in window.split("-"))
    here = now.astimezone(ZoneInfo(source.timezone)).time()
    return first <= here < last if first < last else here >= first or here < last


def _closed(source: Source, now: datetime) -> str:
    if opens(source, now):
        return ""
    here = now.astimezone(ZoneInfo(source.timezone))
    return (f"its contract lets it be asked at {getattr(source.fetch, 'window', '')} {source.timezone}, and it is {here:%H:%M} "
            "there; `--now` asks all the same")  # fmt: skip


def _too_early(lake: Lake, table: str, every: str, now: datetime) -> str:
    """Say that the last time is not long enough ago; one that failed does not count, as nothing was taken."""
    if not every:
        return ""
    last = max((row["started_at"] for row in asked(lake, f"source_table = '{table}' and status <> 'failed'")), default=None)
    if last is None or now - last >= age(every):
        return ""
    again = last + age(every)
    return f"its contract lets it be asked once in {every}, so next at {again:%Y-%m-%d %H:%M} UTC; `--now` asks all the same"
