"""What emissions are made of: shares of scopes, categories, gases, activities and fuels, at every level and grain."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers import constants
from layers.business._sums import again
from layers.numbers import fix, to_double
from schemas.codes import code_list

WHOLE = ("book", "grain", "period", "level", "member")
NO_FUEL = "none"


def transform(emission_rollup: DataFrame) -> DataFrame:
    """Return one row per part of a member; the parts of one kind add up to the whole, kinds never with each other.

    The share is of the net sum, so that shares add up to 100 where some lines are negative; NULL where that is zero.
    """
    parts = _parts(emission_rollup).groupBy(*WHOLE, "kind", "part").agg(
        *again("emission_tco2e"), *again("unresolved_rows", type_="decimal(19,0)")
    )  # fmt: skip
    whole = emission_rollup.groupBy(*(F.col(name).alias(f"w_{name}") for name in WHOLE)).agg(
        F.sum("emission_tco2e").alias("whole_tco2e")
    )
    same = [F.col(name) == F.col(f"w_{name}") for name in WHOLE]
    base = to_double(F.col("whole_tco2e"))
    share = F.when(base != 0, fix(to_double(F.col("emission_tco2e")) / base * 100)).alias("share_percent")
    return parts.join(whole, same, "left").select(*WHOLE, "kind", "part", "emission_tco2e", share, "unresolved_rows")


def _parts(rollup: DataFrame) -> DataFrame:
    joined = rollup.join(F.broadcast(_fuels(rollup)), F.col("activity_code") == F.col("f_code"), "left")
    kinds: dict[str, Column] = {
        "scope": F.col("scope").cast("string"), "category": F.col("category"), "gas": F.col("gas"),
        "activity": F.col("activity_code"), "fuel": F.coalesce("fuel", F.lit(NO_FUEL)),
        "fuel_group": F.coalesce("fuel_group", F.lit(NO_FUEL)),
    }  # fmt: skip
    each = joined.select("*", F.explode(F.array(*(F.lit(name) for name in kinds))).alias("kind"))
    return each.withColumn("part", F.coalesce(*(F.when(F.col("kind") == name, part) for name, part in kinds.items())))


def _fuels(anchor: DataFrame) -> DataFrame:
    """The carrier of each activity that has one, and the group that the carrier is of (coal, oil, gas, electricity …)."""
    above = {row["code"]: row["parent"] for row in code_list("energy_carrier")}
    rows = [{"f_code": row["code"], "fuel": row["carrier_code"], "fuel_group": above[row["carrier_code"]] or row["carrier_code"]}
            for row in code_list("activity") if row["carrier_code"]]  # fmt: skip
    return constants.table(anchor, rows, dict.fromkeys(("f_code", "fuel", "fuel_group"), "string"))
