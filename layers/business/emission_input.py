"""What went into a line item: the activity row and every factor, with the value and unit it was taken with."""

from __future__ import annotations

from functools import partial

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers import constants
from layers.business._lines import GWP, HOUR, line_id, lines, slots
from models.method import Method, methods
from models.variant import PUBLISHED, Variant

ACTIVITY, BY_HOUR = "activity", "hour"  # slots of the inputs that are no factor of a kind
TOLD = tuple(f"{prefix}_" for prefix in "fsbz")  # of the columns of slots; their values stay, for formulas by hour


def transform(
    activity: DataFrame, subject: DataFrame, factor: DataFrame, factor_hour: DataFrame, variant: Variant = PUBLISHED
) -> DataFrame:
    """Return one row per line and parameter of its formula, the GWP included."""
    made = lines(activity, subject, factor, factor_hour, variant, partial(_by_parameter, factor)).where("reason is null")
    of_activity, of_hour = F.col("slot") == ACTIVITY, F.col("slot") == BY_HOUR
    value = F.when(of_activity, F.col("q")).when(of_hour, F.col(HOUR)).otherwise(F.col("value")).alias("value")
    ref = F.when(of_activity, F.col("activity_id")).when(of_hour, F.col("h_factor_id")).otherwise(F.col("ref_id")).alias("ref_id")
    told = ("role", "kind", ref, value, "input_unit", "input_set", "chosen_by", "uncertainty_percent")
    named = made.select(line_id().alias("line_id"), *told).withColumnsRenamed({"input_unit": "unit", "input_set": "factor_set"})
    return named.where("value is not null")


def _by_parameter(anchor: DataFrame, chosen: DataFrame) -> DataFrame:
    """Make a row of each parameter of a kind and method, while they are few; activity and hour fill in theirs later."""
    text, number = F.lit(None).cast("string"), F.lit(None).cast("double")
    inputs = [_input(ACTIVITY, text, number, text, text, number)]
    inputs += [_input(slot, *(F.col(f"{prefix}_{slot}") for prefix in "fvsbz")) for slot in slots()]
    inputs += [_input(BY_HOUR, text, number, F.col("hour_set"), F.lit("hour"), number)]
    long = chosen.select(*(name for name in chosen.columns if name[:2] not in TOLD), F.inline(F.array(*inputs)))
    same = (F.col("method_id") == F.col("r_method")) & (F.col("slot") == F.col("r_slot"))
    named = long.join(F.broadcast(_roles(anchor)), same).where(F.col("value").isNotNull() | F.col("slot").isin(ACTIVITY, BY_HOUR))
    default = F.col("ref_id").isNull() & ~F.col("slot").isin(ACTIVITY, BY_HOUR)
    kind = F.when(default, F.lit("default")).otherwise(F.col("r_kind")).alias("kind")
    ref = F.coalesce("ref_id", "method_id").alias("ref_id")
    return named.select(*(name for name in named.columns if name not in ("ref_id", "r_kind")), kind, ref)


def _input(slot: str, *told: Column) -> Column:
    names = ("ref_id", "value", "input_set", "chosen_by", "uncertainty_percent")
    return F.struct(F.lit(slot).alias("slot"), *(one.alias(name) for name, one in zip(names, told, strict=True)))


def _roles(anchor: DataFrame) -> DataFrame:
    """One row per method and slot: the parameter and the unit that the method wants it in."""
    rows = [{"r_method": one.id, "r_slot": slot, "role": name, "input_unit": unit,
             "r_kind": "activity" if slot == ACTIVITY else "factor"}
            for one in methods().values() for slot, (name, unit) in _places(one).items()]  # fmt: skip
    return constants.table(anchor, rows, dict.fromkeys(rows[0], "string"))


def _places(one: Method) -> dict[str, tuple[str, str]]:
    found = {str(slot): (name, part.unit) for slot, (name, part) in enumerate(one.slots.items())}
    hourly = {BY_HOUR: (one.hourly, one.factors[one.hourly].unit)} if one.hourly else {}
    return {ACTIVITY: (one.quantity, one.inputs[one.quantity].unit), **found, **hourly, GWP: (GWP, "1")}
