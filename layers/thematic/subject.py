"""Who emits: regions of the code list, enterprises and buildings, each with its place and industry."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers import constants
from schemas.codes import code_list

COLUMNS = ("subject_id", "subject_type", "name", "name_en", "parent_id", "region_code", "industry_code", "synthetic")
LEVELS = ("province", "grid")  # cities and counties are codes of the list, not subjects of their own


def transform(enterprise: DataFrame, building_meter_hour: DataFrame) -> DataFrame:
    """Return one row per subject; `parent_id` of an enterprise or building is the region it stands in."""
    return reduce(
        DataFrame.unionByName, [_regions(enterprise), _enterprises(enterprise), _buildings(building_meter_hour)]
    )


def _regions(anchor: DataFrame) -> DataFrame:
    rows = [row for row in code_list("region") if row["level"] in LEVELS or row["code"] == "CHN"]
    known = constants.table(anchor, rows, dict.fromkeys(("code", "name", "name_en", "parent"), "string"))
    return _rows(
        known, subject_id=_region(F.col("code")), subject_type=F.lit("region"), name=F.col("name"),
        name_en=F.col("name_en"), parent_id=_region(F.nullif("parent", F.lit(""))), region_code=F.col("code"),
        synthetic=F.lit(False),
    )  # fmt: skip


def _enterprises(enterprise: DataFrame) -> DataFrame:
    return _rows(
        enterprise, subject_id=F.col("subject_id"), subject_type=F.lit("enterprise"), name=F.col("name"),
        parent_id=_region(F.col("region_code")), region_code=F.col("region_code"), industry_code=F.col("industry_code"),
        synthetic=F.coalesce("synthetic", F.lit(False)),
    )  # fmt: skip


def _buildings(meters: DataFrame) -> DataFrame:
    each = meters.groupBy("subject_id", "building_id", "region_code").agg(F.count(F.lit(1)).alias("hours"))
    name = F.concat(F.lit("Building "), F.col("building_id"))
    return _rows(
        each, subject_id=F.col("subject_id"), subject_type=F.lit("facility"), name=name, name_en=name,
        parent_id=_region(F.col("region_code")), region_code=F.col("region_code"), synthetic=F.lit(False),
    )  # fmt: skip


def _region(code: Column) -> Column:
    return F.concat(F.lit("region:"), code)


def _rows(frame: DataFrame, **given: Column) -> DataFrame:
    return frame.select(*(given.get(name, F.lit(None).cast("string")).alias(name) for name in COLUMNS))
