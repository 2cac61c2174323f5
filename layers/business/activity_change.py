"""Activity against the period before and the same period a year ago, at every level and grain."""

from __future__ import annotations

from pyspark.sql import DataFrame

from layers.business._change import changed


def transform(activity_rollup: DataFrame) -> DataFrame:
    """Return the roll-up of activity with changes; they are NULL where there is no earlier figure like it."""
    found = changed(
        activity_rollup.withColumnRenamed("coarser_rows", "coarser"),
        ("level", "member", "activity_code", "unit"),
        "quantity",
        "rows",
    )
    return found.withColumnRenamed("coarser", "coarser_rows")
