"""What was done: every measure that a cleaned table declares as activity, in one long fact."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from schemas.contract import Activity, Contract
from schemas.contracts import contract


def transform(sources: dict[str, DataFrame]) -> DataFrame:
    """Return one row per measure with a value in each row of the tables that declare `activity:`.

    Rows without a value did not measure and are no activity of zero; all others come through, in their own unit.
    """
    parts = [
        _part(contract(table), code, activity, frame)
        for table, frame in sorted(sources.items())
        for code, activity in contract(table).activity.items()
    ]
    return reduce(DataFrame.unionByName, parts)


def _part(one: Contract, code: str, activity: Activity, frame: DataFrame) -> DataFrame:
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
