"""What provinces add up to against what is stated for the nation."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.numbers import fix, to_double

TOTAL = "line = 'Total Consumption'"


def transform(ceads_province: DataFrame, ceads_nation: DataFrame) -> DataFrame:
    """Return one row per year in which the two differ, in million tonnes of CO2."""
    sums = (
        ceads_province.where(TOTAL)
        .groupBy("year")
        .agg(F.count("*").alias("provinces"), F.sum("emission_mt").cast("decimal(28,6)").alias("provinces_mt"))
    )
    stated = ceads_nation.where(TOTAL).select("year", F.col("emission_mt").alias("nation_mt"))
    gap = (F.col("provinces_mt") - F.col("nation_mt")).cast("decimal(28,6)").alias("difference_mt")
    both = sums.join(stated, "year").where("provinces_mt <> nation_mt").select("*", gap)
    share = to_double(F.col("difference_mt")) / to_double(F.col("nation_mt")) * 100
    return both.select("*", fix(share).alias("difference_percent"))
