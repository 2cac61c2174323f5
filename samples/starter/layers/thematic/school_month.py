"""Electricity of each school by month."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def transform(school_meter_day: DataFrame) -> DataFrame:
    """Add the days of a month up, kWh by school."""
    month = F.trunc("date", "month").alias("month")
    return school_meter_day.groupBy("school_id", month).agg(
        F.sum("electricity_kwh").alias("electricity_kwh"), F.count("*").alias("days")
    )
