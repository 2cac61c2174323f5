"""Activity as cleaned tables declare it: one shape for all, and which tables may tell of the same."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from schemas.contract import Activity, Contract
from schemas.contracts import contract

Named = tuple[str, str]  # activity code, grain


def rivals(tables: list[str]) -> dict[Named, list[str]]:
    """Return the activities of a grain that more than one of some tables declares: those may tell of the same."""
    found: dict[Named, list[str]] = {}
    for table in sorted(tables):
        for code, activity in contract(table).activity.items():
            found.setdefault((code, activity.grain), []).append(table)
    return {named: some for named, some in found.items() if len(some) > 1}


def part(one: Contract, code: str, activity: Activity, frame: DataFrame) -> DataFrame:
    """Return one row per value of a measure that a cleaned table declares as activity."""
    rows = frame.where(F.expr(activity.only)) if activity.only else frame
    start, day = _period(one, activity.start)
    return rows.where(F.col(activity.quantity).isNotNull()).select(
        F.concat_ws("|", F.lit(one.name), *(_text(one, name) for name in one.key), F.lit(code)).alias("activity_id"),
        F.col(activity.subject).alias("subject_id"),
        start.alias("period_start"),
        day.alias("date"),
        F.lit(activity.grain).alias("grain"),
        F.lit(code).alias("activity_code"),
        F.col(activity.quantity).cast("decimal(28,6)").alias("quantity"),
        F.lit(one.columns[activity.quantity].unit).alias("unit"),
        F.lit(activity.grade).alias("data_grade"),
        F.lit(one.table).alias("source_table"),
        F.col("_delivery").alias("delivery_id"),
        F.col("_locator").cast("string").alias("locator"),
    )


def _period(one: Contract, name: str) -> tuple[Column, Column]:
    """The instant (UTC) and the day (of the source's time zone) at which the period starts."""
    zone = one.source.timezone if one.source else "UTC"
    column = F.col(name)
    if one.columns[name].type == "date":
        return F.to_utc_timestamp(column.cast("timestamp"), zone), column
    return column, F.to_date(F.from_utc_timestamp(column, zone))


def _text(one: Contract, name: str) -> Column:
    column = F.col(name)
    return F.date_format(column, "yyyyMMdd'T'HHmm") if one.columns[name].type == "timestamp" else column.cast("string")
