"""The formulas of methods over columns: what one unit of activity makes, worked out on the small side."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.method import Method, formula, methods


def with_coefficient(chosen: DataFrame) -> DataFrame:
    """Add `coefficient`: tonnes of gas for one of the quantity, NULL where a factor comes by hour or is not to be had.

    A formula is proportional to the quantity (models.method refuses others), so the large side only multiplies.
    """
    return chosen.withColumn("coefficient", _coefficient())


def mass(hour: str) -> Column:
    """Return tonnes of gas from `q`, the coefficient and, for methods by the hour, the factor in the column `hour`."""
    tonnes: Column = F.when(F.col("hour_role").isNull(), F.col("q") * F.col("coefficient"))
    for one in methods().values():
        if one.hourly:
            values = _values(one) | {one.hourly: F.col(hour), one.quantity: F.col("q")}
            tonnes = tonnes.when(F.col("method_id") == one.id, one.mass(values))
    return tonnes


def _coefficient() -> Column:
    """One branch for each way to calculate, not for each method: many methods share a formula."""
    coefficient: Column = F.when(F.lit(False), F.lit(0.0))
    for same in _ways().values():
        one = same[0]
        applies = F.col("method_id").isin(*(each.id for each in same))
        coefficient = coefficient.when(applies, one.mass(_values(one) | {one.quantity: F.lit(1.0)}))
    return coefficient


def _ways() -> dict[object, list[Method]]:
    """Methods by what makes their arithmetic the same: formula, quantity, and the parameter of each slot."""
    found: dict[object, list[Method]] = {}
    for one in methods().values():
        if not one.hourly:
            found.setdefault((formula(one), one.quantity, tuple(one.slots)), []).append(one)
    return found


def _values(one: Method) -> dict[str, Column]:
    return {name: F.col(f"v_{slot}") for slot, name in enumerate(one.slots)}
