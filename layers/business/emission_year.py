"""Monthly emissions added up by year, within one book."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.business._sums import again

KEY = ("book", "year", "subject_id", "subject_from", "region_code", "industry_code", "park_id", "scope", "category", "gas")


def transform(emission_month: DataFrame) -> DataFrame:
    """Return sums by state of the subject and calendar year of the source's time zone."""
    sums = again("mass_t", "emission_tco2e") + again("lines", "fallback_lines", type_="decimal(19,0)")
    return emission_month.select("*", F.year("month").alias("year")).groupBy(*KEY).agg(*sums)
