"""Local times become instants: the short way and the zone's table agree at every change of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import functions as F

from jobs.zones import quick, steady, to_utc


@pytest.mark.parametrize(
    ("zone", "year", "hours"),
    [("Asia/Shanghai", 1992, 8.0), ("Asia/Kolkata", 1946, 5.5), ("Etc/GMT+8", 1900, -8.0), ("UTC", 1900, 0.0)],
)
def test_the_year_from_which_a_zone_keeps_its_offset(zone: str, year: int, hours: float) -> None:
    assert steady(zone) == (year, timedelta(hours=hours))


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Asia/Kolkata", "Etc/GMT+8", "Europe/Berlin", "America/Sao_Paulo"])
def test_the_short_way_gives_what_the_zone_says(spark: Any, zone: str) -> None:
    # A day before and after each change of the year, and the summers of 1986 to 1991 in China.
    days = [datetime(year, month, 15, 10) for year in range(1950, 2030) for month in (1, 7)]
    days += [datetime(year, 1, 1) + timedelta(hours=step) for year in (1946, 1992, 2020) for step in (-9, -1, 0, 1, 9)]
    frame = spark.createDataFrame([(str(day),) for day in days], "t string")
    rows = frame.select("t", to_utc(F.col("t").cast("timestamp"), zone).cast("string").alias("utc")).collect()
    found = {row["t"]: row["utc"] for row in rows}
    expected = {str(day): day.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") for day in days}
    assert found == expected


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Asia/Kolkata", "Etc/GMT+8", "Europe/Berlin"])
def test_the_short_way_back_gives_what_the_zone_says(spark: Any, zone: str) -> None:
    instants = [datetime(year, month, 15, 10) for year in range(1950, 2030) for month in (1, 7)]
    instants += [datetime(year, 1, 1) + timedelta(hours=step) for year in (1946, 1992) for step in (-9, -1, 0, 1, 9, 30)]
    frame = spark.createDataFrame([(str(one),) for one in instants], "t string").withColumn("t", F.col("t").cast("timestamp"))
    sql = quick(f"FROM_UTC_TIMESTAMP( t , '{zone}')")
    assert "interval" in sql
    rows = frame.select(F.col("t").cast("string"), F.expr(sql).cast("string").alias("local")).collect()
    found = {row["t"]: row["local"] for row in rows}
    assert found == {
        str(one): one.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S") for one in instants
    }


@pytest.mark.parametrize(("zone", "skipped", "twice", "fine"), [
    ("Europe/Berlin", "2024-03-31 02:30:00", "2024-10-27 02:30:00", ["2024-03-31 01:59:59", "2024-03-31 03:00:00",
                                                                   "2024-10-27 01:59:59", "2024-10-27 03:00:00"]),
    ("Australia/Lord_Howe", "2024-10-06 02:15:00", "2024-04-07 01:45:00", ["2024-10-06 02:30:00", "2024-04-07 02:00:00"]),
    ("Asia/Shanghai", "1988-04-17 02:30:00", "1988-09-11 01:30:00", ["1988-04-17 03:00:00", "1988-09-11 02:00:00"]),
])  # fmt: skip
def test_a_local_time_that_was_skipped_or_came_twice_is_no_instant(
    spark: Any, zone: str, skipped: str, twice: str, fine: list[str]
) -> None:
    frame = spark.createDataFrame([(text,) for text in (skipped, twice, *fine)], "t string")
    rows = frame.select("t", to_utc(F.col("t").cast("timestamp"), zone).alias("utc")).where("utc is null").collect()
    assert {row["t"] for row in rows} == {skipped, twice}
