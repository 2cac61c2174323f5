"""What went into a line item: the activity row and every factor, with the value and unit it was taken with."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers import constants
from layers.business._lines import GWP, HOUR, by_hour, cases_of, hour_value, kinds_of, same_hour, slots
from models.method import Method, methods
from models.variant import PUBLISHED, Variant

ACTIVITY = "activity"  # the slot of the one input that is no factor
HOURLY = ("hour_role", "hour_set", "hour_of", "hour_unit", "hour_input")  # of a method that asks for a factor of the hour
COLUMNS = ("line_id", "role", "kind", "ref_id", "value", "unit", "factor_set", "chosen_by", "uncertainty_percent")


def transform(emission: DataFrame, factor: DataFrame, factor_hour: DataFrame, variant: Variant = PUBLISHED) -> DataFrame:
    """Return one row per line and parameter of its formula, the GWP included.

    A line names the case by which it was counted, and all lines of a case have the same factors: so they are put into
    rows while cases are few. A line of no case that is known and complete here has a row without a role, one without the
    factor of its hour a row without a value: the rules refuse both.
    """
    # Of lines that were made with other factors than those at hand, what is missing must not be passed over.
    cases = cases_of(kinds_of(emission), factor, variant).where("lacking = '' and scale is not null")
    few = _by_parameter(factor, cases)
    rows = F.broadcast(few).join(emission, F.col("r_case") == F.col("case_id"), "right")
    is_activity = F.col("kind") == ACTIVITY
    value = F.when(is_activity, F.col("activity_data")).otherwise(F.col("r_value")).alias("value")
    ref = F.when(is_activity, F.col("activity_id")).otherwise(F.col("r_ref")).alias("ref_id")
    told = ("unit", F.col("r_set").alias("factor_set"), "chosen_by", F.col("r_percent").alias("uncertainty_percent"))
    return rows.select("line_id", "role", "kind", ref, value, *told).unionByName(_of_hours(emission, cases, factor_hour, variant))


def _of_hours(emission: DataFrame, cases: DataFrame, factor_hour: DataFrame, variant: Variant) -> DataFrame:
    """Return the factors by hour of the lines whose method asks for one."""
    asking = cases.where("hour_role is not null").select(
        F.col("case_id").alias("r_case"), F.col("c_region_code").alias("region_code"), *HOURLY
    )
    lines = F.broadcast(asking).join(emission, F.col("r_case") == F.col("case_id"))
    rows = F.broadcast(by_hour(factor_hour, variant)).join(lines, same_hour(), "right").withColumn(HOUR, hour_value())
    found = {"role": "hour_input", "ref_id": "h_factor_id", "value": HOUR, "unit": "hour_unit", "factor_set": "hour_set"}
    known = {"kind": F.lit("factor"), "chosen_by": F.lit("hour"), "uncertainty_percent": F.lit(None).cast("double")}
    named = known | {name: F.col(of) for name, of in found.items()}
    return rows.select("line_id", *(named[name].alias(name) for name in COLUMNS[1:]))


def _by_parameter(anchor: DataFrame, cases: DataFrame) -> DataFrame:
    """Make a row of each parameter of a case; that of the activity has no value yet."""
    inputs = [_input(ACTIVITY, *(F.lit(None).cast(type_) for type_ in ("string", "double", "string", "string", "double")))]
    inputs += [_input(slot, *(F.col(f"{prefix}_{slot}") for prefix in "fvsbz")) for slot in slots()]
    long = cases.select("case_id", "method_id", F.inline(F.array(*inputs)))
    same = (F.col("method_id") == F.col("r_method")) & (F.col("slot") == F.col("r_slot"))
    is_activity = F.col("slot") == ACTIVITY
    named = long.join(F.broadcast(_roles(anchor)), same).where(F.col("value").isNotNull() | is_activity)
    kind = F.when(is_activity, F.lit(ACTIVITY)).when(F.col("ref_id").isNull(), F.lit("default")).otherwise(F.lit("factor"))
    return named.select(
        F.col("case_id").alias("r_case"), "role", kind.alias("kind"), F.coalesce("ref_id", "method_id").alias("r_ref"),
        F.col("value").alias("r_value"), "unit", F.col("input_set").alias("r_set"), "chosen_by",
        F.col("uncertainty_percent").alias("r_percent"),
    )  # fmt: skip


def _input(slot: str, *told: Column) -> Column:
    names = ("ref_id", "value", "input_set", "chosen_by", "uncertainty_percent")
    return F.struct(F.lit(slot).alias("slot"), *(one.alias(name) for name, one in zip(names, told, strict=True)))


def _roles(anchor: DataFrame) -> DataFrame:
    """One row per method and slot: the parameter and the unit that the method wants it in."""
    rows = [{"r_method": one.id, "r_slot": slot, "role": name, "unit": unit}
            for one in methods().values() for slot, (name, unit) in _places(one).items()]  # fmt: skip
    return constants.table(anchor, rows, dict.fromkeys(rows[0], "string"))


def _places(one: Method) -> dict[str, tuple[str, str]]:
    found = {str(slot): (name, part.unit) for slot, (name, part) in enumerate(one.slots.items())}
    return {ACTIVITY: (one.quantity, one.inputs[one.quantity].unit), **found, GWP: (GWP, "1")}
