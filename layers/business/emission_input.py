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
    inputs = [_input(ACTIVITY, F.col("activity_id"), F.col("q"))]
    inputs += [_input(slot, F.col(f"f_{slot}"), F.col(f"v_{slot}")) for slot in slots()]
    inputs += [_input(BY_HOUR, F.col("h_factor_id"), F.col(HOUR))]
    long = done.select(line_id().alias("line_id"), F.col("method_id").alias("m"), F.inline(F.array(*inputs)))
    named = F.broadcast(_roles(factor)).join(
        long, (F.col("m") == F.col("r_method")) & (F.col("slot") == F.col("r_slot")), "right"
    )
    kind = F.when(F.col("ref_id").isNull(), F.lit("default")).otherwise(F.col("kind")).alias("kind")
    ref = F.coalesce("ref_id", "m").alias("ref_id")
    return named.where("value is not null").select("line_id", "role", kind, ref, "value", "unit")


def _input(slot: str, ref: Column, value: Column) -> Column:
    return F.struct(F.lit(slot).alias("slot"), ref.alias("ref_id"), value.alias("value"))


def _roles(anchor: DataFrame) -> DataFrame:
    """One row per method and slot: the parameter and the unit that the method wants it in."""
    rows = [{"r_method": one.id, "r_slot": slot, "role": name, "unit": unit, "kind": "activity" if slot == ACTIVITY else "factor"}
            for one in methods().values() for slot, (name, unit) in _places(one).items()]  # fmt: skip
    return constants.table(anchor, rows, dict.fromkeys(rows[0], "string"))


def _places(one: Method) -> dict[str, tuple[str, str]]:
    found = {str(slot): (name, part.unit) for slot, (name, part) in enumerate(one.slots.items())}
    hourly = {BY_HOUR: (one.hourly, one.factors[one.hourly].unit)} if one.hourly else {}
    return {ACTIVITY: (one.quantity, one.inputs[one.quantity].unit), **found, **hourly, GWP: (GWP, "1")}
