"""What is added up of line items, by whatever they are added up."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.numbers import fix, to_double

LARGEST, WIDEST = 10**12, 10**10  # t, of an emission and of a half interval of one subject, activity, gas and month
DETAIL = ("scope", "category", "activity_code", "gas")  # of a line, beside book, subject and period


def as_sums(lines: DataFrame) -> DataFrame:
    """Return line items with what they count for in a sum: how uncertain each is, in grams, or else that nobody knows.

    What is too large to be squared and added up is unrated, as a whole: no engine fails over it, and no sum hides it.
    """
    percent, none = F.col("uncertainty_percent"), F.lit(0).cast("decimal(28,6)")
    small = F.abs(F.col("emission_tco2e")) < F.lit(f"{LARGEST}").cast("decimal(28,6)")
    # By way of an integer, which is a tenth of the work of the text that `to_double` goes by.
    held = F.when(small, F.col("emission_tco2e")).otherwise(none)
    grams = (held * F.lit("1000000").cast("decimal(7,0)")).cast("bigint").cast("double")
    wide = F.abs(grams) * percent / F.lit(100.0) + F.lit(0.5)
    half = F.floor(F.when(F.col("_wide") < F.lit(WIDEST * 1e6), F.col("_wide"))).cast("bigint")
    # Each in a step of its own: an engine works out anew what is named twice in one.
    rated = lines.select("*", F.when(small, wide).alias("_wide")).select("*", half.alias("half_g"))
    return rated.select(
        "*", F.lit(1).alias("lines"), F.col("fallback").cast("int").alias("fallback_lines"),
        F.col("half_g").isNull().cast("int").alias("unrated_lines"),
        F.when(F.col("half_g").isNull(), F.col("emission_tco2e")).otherwise(none).alias("unrated_tco2e"),
    )  # fmt: skip


def of_lines(half: Column) -> list[Column]:
    """Return the sums of line items, or of sums of them by day; all of decimals and counts, exact in any order.

    Lines of one subject, activity and gas share meter and factor, so they are taken as fully dependent: their half
    intervals (`half`, in grams) are added. Where they are too large together all of it is unrated; in a month of days
    that are too large each by itself, those days.
    """
    grams, every = F.sum(half.cast("decimal(28,0)")), F.sum("lines")
    fits = F.coalesce(grams < F.lit(f"{WIDEST}000000").cast("decimal(38,0)"), F.lit(True))
    tonnes = (grams.cast("decimal(30,0)") * F.lit("0.000001").cast("decimal(7,6)")).cast("decimal(28,6)")
    return [
        F.sum("mass_t").alias("mass_t"), F.sum("emission_tco2e").alias("emission_tco2e"), every.alias("lines"),
        F.sum("fallback_lines").alias("fallback_lines"),
        F.when(fits, tonnes).alias("uncertainty_tco2e"),
        F.when(fits, F.sum("unrated_lines")).otherwise(every).alias("unrated_lines"),
        F.when(fits, F.sum("unrated_tco2e")).otherwise(F.sum("emission_tco2e")).cast("decimal(28,6)").alias("unrated_tco2e"),
    ]  # fmt: skip


def squared(half: str) -> Column:
    """Return the square of a half interval, exact enough to be added up in any order: to a tenth of a kilogram.

    Up to WIDEST, of which the square has 20 digits: those of a nation, or of the world.
    """
    tonnes = F.col(half).cast("decimal(18,6)")
    return (tonnes * tonnes).cast("decimal(28,8)")


def added_squares(name: str) -> Column:
    """Return the sum of squares under its own name; a part above that of WIDEST counts as one of WIDEST, for no engine holds it.

    `uncertainty_most_tco2e` tells more then: it is a plain sum.
    """
    most, part = F.lit(f"{WIDEST**2 - 1}").cast("decimal(38,8)"), F.col(name).cast("decimal(38,8)")
    return F.sum(F.when(part < most, part).when(part.isNotNull(), most).cast("decimal(28,8)")).alias(name)


def root(squares: str) -> Column:
    """Return the half interval of a sum of independent parts from the sum of their squares (IPCC 2006 vol. 1 eq. 3.2)."""
    return fix(F.sqrt(to_double(F.col(squares))))


def counted(condition: Column, name: str) -> Column:
    """Return the number of rows that meet a condition."""
    return F.sum(condition.cast("int")).alias(name)


def again(*names: str, type_: str = "decimal(28,6)") -> list[Column]:
    """Return sums of sums under their own names."""
    return [F.sum(F.col(name).cast(type_)).alias(name) for name in names]
