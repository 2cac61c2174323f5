"""Monthly emissions added up by year, within one book."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

KEY = ("book", "year", "subject_id", "region_code", "industry_code", "scope", "category", "gas")


def transform(emission_month: DataFrame) -> DataFrame:
    """Return sums by calendar year of the source's time zone."""
    sums = [F.sum(name).alias(name) for name in ("mass_t", "emission_tco2e")]
    sums += [F.sum(F.col(name).cast("decimal(19,0)")).alias(name) for name in ("lines", "fallback_lines")]
    return emission_month.select("*", F.year("month").alias("year")).groupBy(*KEY).agg(*sums)
