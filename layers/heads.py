"""Whose part a subject is: the enterprise and the park that its figures are rolled up by."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

HEADS = ("enterprise_id", "park_id")  # from the smallest; a whole tells what its parts tell, too


def park(subject: DataFrame) -> Column:
    """Return the park that a row of thematic.subject is, or stands in."""
    known = F.col("park_id") if "park_id" in subject.columns else F.lit(None).cast("string")
    return F.when(F.col("subject_type") == "park", F.col("subject_id")).otherwise(known).alias("park_id")


def enterprise() -> Column:
    """Return the enterprise that a row of thematic.subject is, or is a part of: the one that its `parent_id` names."""
    parent = F.when(F.col("parent_id").startswith("enterprise:"), F.col("parent_id"))
    return F.when(F.col("subject_type") == "enterprise", F.col("subject_id")).otherwise(parent).alias("enterprise_id")


def kin(subject: DataFrame) -> DataFrame:
    """Return who was ever part of which head: `member` and `head`, an enterprise or a park; heads are members of themselves."""
    member = F.col("subject_id").alias("member")
    parts = [subject.select(member, of.alias("head")) for of in (enterprise(), park(subject))]
    return reduce(DataFrame.unionByName, parts).where("head is not null").distinct()
