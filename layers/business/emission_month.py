"""Line items added up by month, subject, gas, scope and category, within one book."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

KEY = ("book", "month", "subject_id", "scope", "category", "gas")


def transform(emission: DataFrame, subject: DataFrame) -> DataFrame:
    """Return sums with the region and industry of the subject, so that any roll-up of parts is the whole.

    A line of a grain beyond a month counts in the month in which its period starts. Only parts of one book add up.
    """
    month = F.trunc("date", "month").alias("month")
    sums = emission.select("*", month).groupBy(*KEY).agg(
        F.sum("mass_t").alias("mass_t"), F.sum("emission_tco2e").alias("emission_tco2e"),
        F.count(F.lit(1)).alias("lines"), F.sum(F.col("fallback").cast("int")).alias("fallback_lines"),
    )  # fmt: skip
    return sums.join(subject.select("subject_id", "region_code", "industry_code"), "subject_id", "left")
