"""Passages of documents, of whatever format, with their place."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def transform(policy_pdf: DataFrame, policy_word: DataFrame) -> DataFrame:
    """Return one row per passage that holds text; only PDF has pages."""
    parts = [
        _rows(policy_pdf, "cleaned.policy_pdf", F.col("page")),
        _rows(policy_word, "cleaned.policy_word", F.lit(None).cast("int")),
    ]
    return reduce(DataFrame.unionByName, parts).where(F.trim("text") != "")


def _rows(frame: DataFrame, table: str, page: Column) -> DataFrame:
    return frame.select(
        F.concat_ws("|", "document", "place").alias("passage_id"), "document", "place", page.alias("page"), "text",
        F.lit(table).alias("source_table"), F.col("_delivery").alias("delivery_id"),
        F.col("_locator").cast("string").alias("locator"),
    )  # fmt: skip
