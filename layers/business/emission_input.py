"""What went into a line item: the activity row and every factor, with the value and unit it was taken with."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers import constants
from layers.business._lines import GWP, HOUR, line_id, lines, slots
from models.method import Method, methods
from models.variant import PUBLISHED, Variant

ACTIVITY, BY_HOUR = "activity", "hour"  # slots of the inputs that are no factor of a kind


def transform(
    activity: DataFrame, subject: DataFrame, factor: DataFrame, factor_hour: DataFrame, variant: Variant = PUBLISHED
) -> DataFrame:
    """Return one row per line and parameter of its formula, the GWP included."""
    done = lines(activity, subject, factor, factor_hour, variant).where("reason is null")
    none = F.lit(None).cast("string")
    inputs = [_input(ACTIVITY, F.col("activity_id"), F.col("q"), none, none, F.lit(None).cast("double"))]
    inputs += [_input(slot, *(F.col(f"{prefix}_{slot}") for prefix in "fvsbz")) for slot in slots()]
    inputs += [_input(BY_HOUR, F.col("h_factor_id"), F.col(HOUR), F.col("hour_set"), F.lit("hour"), F.lit(None).cast("double"))]
    long = done.select(line_id().alias("line_id"), F.col("method_id").alias("m"), F.inline(F.array(*inputs)))
    named = F.broadcast(_roles(factor)).join(
        long, (F.col("m") == F.col("r_method")) & (F.col("slot") == F.col("r_slot")), "right"
    )
    kind = F.when(F.col("ref_id").isNull(), F.lit("default")).otherwise(F.col("kind")).alias("kind")
    ref = F.coalesce("ref_id", "m").alias("ref_id")
    told = ("value", "unit", "factor_set", "chosen_by", "uncertainty_percent")
    return named.where("value is not null").select("line_id", "role", kind, ref, *told)


def _input(slot: str, *told: Column) -> Column:
    names = ("ref_id", "value", "factor_set", "chosen_by", "uncertainty_percent")
    return F.struct(F.lit(slot).alias("slot"), *(one.alias(name) for name, one in zip(names, told, strict=True)))


def _roles(anchor: DataFrame) -> DataFrame:
    """One row per method and slot: the parameter and the unit that the method wants it in."""
    rows = [{"r_method": one.id, "r_slot": slot, "role": name, "unit": unit, "kind": "activity" if slot == ACTIVITY else "factor"}
            for one in methods().values() for slot, (name, unit) in _places(one).items()]  # fmt: skip
    return constants.table(anchor, rows, dict.fromkeys(rows[0], "string"))


def _places(one: Method) -> dict[str, tuple[str, str]]:
    found = {str(slot): (name, part.unit) for slot, (name, part) in enumerate(one.slots.items())}
    hourly = {BY_HOUR: (one.hourly, one.factors[one.hourly].unit)} if one.hourly else {}
    return {ACTIVITY: (one.quantity, one.inputs[one.quantity].unit), **found, **hourly, GWP: (GWP, "1")}
