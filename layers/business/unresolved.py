"""Activity that no line item could be made of, and why: never a zero."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.business._lines import lines
from models.variant import PUBLISHED, Variant


def transform(
    activity: DataFrame, subject: DataFrame, factor: DataFrame, factor_hour: DataFrame, variant: Variant = PUBLISHED
) -> DataFrame:
    """Return one row per activity and method that gave none; `method_id` is '' where no method applies."""
    return lines(activity, subject, factor, factor_hour, variant).where("reason is not null").select(
        "activity_id", F.coalesce("method_id", F.lit("")).alias("method_id"), "reason",
        F.when(F.col("reason") == "no_factor", F.col("lacking")).alias("lacking"), "subject_id", "subject_from", "date", "grain",
        "activity_code", "quantity", "unit", F.nullif("region_code", F.lit("")).alias("region_code"),
    )  # fmt: skip
