"""Which row of the factor library serves a kind of activity best: the declared order of resolution."""

from __future__ import annotations

from functools import cache
from itertools import product

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from layers import constants
from layers.codes import section
from models import units
from models.method import PARENT, methods
from schemas.codes import code_list
from schemas.contracts import contracts
from schemas.errors import UserError

# All that a choice of method and factor looks at. Region and industry are '' where nobody says (industry '*' of who has none
# by nature: a park, a region, a person, and of who is not described); own_subject is '' where the library has no row of the
# subject's own, and days between which nothing changes are one era (_eras), so that kinds stay few.
KEY = ("activity_code", "unit", "grain", "era", "region_code", "industry_code", "own_subject")
NATION = "CHN"
APART = "^(71|81|82)"  # Taiwan, Hong Kong, Macao: announcements for the nation (MEE 2024 no. 12, NCSC) leave them out
OWN_KINDS = ("override", "measured")  # rows of one subject that serve whatever method asks for their role
LIBRARY_UNITS = {  # that factors come in, too, and that laboratories measure in
    "kgCO2/kWh", "gCO2/kWh", "tCO2/MWh", "tC/TJ", "kgC/GJ", "kgCO2/GJ", "tCO2/TJ", "kg/TJ", "kgCO2/t", "kg/t", "g/kg",
    "tC/t", "kJ/kg", "MJ/kg", "GJ/t", "TJ/kt", "kcal/kg", "kJ/Nm3", "MJ/Nm3", "kcal/Nm3", "GJ/1e4Nm3", "g/Nm3", "%",
    "kgCF4/tAl", "kgC2F6/tAl", "tN2O/t", "kgCH4/t", "tCH4/(a*unit)", "kg/(a*head)", "kg/hectare", "kgCH4/kgCOD",
    "kgCH4/kgBOD", "kgCO2/kg", "kg/GJ", "kg/Nm3", "Nm3/t", "Nm3/min*day", "mg/km",
}  # fmt: skip
OPEN = ("activity_code", "region_code", "industry_code", "gas", "subject_id", "technology")  # where NULL means any
# How near a factor was, from `_region_rank` (GB/T 2260 has six digits).
NEARNESS = {5: "region", 4: "city", 3: "province", 2: "grid", 1: "nation", 0: "everywhere"}


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
        if not units.same_matter(given, target):  # a tonne of carbon is no tonne of CO2, though both are tonnes
            continue
        try:
            found[given, target] = units.factor(given, target)
        except UserError:  # another dimension: a row that asks for it is reported as unresolved
            continue
    return found


def candidates(applied: DataFrame, asked: DataFrame, factor: DataFrame) -> DataFrame:
    """Return every factor that may serve each kind, method, choice and slot; a row without one where there is none."""
    rows = applied.select(*KEY, "grid_code", "method_id").join(F.broadcast(asked), "method_id")
    rows = rows.where(~F.col("idle") | (F.col("own_subject") != "")).withColumns(
        {"asked_activity": _asked_activity(), "section": section(F.col("industry_code"))}
    )
    own = F.coalesce(F.col("kind").isin(*OWN_KINDS) & F.col("subject_id").isNotNull(), F.lit(False))
    library = factor.select(
        F.col("role").alias("l_role"), F.when(own, F.col("kind")).otherwise(F.col("factor_set")).alias("l_set"),
        "factor_id", F.col("value").alias("l_value"), "known_from", "uncertainty_percent",
        F.coalesce("valid_from", F.lit("0001-01-01").cast("date")).alias("valid_from"),
        F.coalesce("valid_to", F.lit("9999-12-31").cast("date")).alias("valid_to"), F.col("unit").alias("l_unit"),
        *(F.coalesce(name, F.lit("")).alias(f"l_{name}") for name in OPEN),
    )  # fmt: skip
    serves = (
        (F.col("role") == F.col("l_role"))
        & (F.col("asked_set") == F.col("l_set"))
        & F.col("l_subject_id").isin("", F.col("own_subject"))
        & _of_activity()
        & F.col("l_gas").isin("", F.col("asked_gas"))
        & F.col("l_technology").isin("", F.col("asked_technology"))
        & _region_rank().isNotNull()
        & (F.col("industry_code").startswith(F.col("l_industry_code")) | (F.col("l_industry_code") == F.col("section")))
        & (F.col("valid_from") <= F.col("era"))
        & (F.col("earlier") | (F.col("valid_to") >= F.col("era")))
    )
    return rows.join(library, serves, "left")


def best(candidates: DataFrame, anchor: DataFrame) -> DataFrame:
    """Keep one factor for each kind, method, choice and slot, with its value in the unit of the method, or the default.

    In force before earlier; the subject's own; the sets in order; the nearest region, industry and technology; the
    newest. `chosen_by` tells what decided: override, measured, own, a level of NEARNESS, or default.
    """
    in_force = F.col("valid_to") >= F.col("era")
    order = [
        F.when(in_force, F.lit(2)).when(F.col("factor_id").isNotNull(), F.lit(1)).otherwise(F.lit(0)).desc(),
        F.col("place"),
        F.when(~in_force, F.col("valid_to")).desc(),
        F.when(F.col("l_subject_id") != "", F.lit(1)).otherwise(F.lit(0)).desc(),
        _region_rank().desc(),
        *(F.length(f"l_{name}").desc() for name in ("industry_code", "technology", "activity_code")),
        F.col("valid_from").desc(),
        F.col("known_from").desc(),
        F.col("factor_id"),
    ]
    place = F.row_number().over(Window.partitionBy(*KEY, "method_id", "choice", "slot").orderBy(*order))
    first = candidates.select("*", place.alias("_place"), (~in_force).alias("late")).where("_place = 1")
    timed = converted(first, "l_unit", "asked_unit", "times", anchor)
    scaled = timed.withColumn("scaled", F.when(_is_of_gas(), F.col("l_value") * F.col("times")))
    defaulted = F.col("factor_id").isNull() & F.col("asked_default").isNotNull()
    return scaled.select(
        *KEY, "method_id", "choice", "slot", "input", "late", defaulted.alias("defaulted"),
        F.coalesce("uncertainty_percent", "asked_percent").alias("uncertainty_percent"),
        F.when(defaulted, F.col("asked_default")).otherwise(F.col("scaled")).alias("value"), "factor_id",
        F.when(F.col("factor_id").isNotNull(), F.col("asked_set")).alias("source_set"),
        (F.col("own") & F.col("factor_id").isNotNull()).alias("own"), _chosen_by().alias("chosen_by"),
        _in_choice().alias("from_choice"),
    )  # fmt: skip


def _asked_activity() -> Column:
    """Name the activities whose factors serve, where an input says so; `parent` is the activity itself and the one above it."""
    named = {code for one in methods().values() for code in one.activities
             if any(part.of_activity == (PARENT,) for part in one.factors.values())}  # fmt: skip
    above: Column = F.when(F.lit(False), F.lit(""))
    for row in code_list("activity"):
        if row["code"] in named and row["parent"]:
            above = above.when(F.col("activity_code") == row["code"], F.lit(f"{row['code']},{row['parent']}"))
    return F.when(F.col("asked_activity") == PARENT, above).otherwise(F.col("asked_activity"))


def _of_activity() -> Column:
    """Tell whether a factor is of the activity, or of one whose factors the input takes; or of any."""
    asked = F.split(F.coalesce("asked_activity", "activity_code"), ",")
    return (F.col("l_activity_code") == "") | F.array_contains(asked, F.col("l_activity_code"))


def _is_of_gas() -> Column:
    """Tell whether the mass that a unit names, if it names one, is of the gas: tCO2e is no tonne of CH4 to be warmed again."""
    named = F.regexp_extract("l_unit", "^[^/]*(CO2|CH4|N2O|CF4|C2F6)", 1)
    return (named == "") | (named == F.col("asked_gas")) | (F.col("asked_gas") == "GHG")


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
        .when(chinese & ~mine.rlike(APART) & (its == NATION), F.lit(1))
    )


def _in_choice() -> Column:
    """The set that is being tried, where the factor is of it; a NULL factor has no set."""
    return F.when(F.col("factor_id").isNotNull() & (F.col("asked_set") == F.col("choice_set")), F.col("asked_set"))


def _chosen_by() -> Column:
    """What decided for a factor; empty where there is none."""
    told = F.when(F.col("factor_id").isNull(), F.when(F.col("asked_default").isNotNull(), F.lit("default")))
    told = told.when(F.col("own"), F.col("asked_set")).when(F.col("l_subject_id") != "", F.lit("own"))
    for rank, name in NEARNESS.items():
        told = told.when(_region_rank() == rank, F.lit(name))
    return told
