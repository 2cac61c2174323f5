"""Master data in one shape: a row for each period that a delivery tells of an enterprise, park, project, person or facility."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.history import since

# What is known of a master; `told_to` is the last day that the delivery names, if it names one.
COLUMNS = ("subject_id", "subject_type", "name", "parent_id", "region_code", "industry_code", "enterprise_id", "park_id",
           "successor_id", "valid_from", "told_to", "synthetic")  # fmt: skip


@dataclass(frozen=True)
class Masters:
    """The cleaned tables of master data."""

    enterprise: DataFrame
    park: DataFrame
    project: DataFrame
    individual: DataFrame
    facility: DataFrame

    def told(self) -> DataFrame:
        """Return all of them in one shape; whoever is part of an enterprise names it as `enterprise_id`."""
        owner = F.col("enterprise_id")
        in_region = region_id(F.col("region_code"))
        parts = [
            _told(self.enterprise, "enterprise", in_region, enterprise_id=F.col("subject_id")),
            _told(self.park, "park", in_region),
            _told(self.project, "project", F.coalesce(owner, in_region)),
            # Names of people stay where they were delivered: what is counted by others needs none.
            _told(self.individual, "individual", in_region, name=F.concat(F.lit("Individual "), F.col("individual_code"))),
            _told(self.facility, "facility", F.coalesce(owner, in_region)),
        ]
        return reduce(DataFrame.unionByName, parts)


def region_id(code: Column) -> Column:
    """Return the subject that a region is; cities and counties are codes only, their province is the subject."""
    province = F.concat(F.substring(code, 1, 2), F.lit("0000"))
    return F.concat(F.lit("region:"), F.when(code.rlike("^[0-9]{6}$"), province).otherwise(code))


def _told(frame: DataFrame, kind: str, parent: Column, **given: Column) -> DataFrame:
    fixed = {
        "subject_type": F.lit(kind), "parent_id": parent, "valid_from": since(F.col("valid_from")), "told_to": F.col("valid_to"),
        "synthetic": F.coalesce("synthetic", F.lit(False)),
    } | given  # fmt: skip
    there = set(frame.columns)
    missing = F.lit(None).cast("string")
    return frame.select(*(fixed.get(name, F.col(name) if name in there else missing).alias(name) for name in COLUMNS))
