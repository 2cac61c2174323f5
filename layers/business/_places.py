"""Where a subject stands: the region, industry, park, enterprise and facility that its figures are rolled up by."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.heads import enterprise, park
from layers.history import found, of_the_day, since, states

PLACE = ("region_code", "industry_code", "park_id", "enterprise_id", "facility_id")


def state() -> tuple[Column, Column]:
    """Return what names the state of a subject: its id, and since when it was so."""
    return F.col("subject_id"), since(F.col("subject_from")).alias("subject_from")


def dated(rows: DataFrame, subject: DataFrame) -> DataFrame:
    """Add `subject_from` to rows of `subject_id` and `date`: since when the subject was so; NEVER where nobody says."""
    known = states(subject.select("subject_id", "valid_from", "valid_to"), "d")
    joined = F.broadcast(known).join(rows, of_the_day(rows["subject_id"], rows["date"], "d"), "right")
    return joined.select(*rows.columns, found(F.col("d_valid_from")).alias("subject_from"))


def placed(frame: DataFrame, subject: DataFrame) -> DataFrame:
    """Add PLACE to rows of `subject_id` and `subject_from`; NULL where nobody says.

    A facility is part of the enterprise that its `parent_id` names. The small side stands first: that is the side the
    embedded engine builds its hash table of.
    """
    facility = F.when(F.col("subject_type") == "facility", F.col("subject_id")).alias("facility_id")
    places = subject.select(
        F.col("subject_id").alias("p_subject_id"), since(F.col("valid_from")).alias("p_from"), "region_code", "industry_code",
        park(subject), enterprise(), facility,
    )  # fmt: skip
    rows = frame.drop(*PLACE)
    same = (F.col("p_subject_id") == rows["subject_id"]) & (F.col("p_from") == rows["subject_from"])
    return F.broadcast(places).join(rows, same, "right").select(*rows.columns, *PLACE)
