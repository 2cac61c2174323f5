"""What went into a line item: the activity row and every factor, with the value and unit it was taken with."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.business._lines import GWP, HOUR, factor_names, line_id, lines
from models.method import methods
from models.variant import PUBLISHED, Variant


def transform(
    activity: DataFrame, subject: DataFrame, factor: DataFrame, factor_hour: DataFrame, variant: Variant = PUBLISHED
) -> DataFrame:
    """Return one row per line and parameter of its formula, the GWP included."""
    done = lines(activity, subject, factor, factor_hour, variant).where("reason is null")
    inputs = [_input(_of_method(_quantity_roles()), "activity", F.col("activity_id"), F.col("q"))]
    inputs += [_input(F.lit(name), "factor", F.col(f"f_{name}"), F.col(f"v_{name}")) for name in factor_names()]
    inputs += [_input(_of_method(_hour_roles()), "factor", F.col("h_factor_id"), F.col(HOUR))]
    long = done.select(line_id().alias("line_id"), "method_id", F.inline(F.array(*inputs))).where("value is not null")
    return long.select("line_id", "role", "kind", "ref_id", "value", _unit().alias("unit"))


def _input(role: Column, kind: str, ref: Column, value: Column) -> Column:
    return F.struct(role.alias("role"), F.lit(kind).alias("kind"), ref.alias("ref_id"), value.alias("value"))


def _of_method(values: dict[str, str]) -> Column:
    chosen: Column = F.when(F.lit(False), F.lit(""))
    for method, value in values.items():
        chosen = chosen.when(F.col("method_id") == method, F.lit(value))
    return chosen


def _quantity_roles() -> dict[str, str]:
    return {one.id: one.quantity for one in methods().values()}


def _hour_roles() -> dict[str, str]:
    return {one.id: one.hourly for one in methods().values() if one.hourly}


def _unit() -> Column:
    """The unit that the method wants its input in."""
    unit: Column = F.when(F.col("role") == GWP, F.lit("1"))
    for one in methods().values():
        for name, part in one.inputs.items():
            unit = unit.when((F.col("method_id") == one.id) & (F.col("role") == name), F.lit(part.unit))
    return unit
