"""Which method applies to which kind of activity, and which factors are in force for it. Small, whatever the data."""

from __future__ import annotations

from functools import cache, reduce
from itertools import product
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from layers import constants
from models import units
from models.method import Method, methods
from models.variant import PUBLISHED, Variant
from schemas.codes import code_list
from schemas.contracts import contracts
from schemas.errors import UserError

# All that a choice of method and factor looks at. Region and industry are '' where the subject has none.
KEY = ("activity_code", "unit", "grain", "date", "region_code", "industry_code")
GWP = "gwp"  # every line asks for it, beside the inputs of its method
NATION = "CHN"
LIBRARY_UNITS = {"kgCO2/kWh", "gCO2/kWh", "tCO2/MWh", "tC/TJ", "kgCO2/t", "tCO2/TJ"}  # that factors come in, too
LIMITS = ("grains", "method_from", "method_to")  # of the activity that a method applies to
OPEN = ("activity_code", "region_code", "industry_code", "gas")  # where NULL in a factor means any


def cases(activity: DataFrame, factor: DataFrame, variant: Variant = PUBLISHED) -> DataFrame:
    """Return one row per kind of activity (KEY) and method: the method's attributes, scale, v_, f_ of every factor.

    `lacking` names the factors that are not to be had; `fallback` is true where one is of an earlier year.
    """
    kinds = activity.groupBy(*KEY).agg(F.count(F.lit(1)).alias("_rows")).select(*KEY)
    known = list(methods().values())
    applying = F.broadcast(_methods(factor, known))
    placed = kinds.join(F.broadcast(_grids(factor)), F.substring("region_code", 1, 2) == F.col("province"), "left")
    applied = placed.join(applying.select("activity_code", "method_id", *LIMITS), "activity_code").where(
        F.array_contains(F.split("grains", ","), F.col("grain"))
        & (F.col("date") >= F.col("method_from"))
        & (F.col("date") <= F.col("method_to"))
    )
    asked = _asked(factor, known, variant.gwp_set)
    wide = _wide(_best(_candidates(applied, asked, _known(factor, variant)), factor))
    named = wide.join(applying.drop(*LIMITS), ["activity_code", "method_id"])
    return converted(named, "unit", "method_unit", "scale", factor)


def factor_names() -> tuple[str, ...]:
    """Return the names of all inputs that take factors, of all methods, and the GWP."""
    return (*sorted({name for one in methods().values() for name in one.factors}), GWP)


def converted(frame: DataFrame, given: str, wanted: str, name: str, anchor: DataFrame) -> DataFrame:
    """Add what a value in the unit `given` is multiplied by to be in that of `wanted`; NULL where it does not convert.

    One small join, where a CASE of all pairs would make the plan many times larger.
    """
    rows = [{"u_given": one, "u_wanted": other, name: value} for (one, other), value in conversions().items()]
    table = constants.table(anchor, rows, {"u_given": "string", "u_wanted": "string", name: "double"})
    same = (F.col(given) == F.col("u_given")) & (F.col(wanted) == F.col("u_wanted"))
    return frame.join(F.broadcast(table), same, "left").drop("u_given", "u_wanted")


def conversions() -> dict[tuple[str, str], float]:
    """Return (unit, unit a method wants) → factor, for the units of contracts and methods that convert."""
    wanted = {one.unit for method in methods().values() for one in method.inputs.values()} | {"1"}
    columns = {column.unit for one in contracts().values() for column in one.columns.values() if column.unit}
    return _conversions(frozenset(wanted | columns | LIBRARY_UNITS), frozenset(wanted))


@cache
def _conversions(known: frozenset[str], wanted: frozenset[str]) -> dict[tuple[str, str], float]:
    found = {}
    for given, target in product(sorted(known), sorted(wanted)):
        try:
            found[given, target] = units.factor(given, target)
        except UserError:  # another dimension: a row that asks for it is reported as unresolved
            continue
    return found


def _grids(anchor: DataFrame) -> DataFrame:
    """The grid of each province; Tibet has no factor of its own and takes that of its grid."""
    rows = [{"province": row["code"][:2], "grid_code": row["grid"]} for row in code_list("region")
            if row["level"] == "province" and row["grid"]]  # fmt: skip
    return constants.table(anchor, rows, {"province": "string", "grid_code": "string"})


def _methods(anchor: DataFrame, known: list[Method]) -> DataFrame:
    """One row per method and activity code."""
    rows = [_attributes(one) | {"activity_code": code} for one in known for code in one.activities]
    types = dict.fromkeys(rows[0], "string") | {"scope": "int", "method_from": "date", "method_to": "date"}
    return constants.table(anchor, rows, types)


def _attributes(one: Method) -> dict[str, Any]:
    hourly = one.factors.get(one.hourly) if one.hourly else None
    return {
        "method_id": one.id,
        "gas": one.gas,
        "scope": one.scope,
        "category": one.category,
        "book": one.book,
        "factor_set": one.factor_set,
        "method_unit": one.inputs[one.quantity].unit,
        "hour_role": hourly and (hourly.factor_role or one.hourly),
        "hour_unit": hourly and hourly.unit,
        "grains": ",".join(one.grains),
        "method_from": str(one.valid_from),
        "method_to": str(one.valid_to or "9999-12-31"),
    }


def _asked(anchor: DataFrame, known: list[Method], gwp_set: str) -> DataFrame:
    """One row per method and factor it asks for, those by hour excepted; the GWP of its gas is one of them."""
    rows = [
        {"method_id": one.id, "input": name, "role": part.factor_role or name, "asked_set": one.factor_set,
         "asked_gas": one.gas, "asked_unit": part.unit, "earlier": one.fallback == "latest_earlier"}
        for one in known for name, part in one.factors.items() if not part.grain
    ]  # fmt: skip
    rows += [{"method_id": one.id, "input": GWP, "role": GWP, "asked_set": gwp_set, "asked_gas": one.gas,
              "asked_unit": "1", "earlier": False} for one in known]  # fmt: skip
    return constants.table(anchor, rows, dict.fromkeys(rows[0], "string") | {"earlier": "boolean"})


def _known(factor: DataFrame, variant: Variant) -> DataFrame:
    """The factors that were known on the day that a variant asks for."""
    if variant.known_on is None:
        return factor
    return factor.where(F.col("known_from").isNull() | (F.col("known_from") <= F.lit(variant.known_on)))


def _candidates(applied: DataFrame, asked: DataFrame, factor: DataFrame) -> DataFrame:
    """Every factor that may serve, with how near it is; a row without one where there is none."""
    rows = applied.select(*KEY, "grid_code", "method_id").join(F.broadcast(asked), "method_id")
    library = factor.select(
        F.col("role").alias("l_role"), F.col("factor_set").alias("l_set"), "factor_id", "value", "known_from",
        F.coalesce("valid_from", F.lit("0001-01-01").cast("date")).alias("valid_from"),
        F.coalesce("valid_to", F.lit("9999-12-31").cast("date")).alias("valid_to"), F.col("unit").alias("l_unit"),
        *(F.coalesce(name, F.lit("")).alias(f"l_{name}") for name in OPEN),
    )  # fmt: skip
    serves = (
        (F.col("role") == F.col("l_role"))
        & (F.col("asked_set") == F.col("l_set"))
        & F.col("l_activity_code").isin("", F.col("activity_code"))
        & F.col("l_gas").isin("", F.col("asked_gas"))
        & _region_rank().isNotNull()
        & F.col("industry_code").startswith(F.col("l_industry_code"))
        & (F.col("valid_from") <= F.col("date"))
        & (F.col("earlier") | (F.col("valid_to") >= F.col("date")))
    )
    return rows.join(library, serves, "left")


def _region_rank() -> Column:
    """How near the region of a factor is: same, city, province, grid, nation, everywhere (GB/T 2260 has six digits)."""
    mine, its = F.col("region_code"), F.col("l_region_code")
    chinese = mine.rlike("^[0-9]{6}$")
    province = F.concat(F.substring(mine, 1, 2), F.lit("0000"))
    return (
        F.when(its == "", F.lit(0))
        .when(its == mine, F.lit(5))
        .when(chinese & (its == F.concat(F.substring(mine, 1, 4), F.lit("00"))), F.lit(4))
        .when(chinese & (its == province), F.lit(3))
        .when(chinese & (its == F.col("grid_code")), F.lit(2))
        .when(chinese & (its == NATION), F.lit(1))
    )


def _best(candidates: DataFrame, anchor: DataFrame) -> DataFrame:
    """Keep one factor for each kind, method and input: in force before earlier, then the nearest, then the newest."""
    in_force = F.col("valid_to") >= F.col("date")
    order = [
        F.when(in_force, F.lit(1)).otherwise(F.lit(0)).desc(),
        F.when(~in_force, F.col("valid_to")).desc(),
        _region_rank().desc(),
        F.length("l_industry_code").desc(),
        F.length("l_activity_code").desc(),
        F.col("valid_from").desc(),
        F.col("known_from").desc(),
        F.col("factor_id"),
    ]
    place = F.row_number().over(Window.partitionBy(*KEY, "method_id", "input").orderBy(*order))
    first = candidates.select("*", place.alias("place"), (~in_force).alias("late")).where("place = 1")
    return converted(first, "l_unit", "asked_unit", "times", anchor).withColumn("scaled", F.col("value") * F.col("times"))


def _wide(best: DataFrame) -> DataFrame:
    """Turn the inputs of one kind and method into columns."""
    columns = [
        F.max(F.when(F.col("input") == name, F.col(source))).alias(f"{prefix}_{name}")
        for name in factor_names()
        for prefix, source in (("v", "scaled"), ("f", "factor_id"))
    ]
    gone = [
        F.max(F.when((F.col("input") == name) & F.col("scaled").isNull(), F.lit(f"{name} "))).alias(f"_{name}")
        for name in factor_names()
    ]
    late = F.max(F.when(F.col("late"), F.lit(1)).otherwise(F.lit(0)))
    found = best.groupBy(*KEY, "method_id").agg(*columns, *gone, late.alias("late"))
    lacking = F.trim(reduce(F.concat, [F.coalesce(f"_{name}", F.lit("")) for name in factor_names()]))
    kept = [F.col(f"{prefix}_{name}") for name in factor_names() for prefix in "vf"]
    return found.select(*KEY, "method_id", *kept, lacking.alias("lacking"), (F.col("late") == 1).alias("fallback"))
