"""In which park a facility stands where nobody says: in that of its enterprise, on each day."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from layers.history import since, until


def parked(states: DataFrame) -> DataFrame:
    """Return states with the park of the enterprise on those that name none, divided where that park changes.

    Only where both are told to stand in one region, as far as both say: who stands elsewhere may stand in no park.
    `park_unsaid` returns those.
    """
    silent, others = states.where(_silent()), states.where(~_silent())
    whole = _wholes(states)
    days = (F.col("w_from") <= until(F.col("valid_to"))) & (F.col("w_to") >= F.col("valid_from"))
    at_once = silent.join(whole, _near() & days, "left")
    begin = F.when(F.col("w_from") > F.col("valid_from"), F.col("w_from"))
    after = F.when(F.col("w_to") < until(F.col("valid_to")), F.date_add("w_to", 1))
    begins = at_once.select(*states.columns, F.explode(F.array("valid_from", begin, after)).alias("_from"))
    every = begins.where("_from is not null").distinct()
    following = F.lead("_from").over(Window.partitionBy("subject_id", "valid_from").orderBy("_from"))
    pieces = every.withColumn("_next", following)
    held = pieces.join(whole, _near() & (F.col("_from") >= F.col("w_from")) & (F.col("_from") <= F.col("w_to")), "left")
    given = {
        "valid_from": F.col("_from"), "valid_to": F.coalesce(F.date_sub("_next", 1), F.col("valid_to")),
        "latest": F.col("latest") & F.col("_next").isNull(), "park_id": F.col("w_park"),
    }  # fmt: skip
    return others.unionByName(held.select(*(given.get(name, F.col(name)).alias(name) for name in states.columns)))


def park_unsaid(subject: DataFrame) -> DataFrame:
    """Return facilities that name no park and stand elsewhere than their enterprise, which is in one (`w_park`)."""
    silent = subject.where(_silent())
    whole = _wholes(subject)
    days = (F.col("w_from") <= until(F.col("valid_to"))) & (F.col("w_to") >= since(F.col("valid_from")))
    same = (F.col("enterprise_id") == F.col("w_id")) & days
    return silent.join(whole, same).groupBy("subject_id", "valid_from", "enterprise_id").agg(F.min("w_park").alias("w_park"))


def _silent() -> Column:
    unsaid = F.col("park_id").isNull() & F.col("enterprise_id").isNotNull()
    return F.coalesce((F.col("subject_type") == "facility") & unsaid, F.lit(False))


def _wholes(states: DataFrame) -> DataFrame:
    told = states.where("subject_type = 'enterprise' and park_id is not null")
    return told.select(
        F.col("subject_id").alias("w_id"), F.col("park_id").alias("w_park"), F.col("region_code").alias("w_region"),
        since(F.col("valid_from")).alias("w_from"), until(F.col("valid_to")).alias("w_to"),
    )  # fmt: skip


def _near() -> Column:
    """Tell whether a facility and its enterprise stand in one region, or the one within that of the other (GB/T 2260)."""
    own, of = (F.regexp_replace(name, "(00){1,2}$", "") for name in ("region_code", "w_region"))
    within = F.coalesce(own.startswith(of) | of.startswith(own), F.lit(True))
    return (F.col("enterprise_id") == F.col("w_id")) & within
