"""How much of its period a sum covers: the months of which it has any line, and whether that is all of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

MONTHS = {"month": 1, "quarter": 3, "year": 12}  # in a period of each grain
QUARTERS = 15  # four bits


def covered(sums: DataFrame, by: Sequence[str], count: str) -> DataFrame:
    """Add to sums `covered_months`, `complete` and `pattern`, equal where two periods of a grain cover the same months.

    `sums` has grain, period, the columns of `by`, a `count` of lines and `coarser`, those of them that are longer than
    the grain; its key is grain, period and `by`. A month counts that has a line of a month or less; of members that have
    none, a quarter or a year counts for all of its months. The month in which the days of a member begin or end, and not
    on its first or last day, is partial: it does not count, and nothing equals the pattern of a period with one.
    """
    told = [name for name in sums.columns if name not in (*by, "grain", "period")]
    month, own = F.col("grain") == "month", F.col("grain") == F.col("of")
    partial = month & (_starts_late() | _ends_early())
    fine = month & ((F.col(count) - F.col("coarser")) > 0) & ~partial
    rows = _below(_edges(sums, by)).groupBy(F.col("of").alias("grain"), F.col("first").alias("period"), *by).agg(
        *(F.max(F.when(own, F.col(name))).alias(name) for name in told),
        _sum(fine, _bit(), "fine_bits"), _sum(fine, F.lit(1), "fine_months"),
        *(_by_quarter(n) for n in range(4)),
        _sum(partial, F.lit(1), "partial"), _lines(month, "longer"), _lines(F.col("grain") == "quarter", "years"),
        _sum(own, F.lit(1), "told"),
    )  # fmt: skip
    whole = rows.where("told > 0").select(
        "*", _of_quarters({n: 2**n for n in range(4)}, "quarter_bits"), _of_quarters(dict.fromkeys(range(4), 3), "longer_months")
    )
    return whole.select("grain", "period", *by, *told, *_told())


def _edges(sums: DataFrame, by: Sequence[str]) -> DataFrame:
    """Add the first and the last day that a member has figures by day of."""
    day = F.when(F.col("grain") == "day", F.col("period"))
    member = Window.partitionBy(*by)
    return sums.select("*", F.min(day).over(member).alias("first_day"), F.max(day).over(member).alias("last_day"))


def _starts_late() -> Column:
    first = F.col("first_day")
    return F.coalesce((F.trunc(first, "month") == F.col("period")) & (first > F.col("period")), F.lit(False))


def _ends_early() -> Column:
    last = F.col("last_day")
    return F.coalesce((F.trunc(last, "month") == F.col("period")) & (last < F.last_day("period")), F.lit(False))


def _below(sums: DataFrame) -> DataFrame:
    """Put each row to the periods that it is of: months and quarters to what they are a part of, too."""
    grains = ("day", *MONTHS)
    each = sums.select("*", F.explode(F.array(*(F.lit(name) for name in grains))).alias("of"))
    above = {"month": ("quarter", "year"), "quarter": ("year",)}
    part = [(F.col("grain") == grain) & F.col("of").isin(*of) for grain, of in above.items()]
    first = F.when(F.col("of") == "quarter", F.trunc("period", "quarter")).when(F.col("of") == "year", F.trunc("period", "year"))
    kept = each.where(reduce(Column.__or__, part, F.col("grain") == F.col("of")))
    return kept.withColumn("first", F.coalesce(first, F.col("period")))


def _bit() -> Column:
    """One bit for each place that a month may have in its period, so that a sum of bits tells which months are there."""
    places = {12: {n: n for n in range(12)}, 3: {n: n % 3 for n in range(12)}}
    month = F.month("period")
    year, quarter = (
        F.coalesce(*(F.when(month == n + 1, F.lit(2**place)) for n, place in places[size].items())) for size in (12, 3)
    )
    return F.when(F.col("of") == "year", year).when(F.col("of") == "quarter", quarter).otherwise(F.lit(1))


def _by_quarter(n: int) -> Column:
    """Lines of a quarter: those of its months that are longer than a month, less those of it that are longer than itself."""
    none, coarser = F.lit(0).cast("decimal(19,0)"), F.col("coarser").cast("decimal(19,0)")
    signed = F.when(F.col("grain") == "month", coarser).when(F.col("grain") == "quarter", (none - coarser).cast("decimal(19,0)"))
    return F.sum(F.when(F.quarter("period") == n + 1, signed).otherwise(none)).alias(f"quarter_{n}")


def _of_quarters(values: dict[int, int], name: str) -> Column:
    there = [
        F.when(F.col(f"quarter_{n}") > 0, F.lit(value)).otherwise(F.lit(0)).cast("decimal(5,0)") for n, value in values.items()
    ]
    return reduce(Column.__add__, there).cast("bigint").alias(name)


def _sum(condition: Column, value: Column, name: str) -> Column:
    return F.sum(F.when(condition, value).otherwise(F.lit(0)).cast("int")).alias(name)


def _lines(condition: Column, name: str) -> Column:
    return F.sum(F.when(condition, F.col("coarser").cast("decimal(19,0)")).otherwise(F.lit(0).cast("decimal(19,0)"))).alias(name)


def _told() -> list[Column]:
    # What is longer than the grain itself covers no period of that grain.
    by_quarter = (F.col("longer") > F.col("years")) & (F.col("grain") != "month")
    by_year = (F.col("years") > 0) & (F.col("grain") == "year")
    months = (
        F.when((F.col("fine_months") > 0) | (F.col("partial") > 0), F.col("fine_months"))
        .when(by_quarter, F.col("longer_months"))
        .when(by_year, F.lit(12).cast("bigint"))
        .otherwise(F.lit(0).cast("bigint"))
    )
    full = {grain: F.col("grain") == grain for grain in MONTHS}
    all_bits = F.coalesce(*(F.when(is_, F.lit(2 ** MONTHS[grain] - 1)) for grain, is_ in full.items()))
    fine = (F.col("fine_bits") == all_bits) | ((F.col("fine_bits") == 0) & (by_quarter | by_year))
    quarters = ~by_quarter | (F.col("grain") != "year") | (F.col("quarter_bits") == QUARTERS)
    complete = (F.col("partial") == 0) & fine & quarters
    bits = (F.col(name).cast("string") for name in ("fine_bits", "quarter_bits"))
    pattern = F.concat_ws("|", *bits, by_quarter.cast("string"), by_year.cast("string"))
    day = F.col("grain") == "day"
    return [F.when(~day, months.cast("int")).alias("covered_months"), F.coalesce(day | complete, F.lit(False)).alias("complete"),
            F.when(~day & (F.col("partial") == 0) & (months > 0), pattern).alias("pattern")]  # fmt: skip
