"""How many rows of a publication each column of an edition revised, added and removed."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.business.edition_change import compared, differs, pairs

KINDS = ("revised", "appeared", "vanished")


def transform(owid_co2: DataFrame) -> DataFrame:
    """Return one row per step between editions and column in which anything changed."""
    names = compared(owid_co2)
    counts = [F.sum(_kind(name, kind)).alias(f"{kind}_{name}") for name in names for kind in KINDS]
    wide = pairs(owid_co2).groupBy("edition_before", "edition_after").agg(*counts)
    rows = [_row(name) for name in names]
    long = wide.select("edition_before", "edition_after", F.inline(F.array(*rows)))
    return long.where("revised_rows + appeared_rows + vanished_rows > 0")


def _row(name: str) -> Column:
    counts = (F.col(f"{kind}_{name}").alias(f"{kind}_rows") for kind in KINDS)
    return F.struct(F.lit(name).alias("column_name"), *counts)


def _kind(name: str, kind: str) -> Column:
    before, after = F.col(f"a_{name}").isNotNull(), F.col(f"b_{name}").isNotNull()
    is_it = {"revised": before & after & differs(name), "appeared": ~before & after, "vanished": before & ~after}[kind]
    return F.when(is_it, F.lit(1)).otherwise(F.lit(0))
