"""Who acts without master data: subjects of the tables of activity that say where."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from schemas.contracts import contract


def acting(sources: dict[str, DataFrame], told: DataFrame) -> list[DataFrame]:
    """Return a row per subject and place that it is told to be in, of those that neither are regions or enterprises nor `told`.

    An empty list where no table says where.
    """
    placed = [_placed(table, frame) for table, frame in sorted(sources.items()) if "region_code" in contract(table).columns]
    if not placed:
        return []
    known = told.select(F.col("subject_id").alias("known_id")).distinct()
    strange = reduce(DataFrame.unionByName, placed).where(~F.col("subject_id").rlike("^(region|enterprise):"))
    return [strange.join(known, F.col("subject_id") == F.col("known_id"), "left_anti")]


def _placed(table: str, frame: DataFrame) -> DataFrame:
    """Return who acts in a table, each as often as its place changes."""
    one = contract(table)
    subjects = sorted({activity.subject for activity in one.activity.values()})
    industry = F.col("industry_code") if "industry_code" in one.columns else F.lit(None).cast("string")
    synthetic = F.lit(one.source.synthetic if one.source else False)
    parts = [frame.select(F.col(name).alias("subject_id"), "region_code", industry.alias("industry_code"),
                          synthetic.alias("synthetic")) for name in subjects]  # fmt: skip
    return (
        reduce(DataFrame.unionByName, parts)
        .groupBy("subject_id", "region_code", "industry_code", "synthetic")
        .agg(F.count(F.lit(1)).alias("rows"))
    )
