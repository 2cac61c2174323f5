"""Electricity of each meter in each month."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def transform(bench_meter: DataFrame) -> DataFrame:
    """Add up the readings of a month."""
    return bench_meter.groupBy("meter_id", "area_code", "month").agg(
        F.sum("electricity_kwh").alias("electricity_kwh"), F.count(F.lit(1)).alias("readings")
    )
