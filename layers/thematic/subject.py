"""Who emits: regions of the code list, what master data tell of, and whoever acts in a table of activity."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers import constants
from layers.history import SINCE, standing
from layers.thematic._acting import acting
from layers.thematic._masters import Masters, region_id
from layers.thematic._parks import parked
from schemas.codes import code_list

LEVELS = ("province", "grid")  # cities and counties are codes of the list, not subjects of their own
COLUMNS = ("subject_id", "subject_type", "name", "name_en", "parent_id", "region_code", "industry_code", "enterprise_id",
           "park_id", "successor_id", "valid_from", "valid_to", "latest", "synthetic")  # fmt: skip


def transform(
    enterprise: DataFrame, park: DataFrame, project: DataFrame, individual: DataFrame, facility: DataFrame,
    sources: dict[str, DataFrame],
) -> DataFrame:  # fmt: skip
    """Return one row per subject and state; `parent_id` is whose part it is, else the region it stands in.

    States of one subject never overlap. A facility that names no park stands in that of its enterprise. Who acts is known
    from the tables of activity that carry `region_code` beside their subject; master data come before that.
    """
    told = Masters(enterprise, park, project, individual, facility).told()
    return reduce(DataFrame.unionByName, [_regions(enterprise), _masters(told), *map(_acting, acting(sources, told))])


def _regions(anchor: DataFrame) -> DataFrame:
    rows = [row for row in code_list("region") if row["level"] in LEVELS or row["code"] == "CHN"]
    known = constants.table(anchor, rows, dict.fromkeys(("code", "name", "name_en", "parent"), "string"))
    return _rows(
        known, subject_id=region_id(F.col("code")), subject_type=F.lit("region"), name=F.col("name"),
        name_en=F.col("name_en"), parent_id=region_id(F.nullif("parent", F.lit(""))), region_code=F.col("code"),
        synthetic=F.lit(False),
    )  # fmt: skip


def _masters(told: DataFrame) -> DataFrame:
    states = parked(standing(told, "subject_id"))
    return _rows(states, **{name: F.col(name) for name in COLUMNS if name in states.columns})


def _acting(own: DataFrame) -> DataFrame:
    """Return one row per subject, a facility or an industry of a region.

    Of two places the larger code stands, which `subject_finding` tells of (`two_places`).
    """
    one = own.groupBy("subject_id").agg(
        F.max("region_code").alias("region_code"), F.max("industry_code").alias("industry_code"),
        F.max(F.col("synthetic").cast("int")).alias("synthetic"),
    )  # fmt: skip
    kind, number = (F.regexp_extract("subject_id", "^([^:]*):(.*)$", part) for part in (1, 2))
    name = F.concat(F.initcap(kind), F.lit(" "), number)
    type_ = F.when(kind == "industry", kind).otherwise(F.lit("facility"))
    return _rows(
        one, subject_id=F.col("subject_id"), subject_type=type_, name=name, name_en=name,
        parent_id=region_id(F.col("region_code")), region_code=F.col("region_code"),
        industry_code=F.col("industry_code"), synthetic=F.col("synthetic") == 1,
    )  # fmt: skip


def _rows(frame: DataFrame, **given: Column) -> DataFrame:
    """Return rows of the table; a subject that nobody dates has one state, from the beginning on."""
    undated = {"valid_from": F.lit(SINCE).cast("date"), "valid_to": F.lit(None).cast("date"), "latest": F.lit(True)}
    return frame.select(*((undated | given).get(name, F.lit(None).cast("string")).alias(name) for name in COLUMNS))
