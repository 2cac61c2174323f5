"""What is added up of line items, by whatever they are added up."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from layers.numbers import fix, to_double

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
    """
    percent, none = F.col("uncertainty_percent"), F.lit(0).cast("decimal(28,6)")
    # By way of an integer, which is a tenth of the work of the text that `to_double` goes by.
    grams = (F.col("emission_tco2e") * F.lit("1000000").cast("decimal(7,0)")).cast("bigint").cast("double")
    half = F.floor(F.abs(grams) * percent / F.lit(100.0) + F.lit(0.5)).cast("bigint").cast("decimal(19,0)")
    tonnes = (F.sum(half) * F.lit("0.000001").cast("decimal(7,6)")).cast("decimal(28,6)")
    return [
        tonnes.alias("uncertainty_tco2e"), counted(percent.isNull(), "unrated_lines"),
        F.sum(F.when(percent.isNull(), F.col("emission_tco2e")).otherwise(none)).alias("unrated_tco2e"),
    ]  # fmt: skip


def squared(half: str) -> Column:
    """Return the square of a half interval, exact enough to be added up in any order: to a tenth of a kilogram.

    Up to 10^10 t, of which the square has 20 digits: those of a nation, or of the world.
    """
    tonnes = F.col(half).cast("decimal(18,6)")
    return (tonnes * tonnes).cast("decimal(28,8)")


def root(squares: str) -> Column:
    """Return the half interval of a sum of independent parts from the sum of their squares (IPCC 2006 vol. 1 eq. 3.2)."""
    return fix(F.sqrt(to_double(F.col(squares))))


def counted(condition: Column, name: str) -> Column:
    """Return the number of rows that meet a condition."""
    return F.sum(condition.cast("int")).alias(name)


def again(*names: str, type_: str = "decimal(28,6)") -> list[Column]:
    """Return sums of sums under their own names."""
    return [F.sum(F.col(name).cast(type_)).alias(name) for name in names]
