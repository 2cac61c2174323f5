"""Line items: one application of a method to an activity, in one gas."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.business._formulas import uncertainty
from layers.business._lines import line_id, lines
from layers.numbers import fix
from models.variant import PUBLISHED, Variant


def transform(
    activity: DataFrame, subject: DataFrame, factor: DataFrame, factor_hour: DataFrame, variant: Variant = PUBLISHED
) -> DataFrame:
    """Return one row per activity and method that could be computed; the others are in business.unresolved."""
    return lines(activity, subject, factor, factor_hour, variant).where("counts").select(
        line_id().alias("line_id"), "book", "method_id", "subject_id", "subject_from", "period_start", "date", "grain",
        "activity_id", "activity_code", "gas", fix(F.col("mass")).alias("mass_t"), F.lit(variant.gwp_set).alias("gwp_set"),
        fix(F.col("co2e")).alias("emission_tco2e"), "scope", "category", "data_grade",
        F.coalesce("factor_set", "hour_set").alias("factor_set"), "fallback", "defaulted", "measured",
        uncertainty().alias("uncertainty_percent"), F.col("q").alias("activity_data"), "case_id",
    )  # fmt: skip
