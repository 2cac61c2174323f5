"""Monthly emissions added up by year, within one book."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.business._sums import again, root, squared

KEY = ("book", "year", "subject_id", "subject_from", "region_code", "industry_code", "park_id", "scope", "category", "gas")


def transform(emission_month: DataFrame) -> DataFrame:
    """Return sums by state of the subject and calendar year of the source's time zone.

    Uncertainty is that of months and activities that are independent, and at most that of fully dependent ones.
    """
    sums = again("mass_t", "emission_tco2e", "unrated_tco2e")
    sums += again("lines", "fallback_lines", "unrated_lines", type_="decimal(19,0)")
    half = F.col("uncertainty_tco2e")
    rows = emission_month.select("*", F.year("month").alias("year"), squared("uncertainty_tco2e").alias("square"))
    found = rows.groupBy(*KEY).agg(*sums, F.sum(half).alias("uncertainty_most_tco2e"), F.sum("square").alias("square"))
    return found.select(*found.columns, root("square").alias("uncertainty_tco2e"))
