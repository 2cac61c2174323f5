"""Who emits: regions of the code list, what master data tell of, and whoever acts in a table of activity."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers import constants
from layers.history import SINCE, standing
from layers.thematic._masters import Masters, region_id
from schemas.codes import code_list
from schemas.contracts import contract

LEVELS = ("province", "grid")  # cities and counties are codes of the list, not subjects of their own
COLUMNS = ("subject_id", "subject_type", "name", "name_en", "parent_id", "region_code", "industry_code", "enterprise_id",
           "park_id", "successor_id", "valid_from", "valid_to", "latest", "synthetic")  # fmt: skip


def transform(
    enterprise: DataFrame, park: DataFrame, project: DataFrame, individual: DataFrame, facility: DataFrame,
    sources: dict[str, DataFrame],
) -> DataFrame:  # fmt: skip
    """Return one row per subject and state; `parent_id` is whose part it is, else the region it stands in.

    States of one subject never overlap. Who acts is known from the tables of activity that carry `region_code` beside
    their subject; master data come before that.
    """
    told = Masters(enterprise, park, project, individual, facility).told()
    placed = [_placed(table, frame) for table, frame in sorted(sources.items()) if _says_where(table)]
    acting = [_acting(reduce(DataFrame.unionByName, placed), told)] if placed else []
    return reduce(DataFrame.unionByName, [_regions(enterprise), _masters(told), *acting])


def _says_where(table: str) -> bool:
    return "region_code" in contract(table).columns


def _regions(anchor: DataFrame) -> DataFrame:
    rows = [row for row in code_list("region") if row["level"] in LEVELS or row["code"] == "CHN"]
    known = constants.table(anchor, rows, dict.fromkeys(("code", "name", "name_en", "parent"), "string"))
    return _rows(
        known, subject_id=region_id(F.col("code")), subject_type=F.lit("region"), name=F.col("name"),
        name_en=F.col("name_en"), parent_id=region_id(F.nullif("parent", F.lit(""))), region_code=F.col("code"),
        synthetic=F.lit(False),
    )  # fmt: skip


def _masters(told: DataFrame) -> DataFrame:
    states = standing(told, "subject_id")
    return _rows(states, **{name: F.col(name) for name in COLUMNS if name in states.columns})


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


def _acting(placed: DataFrame, told: DataFrame) -> DataFrame:
    """Return one row per subject, a facility unless it is a region or an enterprise, or master data tell of it."""
    known = told.select(F.col("subject_id").alias("known_id")).distinct()
    strange = placed.where(~F.col("subject_id").rlike("^(region|enterprise):"))
    own = strange.join(known, F.col("subject_id") == F.col("known_id"), "left_anti")
    latest = own.groupBy("subject_id").agg(
        F.max("region_code").alias("region_code"), F.max("industry_code").alias("industry_code"),
        F.max(F.col("synthetic").cast("int")).alias("synthetic"),
    )  # fmt: skip
    kind, number = (F.regexp_extract("subject_id", "^([^:]*):(.*)$", part) for part in (1, 2))
    name = F.concat(F.initcap(kind), F.lit(" "), number)
    return _rows(
        latest, subject_id=F.col("subject_id"), subject_type=F.lit("facility"), name=name, name_en=name,
        parent_id=region_id(F.col("region_code")), region_code=F.col("region_code"),
        industry_code=F.col("industry_code"), synthetic=F.col("synthetic") == 1,
    )  # fmt: skip


def _rows(frame: DataFrame, **given: Column) -> DataFrame:
    """Return rows of the table; a subject that nobody dates has one state, from the beginning on."""
    undated = {"valid_from": F.lit(SINCE).cast("date"), "valid_to": F.lit(None).cast("date"), "latest": F.lit(True)}
    return frame.select(*((undated | given).get(name, F.lit(None).cast("string")).alias(name) for name in COLUMNS))
