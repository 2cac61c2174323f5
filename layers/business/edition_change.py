"""Rows of a publication that differ between an edition and the one before, with the columns that do."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

ROW = ("country", "year")
ASIDE = ("edition_date", *ROW, "_delivery", "_locator")


def transform(owid_co2: DataFrame) -> DataFrame:
    """Return one row per row that was revised, added or removed; `columns` names what changed."""
    both = pairs(owid_co2)
    names = [F.when(differs(name), F.lit(name)) for name in compared(owid_co2)]
    changed = F.size(F.array_compact(F.array(*names)))
    return both.where(changed > 0).select(
        "edition_before", "edition_after", *ROW, change().alias("change"), changed.alias("changed"),
        F.concat_ws(",", *names).alias("columns"),
    )  # fmt: skip


def compared(owid_co2: DataFrame) -> list[str]:
    """Return the columns in which editions are compared."""
    return [name for name in owid_co2.columns if name not in ASIDE]


def pairs(owid_co2: DataFrame) -> DataFrame:
    """Return every row of two neighbouring editions side by side (`a_`, `b_`), NULL on the side that lacks it."""
    editions = owid_co2.groupBy("edition_date").agg(F.count(F.lit(1)).alias("rows"))
    earlier = editions.select(F.col("edition_date").alias("earlier"))
    steps = (
        editions.join(earlier, F.col("earlier") < F.col("edition_date"))
        .groupBy("edition_date")
        .agg(F.max("earlier").alias("edition_before"))
    )
    steps = steps.withColumnRenamed("edition_date", "edition_after")
    sides = {prefix: _side(owid_co2, steps, on, prefix) for prefix, on in (("a", "edition_before"), ("b", "edition_after"))}
    keys = ("edition_before", "edition_after", *ROW)
    same = [sides["a"][f"a_{name}"] == sides["b"][f"b_{name}"] for name in keys]
    joined = sides["a"].join(sides["b"], same, "full")
    whole = (F.coalesce(f"a_{name}", f"b_{name}").alias(name) for name in keys)
    values = (f"{prefix}_{name}" for name in compared(owid_co2) for prefix in "ab")
    return joined.select(*whole, "a_present", "b_present", *values)


def change() -> Column:
    """Return what happened to a row of `pairs`: revised, added or removed."""
    return (
        F.when(F.col("a_present").isNull(), F.lit("added"))
        .when(F.col("b_present").isNull(), F.lit("removed"))
        .otherwise(F.lit("revised"))
    )


def differs(name: str) -> Column:
    """Tell whether a column of `pairs` differs, an absent value being one of its own."""
    return ~F.col(f"a_{name}").eqNullSafe(F.col(f"b_{name}"))


def _side(owid_co2: DataFrame, steps: DataFrame, on: str, prefix: str) -> DataFrame:
    rows = owid_co2.join(F.broadcast(steps), owid_co2["edition_date"] == steps[on])
    names = ("edition_before", "edition_after", *ROW, *compared(owid_co2))
    return rows.select(*(F.col(name).alias(f"{prefix}_{name}") for name in names), F.lit(True).alias(f"{prefix}_present"))
