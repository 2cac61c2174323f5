"""Exchange rates with the days between which each is the latest."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def transform(exchange_rate: DataFrame) -> DataFrame:
    """Return every rate with the first day of the next one of its pair and kind."""
    kind = Window.partitionBy("base_currency", "quote_currency", "kind").orderBy("valid_from")
    return exchange_rate.select(
        "base_currency", "quote_currency", "kind", "valid_from", F.lead("valid_from").over(kind).alias("next_from"), "rate",
        "source", "confidence", F.lit("cleaned.exchange_rate").alias("source_table"), F.col("_delivery").alias("delivery_id"),
        F.col("_locator").cast("string").alias("locator"),
    )  # fmt: skip
