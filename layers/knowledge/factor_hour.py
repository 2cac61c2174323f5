"""Factors that change by the hour: what a kilowatt-hour of the grid emits."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def transform(grid_intensity_hour: DataFrame) -> DataFrame:
    """Return one row per region and hour, in kgCO2e/kWh as published."""
    hour = F.date_format("period_start", "yyyyMMdd'T'HHmm")
    return grid_intensity_hour.select(
        F.concat_ws("|", F.lit("grid_hour"), "region_code", hour).alias("factor_id"),
        F.lit("grid_hour").alias("factor_set"),
        F.lit("ef").alias("role"),
        F.lit("electricity_purchased").alias("activity_code"),
        "region_code",
        "period_start",
        F.lit("GHG").alias("gas"),
        F.col("carbon_intensity_kgco2e_per_kwh").alias("value"),
        F.lit("kgCO2e/kWh").alias("unit"),
        F.lit("cleaned.grid_intensity_hour").alias("source_table"),
        F.col("_delivery").alias("delivery_id"),
        F.col("_locator").cast("string").alias("locator"),
    )
