"""Passages of documents, of whatever format, with their place, and descriptions of files that have no passages."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def transform(documents: dict[str, DataFrame], files: dict[str, DataFrame]) -> DataFrame:
    """Return one row per passage that holds text; only PDF has pages. A described file is one passage at the place `file`."""
    parts = [
        *(_rows(frame, table) for table, frame in sorted(documents.items())),
        *(_rows(_described(frame), table) for table, frame in sorted(files.items())),
    ]
    return reduce(DataFrame.unionByName, parts).where(F.trim("text") != "")


def _described(frame: DataFrame) -> DataFrame:
    named = frame.select(F.col("file").alias("document"), F.lit("file").alias("place"), F.col("description").alias("text"),
                         "_delivery", "_locator")  # fmt: skip
    # Two deliveries of one name are two files.
    return named.withColumn("place", F.concat_ws(" ", "place", F.col("_delivery").cast("string")))


def _rows(frame: DataFrame, table: str) -> DataFrame:
    page = F.col("page").cast("int") if "page" in frame.columns else F.lit(None).cast("int")
    place = F.col("_locator").cast("string")
    return frame.select(
        # Two tables may hold documents of one name.
        F.concat_ws("|", F.lit(table), F.col("_delivery").cast("string"), place).alias("passage_id"),
        "document", "place", page.alias("page"), "text", F.lit(table).alias("source_table"),
        F.col("_delivery").alias("delivery_id"), place.alias("locator"),
    )  # fmt: skip
