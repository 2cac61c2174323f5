"""Activity at every level and grain, each in its own unit: electricity used and generated, fuel burnt, products made."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.business._levels import rolled
from layers.business._places import dated, placed
from layers.business._sums import again, counted

DETAIL = ("activity_code", "unit")
COUNTS = ("rows", "quarter_rows", "year_rows")


def transform(activity: DataFrame, subject: DataFrame) -> DataFrame:
    """Return sums by grain, period, level and member; quantities of one activity add up, those of two never do.

    Days come of rows of hours and days alone; a row beyond a month counts in the month in which it starts.
    """
    rows = dated(activity, subject)
    sums = {"day": _sums(rows.where("grain in ('hour', 'day')"), F.col("date")), "month": _sums(rows, F.trunc("date", "month"))}
    fine = {name: placed(one, subject) for name, one in sums.items()}
    found = rolled(fine, DETAIL, again("quantity") + again(*COUNTS, type_="decimal(19,0)"))
    both, year = F.col("quarter_rows") + F.col("year_rows"), F.col("year_rows")
    longer = [F.when(F.col("grain") == grain, n.cast("decimal(30,0)")) for grain, n in (("month", both), ("quarter", year))]
    coarser = F.coalesce(*longer, F.lit(0).cast("decimal(30,0)")).alias("coarser_rows")
    return found.select("grain", "period", "level", "member", *DETAIL, "quantity", "rows", coarser)


def _sums(activity: DataFrame, period: Column) -> DataFrame:
    longer = [counted(F.col("grain") == grain, f"{grain}_rows") for grain in ("quarter", "year")]
    rows = activity.select("*", period.alias("period"))
    return rows.groupBy("subject_id", "subject_from", "period", *DETAIL).agg(
        F.sum("quantity").alias("quantity"), F.count(F.lit(1)).alias("rows"), *longer
    )
