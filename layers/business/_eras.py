"""Eras: spans of days within which neither a factor nor a method begins or ends, so that one choice serves all of them."""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers import constants
from models.method import methods

FIRST = "0001-01-01"  # the era before anything begins


def eras(activity: DataFrame, factor: DataFrame) -> DataFrame:
    """Return `e_date` → `era`, the first day of its era, for every day of activity.

    What holds on a day holds on the first day of its era: an era begins wherever a factor or a method does, and on the
    day after one ends. Days are few, whatever the data.
    """
    rows = [{"begins": day} for day in sorted(_begins())]
    ends = F.date_add(F.col("valid_to"), 1)
    begins = constants.table(factor, rows, {"begins": "date"}).unionByName(factor.select(F.col("valid_from").alias("begins")))
    begins = begins.unionByName(factor.select(ends.alias("begins"))).where("begins is not null").groupBy("begins").agg(
        F.count(F.lit(1)).alias("_rows"))  # fmt: skip
    days = activity.groupBy(F.col("date").alias("e_date")).agg(F.count(F.lit(1)).alias("_days")).select("e_date")
    return F.broadcast(begins.select("begins")).join(days, F.col("begins") <= F.col("e_date")).groupBy("e_date").agg(
        F.max("begins").alias("era"))  # fmt: skip


def _begins() -> set[str]:
    known = methods().values()
    after = {str(one.valid_to + timedelta(days=1)) for one in known if one.valid_to and one.valid_to < date.max}
    return {FIRST, *(str(one.valid_from) for one in known), *after}
