"""Conflicts between libraries: factors of the same thing at the same time with different values."""

from __future__ import annotations

from functools import cache

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers import constants
from models import units
from schemas.errors import UserError

SAME = ("role", "activity_code", "region_code", "industry_code", "technology", "gas")
KEPT = ("library", "factor_set", "value", "unit", "source", "valid_from", "valid_to")
# Units that libraries come in, and those in which two values are divided: of one measure one stands here.
GIVEN = ("tC/GJ", "tC/TJ", "kgC/GJ", "kgCO2/GJ", "kgCO2/TJ", "tCO2/TJ", "kg/TJ", "tCO2/MWh", "kgCO2/kWh", "gCO2/kWh",
         "GJ/t", "MJ/kg", "kJ/kg", "TJ/Gg", "GJ/1e4Nm3", "kJ/m3", "tCO2/t", "kgCO2/t", "kg/t", "t/t", "1", "%",
         "kgce/kg", "tce/t")  # fmt: skip
COMPARED = ("tC/GJ", "GJ/t", "GJ/1e4Nm3", "1")
EQUAL = 1e-9  # relative; values of two libraries that are written the same are the same


def transform(factor: DataFrame) -> DataFrame:
    """Return pairs of defaults of two libraries that hold on some day together and differ; ratio in one unit."""
    ours = (F.col("kind") == "default") & F.col("activity_code").isNotNull() & F.col("library").isNotNull()
    known = _comparable(factor.where(ours), factor)
    first, second = _side(known, "first"), _side(known, "second")
    same = (F.col("first_thing") == F.col("second_thing")) & (F.col("first_library") < F.col("second_library"))
    pairs = first.join(second, same & _together(), "inner")
    ratio = F.when(F.col("first_common") != 0, F.col("second_common") / F.col("first_common"))
    differ = F.abs(F.col("second_common") - F.col("first_common")) > F.lit(EQUAL) * F.abs("first_common")
    return pairs.where(differ).select(
        "first_id", "second_id", *(F.col(f"first_{name}").alias(name) for name in SAME if name != "technology"),
        F.greatest("first_valid_from", "second_valid_from").alias("valid_from"),
        F.least("first_valid_to", "second_valid_to").alias("valid_to"),
        *(F.col(f"{side}_{name}").alias(f"{side}_{short}") for side in ("first", "second")
          for name, short in (("library", "library"), ("factor_set", "set"), ("value", "value"), ("unit", "unit"),
                              ("source", "source"))),
        ratio.alias("ratio"),
    )  # fmt: skip


def _side(known: DataFrame, side: str) -> DataFrame:
    names = [F.col(name).alias(f"{side}_{name}") for name in (*SAME, *KEPT, "common", "thing")]
    return known.select(F.col("factor_id").alias(f"{side}_id"), *names)


def _together() -> Column:
    """TRUE where some day lies in both periods."""
    open_from, open_to = F.lit("0001-01-01").cast("date"), F.lit("9999-12-31").cast("date")
    return (F.coalesce("first_valid_from", open_from) <= F.coalesce("second_valid_to", open_to)) & (
        F.coalesce("second_valid_from", open_from) <= F.coalesce("first_valid_to", open_to)
    )


def _comparable(frame: DataFrame, anchor: DataFrame) -> DataFrame:
    """Add the value in the unit of its measure, and what it is of, the measure included (its own unit where nobody knows it).

    One column to be equal, so that no engine compares every row with every other.
    """
    table = constants.table(anchor, _times(), {"u_unit": "string", "u_measure": "string", "times": "double"})
    joined = frame.join(F.broadcast(table), F.col("unit") == F.col("u_unit"), "left")
    common = F.col("value") * F.coalesce("times", F.lit(1.0))
    thing = F.concat_ws("|", *(F.coalesce(name, F.lit("")) for name in SAME), F.coalesce("u_measure", "unit"))
    return joined.withColumn("common", common).withColumn("thing", thing)


@cache
def _times() -> list[dict[str, object]]:
    return [{"u_unit": unit, "u_measure": common, "times": factor} for unit in GIVEN
            for common, factor in _converted(unit)]  # fmt: skip


def _converted(unit: str) -> list[tuple[str, float]]:
    for common in COMPARED:
        try:
            return [(common, units.factor(unit, common))]
        except UserError:  # another measure
            continue
    return []
