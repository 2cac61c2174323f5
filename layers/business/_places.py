"""Where a subject stands: the region, industry, park, enterprise and facility that its figures are rolled up by."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

PLACE = ("region_code", "industry_code", "park_id", "enterprise_id", "facility_id")


def placed(frame: DataFrame, subject: DataFrame) -> DataFrame:
    """Add PLACE to rows of `subject_id`; NULL where nobody says.

    A facility is part of the enterprise that its `parent_id` names. The small side stands first: that is the side the
    embedded engine builds its hash table of.
    """
    places = subject.select(
        F.col("subject_id").alias("p_subject_id"), "region_code", "industry_code", _park(subject), _enterprise(),
        F.when(F.col("subject_type") == "facility", F.col("subject_id")).alias("facility_id"),
    )  # fmt: skip
    rows = frame.drop(*PLACE)
    return F.broadcast(places).join(rows, F.col("p_subject_id") == rows["subject_id"], "right").select(*rows.columns, *PLACE)


def _park(subject: DataFrame) -> Column:
    known = F.col("park_id") if "park_id" in subject.columns else F.lit(None).cast("string")
    return F.when(F.col("subject_type") == "park", F.col("subject_id")).otherwise(known).alias("park_id")


def _enterprise() -> Column:
    parent = F.when(F.col("parent_id").startswith("enterprise:"), F.col("parent_id"))
    return F.when(F.col("subject_type") == "enterprise", F.col("subject_id")).otherwise(parent).alias("enterprise_id")
