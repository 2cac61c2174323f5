"""What is told twice of a subject, period and activity; which telling stands, and what is taken out again."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from layers.heads import HEADS, enterprise, park
from layers.history import of_the_day, states
from layers.numbers import fits, fix, to_double
from layers.thematic._settling import STATE, by_grain, by_part, by_rank, with_what_it_takes_back
from layers.thematic._tellings import TELLING, Tellings

COLUMNS = ("activity_id", "subject_id", "period_start", "date", "grain", "activity_code", "quantity", "unit", "source_table",
           "delivery_id", "locator", "stands_table", "stands_grain", "stands_subject_id", "stands_quantity",
           "compared_grain", "difference_percent", "remainder", "settled_by")  # fmt: skip
COMPARED = ("rank", "equal", "nobody", "finer", "parts")  # both may tell of the same time from end to end


def transform(sources: dict[str, DataFrame], subject: DataFrame) -> DataFrame:
    """Return every activity that does not stand, with its quantity turned round, so that sources and these add up.

    Of several tables at one grain the lowest declared `rank` stands; of several grains the finer ones, where they cover
    the coarser period from end to end, else the coarser; of a whole and its parts the parts, on the same condition.
    """
    tellings = Tellings(sources, subject)
    settled = _headed(by_grain(by_rank(tellings.sums()), tellings.grains), subject)
    for head in HEADS:
        settled = by_part(settled, head, tellings.grains)
    settled = with_what_it_takes_back(settled, tellings.grains)
    lost = settled.withColumnRenamed("date", "first").where(F.col("lost"))
    lost = lost.select(*(F.col(name).alias(f"l_{name}") for name in TELLING), *STATE)
    rows = tellings.rows
    same = reduce(lambda a, b: a & b, [rows[name] == F.col(f"l_{name}") for name in TELLING])
    found = F.broadcast(lost).join(rows, same, "inner").withColumns({"difference_percent": _percent(), "remainder": _remainder()})
    zero = F.lit(0).cast("decimal(28,6)")
    return found.withColumn("quantity", (zero - F.col("quantity")).cast("decimal(28,6)")).select(*COLUMNS)


def _headed(rows: DataFrame, subject: DataFrame) -> DataFrame:
    """Add whose part a subject was on the day: HEADS, NULL where it was nobody's."""
    known = subject.select("subject_id", "valid_from", "valid_to", enterprise(), park(subject))
    on = of_the_day(rows["subject_id"], rows["date"], "s")
    joined = F.broadcast(states(known, "s")).join(rows, on, "right")
    return joined.select(*rows.columns, *(F.col(f"s_{head}").alias(head) for head in HEADS))


def _percent() -> Column:
    """By how much what falls is above what stands; none where it tells only of a part of the period, and of no more."""
    told, stands = to_double(F.col("told_there")), to_double(F.col("stands_quantity"))
    same = F.col("settled_by").isin(*COMPARED) & F.col("entire")
    comparable = same | (F.col("told_there") > F.col("stands_quantity"))
    percent = (told - stands) / stands * F.lit(100.0)
    return F.when((F.col("stands_quantity") != 0) & comparable & fits(percent), fix(percent))


def _remainder() -> Column:
    """What a whole told beyond its parts, and beyond the remainders of wholes within it, on the first of its rows in a period."""
    of_whole = F.when((F.col("settled_by") == "parts") & F.col("stood"), F.lit(1)).otherwise(F.lit(0))
    nth = F.row_number().over(Window.partitionBy("subject_id", "activity_code", "block", of_whole).orderBy("activity_id"))
    more = (F.col("told_there") - F.col("stands_quantity") - F.col("nested")).cast("decimal(28,6)")
    return F.when((of_whole == 1) & (nth == 1) & (more > 0), more)
