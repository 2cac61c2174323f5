"""Two methods on the same activity side by side: of another book, another standard, or a variant of one's own."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

BY = ("subject_id", "year", "grain", "activity_code", "gas")


def transform(emission: DataFrame) -> DataFrame:
    """Return one row per subject, year, grain, activity, gas and pair of methods that both made lines of it.

    Lines of another grain are other activity rows, so they are no pair. The difference is the second less the first.
    """
    by = ("subject_id", F.year("date").alias("year"), "grain", "activity_code", "gas", "book", "method_id")
    sums = F.count(F.lit(1)).alias("lines"), F.sum("emission_tco2e").cast("decimal(28,6)").alias("tco2e")
    yearly = emission.groupBy(*by).agg(*sums)
    first, second = (_of(yearly, side) for side in ("first", "second"))
    same = [first[f"first_{name}"] == second[f"second_{name}"] for name in BY]
    pairs = first.join(second, [*same, F.col("first_method_id") < F.col("second_method_id")])
    difference = (F.col("second_tco2e") - F.col("first_tco2e")).cast("decimal(28,6)")
    return pairs.select(
        *(F.col(f"first_{name}").alias(name) for name in BY), "first_book", "first_method_id", "first_lines",
        "first_tco2e", "second_book", "second_method_id", "second_lines", "second_tco2e",
        difference.alias("difference_tco2e"),
    )  # fmt: skip


def _of(yearly: DataFrame, side: str) -> DataFrame:
    return yearly.select(*(F.col(name).alias(f"{side}_{name}") for name in (*BY, "book", "method_id", "lines", "tco2e")))
