"""The grid of emission fluxes, and how far its packed twin is from it.

The coarse file samples the fine grid: flux times cell area is no total of the Earth, so there are no tonnes here.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

KEY = ("year", "lat_index", "lon_index")
FLUX = "flux_kgco2_per_km2_day"


def transform(edgar_grid: DataFrame, edgar_grid_packed: DataFrame) -> DataFrame:
    """Return one row per cell; the twin states no emission where it holds its fill value.

    `packing_difference` is the packed flux less the exact one: the price of sixteen bits.
    """
    packed = edgar_grid_packed.select(*(F.col(n).alias(f"p_{n}") for n in KEY), F.col(FLUX).alias("packed"))
    joined = edgar_grid.join(packed, [F.col(n) == F.col(f"p_{n}") for n in KEY], "left")
    return joined.select(
        *KEY, "lat", "lon", FLUX, F.col("packed").alias(f"{FLUX}_packed"),
        (F.col("packed") - F.col(FLUX)).cast("decimal(28,6)").alias("packing_difference"),
        F.lit("cleaned.edgar_grid").alias("source_table"), F.col("_delivery").alias("delivery_id"),
        F.col("_locator").cast("string").alias("locator"),
    )  # fmt: skip
