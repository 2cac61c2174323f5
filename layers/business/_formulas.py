"""The formulas of methods over columns: what one unit of activity makes and how sure that is, worked out on the small side."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.method import Method, formula, methods
from models.uncertainty import BY_GRADE

STEP = 0.01  # of a parameter, for the slope of a formula that is no plain product


def with_coefficient(chosen: DataFrame) -> DataFrame:
    """Add `coefficient`: tonnes of gas for one of the quantity, NULL where a factor comes by hour or is not to be had.

    And `variance`: the square of the uncertainty that the factors give it, in percent; NULL where one is not known. A
    formula is proportional to the quantity (models.method refuses others), so the large side only multiplies.
    """
    return chosen.withColumn("coefficient", _by_way(_coefficient)).withColumn("variance", _by_way(_variance))


def mass(hour: str) -> Column:
    """Return tonnes of gas from `q`, the coefficient and, for methods by the hour, the factor in the column `hour`."""
    tonnes: Column = F.when(F.col("hour_role").isNull(), F.col("q") * F.col("coefficient"))
    for one in methods().values():
        if one.hourly:
            values = _values(one) | {one.hourly: F.col(hour), one.quantity: F.col("q")}
            tonnes = tonnes.when(F.col("method_id") == one.id, one.mass(values))
    return tonnes


def uncertainty() -> Column:
    """Return the uncertainty of a line in percent: activity and factors by IPCC 2006 vol. 1 eq. 3.1, NULL where unknown.

    Warming potentials are taken as exact, as inventories do (IPCC 2006 vol. 1, 3.2.3.1).
    """
    grades = [F.when(F.col("data_grade") == grade, F.lit(percent * percent)) for grade, percent in BY_GRADE.items()]
    return F.sqrt(F.coalesce(*grades) + F.col("variance"))


def _by_way(value: Callable[[Method], Column]) -> Column:
    """One branch for each way to calculate, not for each method: many methods share a formula."""
    found: Column = F.when(F.lit(False), F.lit(0.0))
    for same in _ways().values():
        found = found.when(F.col("method_id").isin(*(one.id for one in same)), value(same[0]))
    return found


def _coefficient(one: Method) -> Column:
    return one.mass(_values(one) | {one.quantity: F.lit(1.0)})  # type: ignore[no-any-return]


def _variance(one: Method) -> Column:
    """Eq. 3.1 with the elasticity of the formula in each parameter, which is one throughout for a plain product."""
    percents = {name: F.col(f"z_{slot}") for slot, name in enumerate(one.slots)}
    parts = [percents[name] * percents[name] * _elasticity(one, name) for name in one.slots]
    return reduce(add, parts) if parts else F.lit(None).cast("double")


def _elasticity(one: Method, name: str) -> Column:
    """The square of how many percent the mass moves with one percent of a parameter."""
    if _in_proportion(one, name):
        return F.lit(1.0)
    values = _values(one) | {one.quantity: F.lit(1.0)}
    up, down = (one.mass(values | {name: values[name] * F.lit(1 + step)}) for step in (STEP, -STEP))
    middle = one.mass(values)
    slope: Column = (up - down) / F.when(middle != 0, middle * F.lit(2 * STEP))
    return slope * slope


def _in_proportion(one: Method, name: str) -> bool:
    values = {each: 0.5 + 0.07 * place for place, each in enumerate(one.inputs)}
    once, twice = (one.mass(values | {name: values[name] * times}) for times in (1, 2))
    return abs(twice - 2 * once) <= 1e-9 * abs(twice)  # type: ignore[no-any-return]


def _ways() -> dict[object, list[Method]]:
    """Methods by what makes their arithmetic the same: formula, quantity, and the parameter of each slot."""
    found: dict[object, list[Method]] = {}
    for one in methods().values():
        if not one.hourly:
            found.setdefault((formula(one), one.quantity, tuple(one.slots)), []).append(one)
    return found


def _values(one: Method) -> dict[str, Column]:
    return {name: F.col(f"v_{slot}") for slot, name in enumerate(one.slots)}
