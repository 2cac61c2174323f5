"""Which enterprise a name means: by likeness where that is sure, by a person where it is not."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.names import decided, matched


def transform(enterprise: DataFrame, mention: DataFrame, decision: DataFrame) -> DataFrame:
    """Return one row for each name; `uscc` only where nobody needs to look, or somebody did."""
    done = decided(matched(mention, enterprise), decision)
    return done.withColumn("mentions", F.col("rows")).withColumn("candidate_name", F.col("matched_name"))
