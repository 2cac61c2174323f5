"""What is added up of line items, by whatever they are added up."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from layers.numbers import fix, to_double

LARGEST, WIDEST = 10**12, 10**10  # t, of an emission and of a half interval of one subject, activity, gas and month
DETAIL = ("scope", "category", "activity_code", "gas")  # of a line, beside book, subject and period


def of_lines() -> list[Column]:
    """Return the sums of line items; all of decimals and counts, so that they are exact in any order."""
    return [
        F.sum("mass_t").alias("mass_t"), F.sum("emission_tco2e").alias("emission_tco2e"),
        F.count(F.lit(1)).alias("lines"), counted(F.col("fallback"), "fallback_lines"), *_sureness(),
    ]  # fmt: skip


def _sureness() -> list[Column]:
    """Return how uncertain a sum of lines of one subject, activity and gas is, and of how much of it nobody knows that.

    Such lines share meter and factor, so they are taken as fully dependent: their half intervals are added, in grams.
    What is too large to be squared and added up is unrated, as a whole: no engine fails over it, and no sum hides it.
    """
    percent, none = F.col("uncertainty_percent"), F.lit(0).cast("decimal(28,6)")
    small = F.abs(F.col("emission_tco2e")) < F.lit(f"{LARGEST}").cast("decimal(28,6)")
    # By way of an integer, which is a tenth of the work of the text that `to_double` goes by.
    held = F.when(small, F.col("emission_tco2e")).otherwise(none)
    grams = (held * F.lit("1000000").cast("decimal(7,0)")).cast("bigint").cast("double")
    wide = F.abs(grams) * percent / F.lit(100.0) + F.lit(0.5)
    half = F.floor(F.when(small & (wide < F.lit(WIDEST * 1e6)), wide)).cast("bigint").cast("decimal(19,0)")
    tonnes = (F.sum(half) * F.lit("0.000001").cast("decimal(7,6)")).cast("decimal(28,6)")
    fits = F.coalesce(F.sum(half) < F.lit(f"{WIDEST}000000").cast("decimal(29,0)"), F.lit(True))
    unrated = F.sum(F.when(half.isNull(), F.col("emission_tco2e")).otherwise(none))
    return [
        F.when(fits, tonnes).alias("uncertainty_tco2e"),
        F.when(fits, F.sum(half.isNull().cast("int"))).otherwise(F.count(F.lit(1))).alias("unrated_lines"),
        F.when(fits, unrated).otherwise(F.sum("emission_tco2e")).cast("decimal(28,6)").alias("unrated_tco2e"),
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
