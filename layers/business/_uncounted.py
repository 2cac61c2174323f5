"""What was told twice and counts nowhere: sources that differ, and what a whole told beyond its parts."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from layers import constants
from layers.business._library import converted
from layers.business._places import dated
from layers.numbers import to_double
from models.method import methods

GRAINS = ("hour", "day", "month", "quarter", "year")  # from the finest


def uncounted(overlap: DataFrame, subject: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Return a row of business.unresolved for each period that nobody settled, and for each remainder of a whole."""
    found = _differing(overlap).unionByName(_waiting(overlap)).unionByName(_remainders(overlap))
    empty = {"method_id": F.lit(""), "lacking": F.lit(None).cast("string"), "missing_periods": F.lit(None).cast("int"),
             "region_code": F.lit(None).cast("string")}  # fmt: skip
    # Who the subject was is asked of the day of the row: of the whole period's first day nobody may say.
    return _whole(dated(found, subject)).withColumns(empty).select(*columns)


def _differing(overlap: DataFrame) -> DataFrame:
    """Of sources that differ none counts: the largest figure is at stake, so that the total says that it may lack as much."""
    same = ("subject_id", "activity_code", "grain", "date", "hour")
    hour = F.when(F.col("grain") == "hour", F.col("period_start"))  # longer ones are of one day, whatever the time zone
    told = overlap.where("settled_by = 'nobody'").withColumn("hour", hour).groupBy(*same, "source_table", "unit").agg(
        F.sum("quantity").cast("decimal(28,6)").alias("less"), F.min("activity_id").alias("activity_id"))  # fmt: skip
    group = Window.partitionBy(*same)
    texts = [of(_figure()).over(group) for of in (F.min, F.max)]
    one_unit = F.min("unit").over(group) == F.max("unit").over(group)
    sized = _sized(told).withColumn("compare", F.when(one_unit, to_double(F.col("less"))).otherwise(F.col("size")))
    known = F.min(F.when(F.col("compare").isNull(), F.lit(0)).otherwise(F.lit(1))).over(group)
    told = sized.withColumn("compare", F.when(known == 1, F.col("compare")))
    nth = F.row_number().over(group.orderBy("compare", "source_table", "activity_id"))
    first = told.select("*", nth.alias("nth"), texts[0].alias("one"), texts[1].alias("other")).where("nth = 1")
    apart = F.when(F.col("compare").isNull(), F.lit(" (in units that do not compare)")).otherwise(F.lit(""))
    remedy = F.concat(F.col("one"), F.lit(", "), F.col("other"), apart,
                      F.lit(": give one a higher `rank` in its contract, or withdraw the delivery that is wrong"))  # fmt: skip
    quantity = (F.lit(0).cast("decimal(28,6)") - F.col("less")).cast("decimal(28,6)")
    return _rows(first, "sources_differ", quantity, remedy)


def _sized(told: DataFrame) -> DataFrame:
    """Add `size`: the figure in the unit that a method wants of the activity; NULL where there is none, or none that converts."""
    wanted = {code: one.inputs[one.quantity].unit for one in methods().values() for code in one.activities}
    rows = [{"w_code": code, "w_unit": unit} for code, unit in sorted(wanted.items())]
    asked = constants.table(told, rows, dict.fromkeys(rows[0], "string"))
    joined = F.broadcast(asked).join(told, F.col("w_code") == F.col("activity_code"), "right")
    return converted(joined, "unit", "w_unit", "times", told).select(
        *told.columns, (to_double(F.col("less")) * F.col("times")).alias("size"))  # fmt: skip


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
    period = F.coalesce(*(F.when(test, F.lit(grain)) for grain, test in _longer(F.col("compared_grain"))), F.col("grain"))
    return _rows(overlap.where("remainder is not null"), "remainder", F.col("remainder"), remedy, period)


def _longer(period: Column) -> list[tuple[str, Column]]:
    """Return (grain, whether `period` is that and longer than the grain of the row), from a month on."""
    return [(one, (period == one) & F.col("grain").isin(*GRAINS[: GRAINS.index(one)])) for one in GRAINS[2:]]


def _whole(found: DataFrame) -> DataFrame:
    """Let a row be of its whole `period`: a remainder is of that in which both were compared, which months may make up."""
    date = F.coalesce(*(F.when(test, F.trunc("date", grain)) for grain, test in _longer(F.col("period"))), F.col("date"))
    return found.withColumns({"date": date, "grain": F.col("period")})


def _rows(frame: DataFrame, reason: str, quantity: Column, suggestion: Column, period: Column | None = None) -> DataFrame:
    of = F.col("grain") if period is None else period
    return frame.select(
        "activity_id", F.lit(reason).alias("reason"), suggestion.alias("suggestion"), "subject_id", "date", "grain",
        of.alias("period"), "activity_code", quantity.alias("quantity"), "unit",
    )  # fmt: skip
