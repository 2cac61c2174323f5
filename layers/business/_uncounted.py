"""What was told twice and counts nowhere: sources that differ, and what a whole told beyond its parts."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from layers.business._places import dated


def uncounted(overlap: DataFrame, subject: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Return a row of business.unresolved for each period that nobody settled, and for each remainder of a whole."""
    found = _differing(overlap).unionByName(_waiting(overlap)).unionByName(_remainders(overlap))
    empty = {"method_id": F.lit(""), "lacking": F.lit(None).cast("string"), "missing_periods": F.lit(None).cast("int"),
             "region_code": F.lit(None).cast("string")}  # fmt: skip
    return dated(found, subject).withColumns(empty).select(*columns)


def _differing(overlap: DataFrame) -> DataFrame:
    """Of sources that differ none counts: the largest figure is at stake, so that the total says that it may lack as much."""
    same = ("subject_id", "activity_code", "grain", "date", "hour")
    hour = F.when(F.col("grain") == "hour", F.col("period_start"))  # longer ones are of one day, whatever the time zone
    told = overlap.where("settled_by = 'nobody'").withColumn("hour", hour).groupBy(*same, "source_table", "unit").agg(
        F.sum("quantity").cast("decimal(28,6)").alias("less"), F.min("activity_id").alias("activity_id"))  # fmt: skip
    group = Window.partitionBy(*same)
    texts = [of(_figure()).over(group) for of in (F.min, F.max)]
    nth = F.row_number().over(group.orderBy("less", "activity_id"))
    first = told.select("*", nth.alias("nth"), texts[0].alias("one"), texts[1].alias("other")).where("nth = 1")
    remedy = F.concat(F.col("one"), F.lit(", "), F.col("other"),
                      F.lit(": give one a higher `rank` in its contract, or withdraw the delivery that is wrong"))  # fmt: skip
    quantity = (F.lit(0).cast("decimal(28,6)") - F.col("less")).cast("decimal(28,6)")
    return _rows(first, "sources_differ", quantity, remedy)


def _waiting(overlap: DataFrame) -> DataFrame:
    """What takes back a figure that waits, waits with it: the whole of it is at stake, and no total is less by it alone."""
    remedy = F.concat(F.lit("it takes back what another activity counts, whose sources differ: settle that row "),
                      F.lit("`sources_differ` of "), F.col("subject_id"), F.lit(", or of a part of it"))  # fmt: skip
    quantity = (F.lit(0).cast("decimal(28,6)") - F.col("quantity")).cast("decimal(28,6)")
    return _rows(overlap.where("settled_by = 'waits'"), "sources_differ", quantity, remedy)


def _figure() -> Column:
    amount = (F.lit(0).cast("decimal(28,6)") - F.col("less")).cast("decimal(28,6)")
    return F.concat(F.col("source_table"), F.lit(" tells "), amount.cast("string"), F.lit(" "), F.col("unit"))


def _remainders(overlap: DataFrame) -> DataFrame:
    remedy = F.concat(
        F.lit("parts of "), F.col("subject_id"), F.lit(" tell "), F.col("stands_quantity").cast("string"), F.lit(" "),
        F.col("unit"), F.lit(": deliver what the other parts tell, withdraw what they told, or say `beside: true` in "),
        F.col("source_table"), F.lit(" where it is no sum of theirs"),
    )  # fmt: skip
    return _rows(overlap.where("remainder is not null"), "remainder", F.col("remainder"), remedy)


def _rows(frame: DataFrame, reason: str, quantity: Column, suggestion: Column) -> DataFrame:
    return frame.select(
        "activity_id", F.lit(reason).alias("reason"), suggestion.alias("suggestion"), "subject_id", "date", "grain",
        "activity_code", quantity.alias("quantity"), "unit",
    )  # fmt: skip
