"""From local time to UTC and back, without a look into the zone's table where its offset no longer changes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cache, reduce
from zoneinfo import ZoneInfo

from pyspark.sql import Column
from pyspark.sql import functions as F

WEEK = timedelta(days=7)
SET_BACK = (30, 60, 120)  # minutes that clocks were ever set back by at the end of a summer (Lord Howe, most, Troll)
LOCAL = re.compile(r"\bfrom_utc_timestamp\(\s*(\w+)\s*,\s*'([\w/+-]+)'\s*\)", re.IGNORECASE)


def to_utc(local: Column, zone: str) -> Column:
    """Return the instants of a column of local times; a difference takes a tenth of the time of a zone's table.

    Before the zone's offset became steady (China: 1992, after six summers of daylight saving time) the table decides.
    A local time that the clocks left out, or showed twice, names no instant: NULL.
    """
    year, offset = steady(zone)
    since = F.lit(f"{year}-01-01 00:00:00").cast("timestamp")
    shifted = local - F.expr(f"interval {int(offset.total_seconds())} seconds") if offset else local
    return F.when(local >= since, shifted).otherwise(_told(local, zone))


def _told(local: Column, zone: str) -> Column:
    """Return what the zone's table says; of a time that comes twice the engines take the earlier, so a later one is tried."""
    found = F.to_utc_timestamp(local, zone)
    again = [F.from_utc_timestamp(found + F.expr(f"interval {step} minutes"), zone) == local for step in SET_BACK]
    return F.when((F.from_utc_timestamp(found, zone) == local) & ~reduce(Column.__or__, again), found)


def quick(sql: str) -> str:
    """Return Spark SQL in which `from_utc_timestamp(column, 'zone')` adds a difference where the zone's offset is steady."""
    return LOCAL.sub(lambda found: _local(found[1], found[2]), sql)


def _local(column: str, zone: str) -> str:
    year, offset = steady(zone)
    # A day later than the local new year, so that it has come everywhere.
    since, seconds = f"timestamp'{year}-01-02 00:00:00'", int(offset.total_seconds())
    return (
        f"(case when {column} >= {since} then {column} + interval {seconds} seconds "
        f"else from_utc_timestamp({column}, '{zone}') end)"
    )


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
