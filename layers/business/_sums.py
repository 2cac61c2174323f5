"""What is added up of line items, by whatever they are added up."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

DETAIL = ("scope", "category", "activity_code", "gas")  # of a line, beside book, subject and period


def of_lines() -> list[Column]:
    """Return the sums of line items; all of decimals and counts, so that they are exact in any order."""
    return [
        F.sum("mass_t").alias("mass_t"), F.sum("emission_tco2e").alias("emission_tco2e"),
        F.count(F.lit(1)).alias("lines"), counted(F.col("fallback"), "fallback_lines"),
    ]  # fmt: skip


def counted(condition: Column, name: str) -> Column:
    """Return the number of rows that meet a condition."""
    return F.sum(condition.cast("int")).alias(name)


def again(*names: str, type_: str = "decimal(28,6)") -> list[Column]:
    """Return sums of sums under their own names."""
    return [F.sum(F.col(name).cast(type_)).alias(name) for name in names]
