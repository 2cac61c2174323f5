"""Months, quarters and years that a subject did not report, between two that it did."""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

MONTHS = {"month": 1, "quarter": 3, "year": 12}  # in a period of each grain; days and hours have gaps of their own rules


def gaps(activity: DataFrame) -> DataFrame:
    """Return one row per gap: the first missing period, how many are missing, and how much was done on both sides of it."""
    by = ("subject_id", "activity_code", "unit", "grain")
    told = activity.where(F.col("grain").isin(*MONTHS)).groupBy(*by, "date").agg(F.sum("quantity").alias("_sum"))
    order = Window.partitionBy(*by).orderBy("date")
    amount = F.col("_sum").cast("decimal(28,6)")
    sides = told.select(*by, "date", amount.alias("before"), F.lead("date").over(order).alias("_to"),
                        F.lead(amount).over(order).alias("after"))  # fmt: skip
    first = _by_grain(lambda months: F.add_months(F.col("date"), months))
    between = F.months_between("_to", first)
    missing = _by_grain(lambda months: F.round(between / F.lit(float(months))).cast("int"))
    found = sides.select(*by, first.alias("date"), (F.col("before") + F.col("after")).cast("decimal(28,6)").alias("quantity"),
                         missing.alias("missing_periods"))  # fmt: skip
    return found.where("missing_periods > 0")


def _by_grain(value: Callable[[int], Column]) -> Column:
    return F.coalesce(*(F.when(F.col("grain") == grain, value(months)) for grain, months in MONTHS.items()))
