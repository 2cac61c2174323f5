"""Which method applies to which kind of activity, and with which factors. Small, whatever the data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from layers import constants
from layers.business._library import KEY, best, candidates, converted
from models.method import Method, methods
from models.variant import PUBLISHED, Variant
from schemas.codes import code_list

GWP = "gwp"  # every line asks for it, beside the inputs of its method
NOBODY = ("-",)  # the industry of no subject
OWN_SETS = ("override", "measured")  # what a subject says of itself, by `kind` of the factor; the first goes first
LIMITS = ("grains", "industries", "not_industries", "method_from", "method_to")  # of the activity that a method applies to
# Of every slot: value in the unit of the method, its factor, the set, how near it was, its uncertainty in percent.
OF_SLOT = {"v": "value", "f": "factor_id", "s": "source_set", "b": "chosen_by", "z": "uncertainty_percent"}


def cases(kinds: DataFrame, factor: DataFrame, variant: Variant = PUBLISHED) -> DataFrame:
    """Return one row per kind of activity (KEY; rows of `kinds` may tell it often) and method: what it takes and with what.

    That is the method's attributes, scale, and OF_SLOT of every slot.

    A slot is the place of a factor in its method, or GWP. All come from the first of the method's sets that is
    complete, but for what the subject measured and what the method mixes or defaults (`measured`, `defaulted`).
    `lacking` names what even the first set does not have; `fallback` is true where one is of an earlier year.
    """
    kinds = kinds.groupBy(*KEY).agg(F.count(F.lit(1)).alias("_rows")).select(*KEY)
    known = list(methods().values())
    applying = F.broadcast(_methods(factor, known))
    placed = kinds.join(F.broadcast(_grids(factor)), F.substring("region_code", 1, 2) == F.col("province"), "left")
    applied = placed.join(applying.select("activity_code", "method_id", *LIMITS), "activity_code").where(
        F.array_contains(F.split("grains", ","), F.col("grain"))
        & F.regexp_like("industry_code", F.col("industries"))
        & ~F.regexp_like("industry_code", F.col("not_industries"))
        & ((F.col("industry_code") != "") | (F.col("not_industries") == _pattern(NOBODY)))
        & (F.col("era") >= F.col("method_from"))
        & (F.col("era") <= F.col("method_to"))
    )
    asked = _asked(factor, known, variant.gwp_set)
    chosen = best(candidates(applied, asked, known_of(factor, variant)), factor)
    named = _first(_wide(chosen)).join(applying.drop(*LIMITS), ["activity_code", "method_id"])
    return _standing(converted(named, "unit", "method_unit", "scale", factor), known)


def slots() -> tuple[str, ...]:
    """Return the names of the slots: a number for each factor that a method may have, and the GWP."""
    return (*map(str, range(max(len(one.slots) for one in methods().values()))), GWP)


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
        "method_unit": one.inputs[one.quantity].unit,
        "hour_input": one.hourly,
        "hour_role": hourly and (hourly.factor_role or one.hourly),
        "hour_unit": hourly and hourly.unit,
        "hour_of": hourly and hourly.hour_of,
        "hour_set": hourly and (hourly.sets or one.sets)[0],
        "grains": ",".join(one.grains),
        "industries": _pattern(one.industries),
        "not_industries": _pattern(one.not_industries or NOBODY),
        "method_from": str(one.valid_from),
        "method_to": str(one.valid_to or "9999-12-31"),
    }


def _pattern(industries: Sequence[str]) -> str:
    """What the industry of a subject looks like; the letter of a section stands for its divisions."""
    parts = {row["code"]: row["parent"] for row in code_list("industry") if row["level"] == "division"}
    prefixes = [code for one in industries for code in ([c for c, p in parts.items() if p == one] if one.isalpha() else [one])]
    return f"^({'|'.join(prefixes)})"


def _asked(anchor: DataFrame, known: list[Method], gwp_set: str) -> DataFrame:
    """One row per method, set that it tries (`choice`), slot, and set that the slot may be filled from (`place`)."""
    rows = [row for one in known for choice, set_ in enumerate(one.sets or ("",))
            for row in _asked_of(one, choice, set_, gwp_set)]  # fmt: skip
    types = dict.fromkeys(rows[0], "string") | dict.fromkeys(("choice", "place"), "int")
    types |= dict.fromkeys(("asked_default", "asked_percent"), "double")
    return constants.table(anchor, rows, types | dict.fromkeys(("own", "idle", "earlier"), "boolean"))


def _asked_of(one: Method, choice: int, set_: str, gwp_set: str) -> list[dict[str, Any]]:
    rows = []
    for slot, (name, part) in enumerate(one.slots.items()):
        own = OWN_SETS if "none" not in (one.measured, part.measured) else ()
        for place, source in enumerate((*own, *(part.sets or (set_,)))):
            own_set = source in OWN_SETS
            idle = own_set and place < len(own)  # without rows of its own a subject needn't ask here; a last place stays
            rows.append({"method_id": one.id, "choice": choice, "choice_set": set_, "slot": str(slot), "input": name,
                         "role": part.factor_role or name, "asked_set": source, "place": place, "own": own_set, "idle": idle,
                         "asked_gas": one.gas, "asked_unit": part.unit, "asked_technology": part.technology,
                         "asked_activity": ",".join(part.of_activity) or None,
                         "asked_default": part.default, "asked_percent": part.uncertainty_percent,
                         "earlier": one.fallback == "latest_earlier" and not own_set})  # fmt: skip
    gwp = {"slot": GWP, "input": GWP, "role": GWP, "asked_set": gwp_set, "place": 0, "asked_unit": "1",
           "own": False, "idle": False, "earlier": False, "asked_activity": None}  # fmt: skip
    return [*rows, gwp | {"method_id": one.id, "choice": choice, "choice_set": set_, "asked_gas": one.gas,
                          "asked_technology": "", "asked_default": None, "asked_percent": None}]  # fmt: skip


def known_of(factor: DataFrame, variant: Variant) -> DataFrame:
    """The factors that were known on the day that a variant asks for."""
    if variant.known_on is None:
        return factor
    return factor.where(F.col("known_from").isNull() | (F.col("known_from") <= F.lit(variant.known_on)))


def _wide(chosen: DataFrame) -> DataFrame:
    """Turn the slots of one kind, method and choice into columns."""
    columns = [
        F.max(F.when(F.col("slot") == slot, F.col(source))).alias(f"{prefix}_{slot}")
        for slot in slots()
        for prefix, source in OF_SLOT.items()
    ]
    gone = [
        F.max(F.when((F.col("slot") == slot) & F.col("value").isNull(), F.concat("input", F.lit(" ")))).alias(f"_{slot}")
        for slot in slots()
    ]
    flags = [F.max(F.when(F.col(name), F.lit(1)).otherwise(F.lit(0))).alias(name) for name in ("late", "defaulted", "own")]
    found = chosen.groupBy(*KEY, "method_id", "choice").agg(*columns, *gone, *flags, F.max("from_choice").alias("factor_set"))
    lacking = F.trim(reduce(F.concat, [F.coalesce(f"_{slot}", F.lit("")) for slot in slots()]))
    kept = [F.col(f"{prefix}_{slot}") for slot in slots() for prefix in OF_SLOT]
    told = {"fallback": "late", "defaulted": "defaulted", "measured": "own"}
    return found.select(*KEY, "method_id", "choice", "factor_set", *kept, lacking.alias("lacking"),
                        *((F.col(flag) == 1).alias(name) for name, flag in told.items()))  # fmt: skip


def _first(wide: DataFrame) -> DataFrame:
    """Keep the first complete set of each kind and method, all in force before one of an earlier year; else the first."""
    complete = F.col("lacking") == ""
    whole = F.when(complete & ~F.col("fallback"), F.lit(2)).when(complete, F.lit(1)).otherwise(F.lit(0))
    place = F.row_number().over(Window.partitionBy(*KEY, "method_id").orderBy(whole.desc(), F.col("choice")))
    return wide.select("*", place.alias("_place")).where("_place = 1").drop("_place", "choice")


def _standing(chosen: DataFrame, known: list[Method]) -> DataFrame:
    """Leave out a method where one that stands instead of it is complete, and the latter where it is not.

    Complete is what has every factor and takes the unit of the activity: else a line would be lost to one that is none.
    """
    pairs = [(one.id, other) for one in known for other in one.instead_of]
    if not pairs:
        return chosen
    kind = Window.partitionBy(*KEY)
    gone: list[Column] = []
    seen: list[Column] = []
    for place, (first, second) in enumerate(pairs):
        is_first, is_second = F.col("method_id") == first, F.col("method_id") == second
        able = is_first & (F.col("lacking") == "") & F.col("scale").isNotNull()
        complete = F.max(F.when(able, F.lit(1)).otherwise(F.lit(0))).over(kind)
        there = F.max(F.when(is_second, F.lit(1)).otherwise(F.lit(0))).over(kind)
        seen += [complete.alias(f"_c{place}"), there.alias(f"_t{place}")]
        whole = F.col(f"_c{place}") == 1
        gone += [is_second & whole, is_first & ~whole & (F.col(f"_t{place}") == 1)]
    dropped = reduce(lambda a, b: a | b, gone)
    # All of them in one step: they share their window, and a step of its own for each would make the plan deep.
    return (
        chosen.select("*", *seen).where(~dropped).drop(*(f"_{letter}{place}" for place in range(len(pairs)) for letter in "ct"))
    )
