"""Emissions at every level and grain: regions, industries, sectors, parks, enterprises, facilities; day to year."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.business._levels import rolled
from layers.business._open import held, unresolved_rows
from layers.business._places import PLACE, placed
from layers.business._sums import DETAIL, added_squares, again, root, squared

TONNES = ("mass_t", "emission_tco2e", "uncertainty_most_tco2e", "unrated_tco2e")
SQUARE = "square"  # of the half intervals, in t²
COUNTS = ("lines", "fallback_lines", "unrated_lines", "quarter_lines", "year_lines", "unresolved_rows")
UNITS = ("unit_low", "unit_high")
BASE = ("book", "period", *PLACE, *DETAIL)


def transform(emission_day: DataFrame, emission_month: DataFrame, unresolved: DataFrame, subject: DataFrame) -> DataFrame:
    """Return sums by book, grain, period, level and member, with scope, category, activity and gas.

    Uncertainty is that of independent parts (of a subject, activity, gas and month, or day), and at most that of fully
    dependent ones. A member of which there is nothing but unresolved activity has NULL for its emission: what is not
    known is no zero.
    """
    fine = {
        name: _lines(sums, day).unionByName(_unresolved(unresolved_rows(unresolved, name), subject))
        for name, sums, day in (("day", emission_day, "date"), ("month", emission_month, "month"))
    }
    added = again(*TONNES, "unresolved_quantity") + again(*COUNTS, type_="decimal(19,0)")
    added += [added_squares(SQUARE)]
    added += [F.min("unit_low").alias("unit_low"), F.max("unit_high").alias("unit_high")]
    sums = rolled(fine, ("book", *DETAIL), added)
    return sums.select("book", "grain", "period", "level", "member", *DETAIL, "mass_t", "emission_tco2e",
                       root(SQUARE).alias("uncertainty_tco2e"), "uncertainty_most_tco2e", "unrated_tco2e", "unrated_lines",
                       "lines", "fallback_lines", _coarser(), "unresolved_rows", *held())  # fmt: skip


def _lines(sums: DataFrame, day: str) -> DataFrame:
    half = F.col("uncertainty_tco2e").alias("uncertainty_most_tco2e")
    rows = sums.select("*", F.col(day).alias("period"), half, squared("uncertainty_tco2e").alias(SQUARE))
    none = (*_none("unresolved_quantity", "decimal(28,6)"), *_none(*UNITS))
    return rows.select(*BASE, *TONNES, SQUARE, *_typed(rows), *none)


def _unresolved(sums: DataFrame, subject: DataFrame) -> DataFrame:
    rows = placed(sums, subject)
    tonnes = [column for name in TONNES for column in _none(name, "decimal(28,6)")]
    quantity = F.col("unresolved_quantity").cast("decimal(28,6)").alias("unresolved_quantity")
    return rows.select(*BASE, *tonnes, *_none(SQUARE, "decimal(28,8)"), *_typed(rows), quantity, *UNITS)


def _typed(rows: DataFrame) -> list[Column]:
    """The counts, zero where the rows have none: NULL would make a sum of what is beside it unknown."""
    known = set(rows.columns)
    return [(F.col(n) if n in known else F.lit(0)).cast("decimal(19,0)").alias(n) for n in COUNTS]


def _none(*names: str) -> list[Column]:
    type_ = names[-1] if names[-1].startswith("decimal") else "string"
    return [F.lit(None).cast(type_).alias(name) for name in names if name != type_]


def _coarser() -> Column:
    """Lines of a period longer than the grain, which stand where it begins."""
    both, year = F.col("quarter_lines") + F.col("year_lines"), F.col("year_lines")
    found = [
        F.when(F.col("grain") == grain, count.cast("decimal(30,0)")) for grain, count in (("month", both), ("quarter", year))
    ]
    return F.coalesce(*found, F.lit(0).cast("decimal(30,0)")).alias("coarser_lines")
