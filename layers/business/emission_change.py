"""Emissions against the period before and the same period a year ago, at every level and grain."""

from __future__ import annotations

from pyspark.sql import DataFrame

from layers.business._change import changed
from layers.business._sums import again

KEY = ("book", "grain", "period", "level", "member")


def transform(emission_rollup: DataFrame) -> DataFrame:
    """Return one row per book, grain, period, level and member; changes are NULL where there is no earlier figure like it."""
    counts = again("lines", "coarser_lines", "unresolved_rows", type_="decimal(19,0)")
    sums = emission_rollup.groupBy(*KEY).agg(*again("emission_tco2e"), *counts).withColumnRenamed("coarser_lines", "coarser")
    found = changed(sums, ("book", "level", "member"), "emission_tco2e", "lines", "unresolved_rows")
    return found.withColumnRenamed("coarser", "coarser_lines")
