"""What was done: every measure that a cleaned table declares as activity, in one long fact."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.thematic._activities import contested, part
from schemas.contracts import contract


def transform(sources: dict[str, DataFrame], overlap: DataFrame) -> DataFrame:
    """Return one row per measure with a value in each row of the tables that declare `activity:`.

    Rows without a value did not measure and are no activity of zero; what another source tells as well, and does
    better, is left out as `overlap` says; all others come through, in their own unit.
    """
    told_twice = set(contested(sources))
    parts = []
    for table, frame in sorted(sources.items()):
        for code, activity in contract(table).activity.items():
            rows = part(contract(table), code, activity, frame)
            parts.append(_without(rows, overlap) if (table, code) in told_twice else rows)
    return reduce(DataFrame.unionByName, parts)


def _without(rows: DataFrame, overlap: DataFrame) -> DataFrame:
    """Leave out what is listed; the small side stands first, of which the embedded engine builds its hash table."""
    gone = F.broadcast(overlap.select(F.col("activity_id").alias("_gone")))
    left = gone.join(rows, gone["_gone"] == rows["activity_id"], "right")
    return left.where(F.col("_gone").isNull()).select(*rows.columns)
