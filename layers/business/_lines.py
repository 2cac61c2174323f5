"""Line items: activity × method × factors in force, or the reason why there is none."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.business import _formulas
from layers.business._cases import GWP, cases, slots
from layers.business._eras import eras
from layers.business._library import KEY, conversions
from layers.history import found, of_the_day, states
from layers.numbers import to_double
from models.formulas import co2e
from models.method import methods
from models.variant import PUBLISHED, Variant
from schemas.numbers import LIMIT

# KEY as rows of activity are joined by it: what a subject is, in one text that is put together once for each of its states.
JOINED = ("activity_code", "unit", "grain", "era", "place")
WITHOUT_INDUSTRY, NO_INDUSTRY = ("region", "park", "individual"), "*"
HOUR = "v_hour"  # the factor of the hour, in the unit that the method wants


def lines(
    activity: DataFrame, subject: DataFrame, factor: DataFrame, factor_hour: DataFrame, variant: Variant = PUBLISHED
) -> DataFrame:
    """Return one row per activity and method that applies, with every value, `mass`, `co2e` (t, double) and `reason`.

    `reason` is NULL for a line item; else it says why there is none: no_method, unit, no_factor, negative, out_of_range.
    `counts` is true for a line item and false for the others. The large side is joined to small ones and never sorted.
    """
    located = _located(activity, subject, factor)
    chosen = cases_of(located, factor, variant)
    on = [located[name] == chosen[f"c_{name}"] for name in JOINED]
    # The small side stands first: that is the side the embedded engine builds its hash table of, hint or not.
    joined = F.broadcast(chosen).join(located, on, "right")
    joined = F.broadcast(by_hour(factor_hour, variant)).join(joined, same_hour(), "right").withColumn(HOUR, hour_value())
    quantity = F.col("amount") * F.col("scale")
    # An engine puts in a column again wherever it is named, filters included: name `mass` seldom.
    valued = joined.withColumn("q", quantity).withColumn("mass", _formulas.mass(HOUR))
    valued = valued.withColumn("co2e", co2e(F.col("mass"), F.col("v_gwp"))).withColumn("reason", _reason())
    return valued.withColumn("counts", _counts())


def cases_of(kinds: DataFrame, factor: DataFrame, variant: Variant = PUBLISHED) -> DataFrame:
    """Return the cases of kinds of activity with what one unit makes, `ready` and a `case_id`; columns of KEY after `c_`.

    A case is a method with the factors that one kind of activity takes. It is `ready` where only the quantity decides
    whether a row of activity makes a line of it.
    """
    chosen = _formulas.with_coefficient(cases(kinds, factor, variant))
    ready = (F.col("lacking") == "") & F.col("scale").isNotNull() & F.col("hour_role").isNull()
    named = {
        "line_suffix": F.concat(F.lit("|"), "method_id", F.lit("|"), "gas"),
        "case_id": F.concat_ws("|", "method_id", *(F.col(name).cast("string") for name in KEY)),  # see `kinds_of`
        "ready": F.coalesce(ready, F.lit(False)),
        "c_place": _place("region_code", "industry_code", "own_subject"),
    }
    renamed = (F.col(name).alias(f"c_{name}" if name in KEY else name) for name in chosen.columns)
    return chosen.select(*renamed, *(column.alias(name) for name, column in named.items()))


def kinds_of(lines: DataFrame) -> DataFrame:
    """Return the kinds of activity (KEY) of line items, read from their `case_id`, of which there are few."""
    few = lines.groupBy("case_id").agg(F.count(F.lit(1)).alias("_rows"))
    # What comes last may hold the sign that parts the others: the name of a subject is anything.
    parts = F.split("case_id", "[|]", len(KEY) + 1)
    types = {"era": "date"}
    return few.select(*(parts[place].cast(types.get(name, "string")).alias(name) for place, name in enumerate(KEY, 1)))


def line_id() -> Column:
    """Return the id of a line: which activity, by which method, which gas."""
    return F.concat("activity_id", "line_suffix")


def _located(activity: DataFrame, subject: DataFrame, factor: DataFrame) -> DataFrame:
    """Add what KEY asks for of the subject as it was on the day of the activity, and since when it was so.

    Its region, its industry, and whether the library has rows of its own. States of one subject never overlap.
    """
    owning = factor.where("subject_id is not null").groupBy(F.col("subject_id").alias("o_subject_id")).agg(
        F.count(F.lit(1)).alias("_rows"))  # fmt: skip
    # Who has no industry by nature takes what all take, and who is not described at all; of whom is described, but without
    # it, nobody can say what the guide leaves out.
    industry = F.coalesce("industry_code", F.when(F.col("subject_type").isin(*WITHOUT_INDUSTRY), F.lit(NO_INDUSTRY)))
    told = subject.select("subject_id", "valid_from", "valid_to", "region_code", industry.alias("industry_code"))
    places = states(told, "s")
    owned = places.join(owning, F.col("s_subject_id") == owning["o_subject_id"], "left")
    # All that can be put together here is, once for each state; the large side only takes it.
    names = {"region_code": "s_region_code", "industry_code": "s_industry_code", "own_subject": "o_subject_id"}
    of_state = [F.coalesce(of, F.lit("")).alias(f"p_{name}") for name, of in names.items()]
    described = owned.select("s_subject_id", "s_valid_from", "s_valid_to", *of_state)
    described = described.withColumn("p_place", _place(*(f"p_{name}" for name in names)))
    joined = F.broadcast(described).join(activity, of_the_day(activity["subject_id"], activity["date"], "s"), "right")
    days = eras(activity, factor)
    joined = F.broadcast(days).join(joined, joined["date"] == days["e_date"], "right")
    unknown = {"region_code": "", "industry_code": NO_INDUSTRY, "own_subject": "", "place": f"|{NO_INDUSTRY}|"}
    known = [F.coalesce(f"p_{name}", F.lit(value)).alias(name) for name, value in unknown.items()]
    # Here once for each activity, below the join that makes lines of it: an engine would put it in wherever it is named.
    amount = to_double(F.col("quantity")).alias("amount")
    return joined.select(*activity.columns, "era", *known, found(F.col("s_valid_from")).alias("subject_from"), amount)


def _place(*names: str) -> Column:
    return F.concat_ws("|", *names)


def by_hour(factor_hour: DataFrame, variant: Variant) -> DataFrame:
    """The factors by hour that may have been known on the day that a variant asks for: none of an hour to come."""
    if variant.known_on is not None:
        day = F.to_date(F.from_utc_timestamp("period_start", "UTC"))
        factor_hour = factor_hour.where(day <= F.lit(variant.known_on))
    names = ("factor_set", "role", "activity_code", "period_start", "factor_id", "value", "unit")
    place = F.coalesce("subject_id", "region_code", F.lit("")).alias("h_place")
    return factor_hour.select(*(F.col(name).alias(f"h_{name}") for name in names), place)


def same_hour() -> Column:
    """Tell whether a factor of `by_hour` is that of the row's hour, by the role, set and place that its method asks for."""
    same = (F.col("hour_role") == F.col("h_role")) & (F.col("hour_set") == F.col("h_factor_set"))
    for name in ("activity_code", "period_start"):
        same = same & (F.col(name) == F.col(f"h_{name}"))
    place = F.when(F.col("hour_of") == "subject", F.col("subject_id")).otherwise(F.col("region_code"))
    return same & (place == F.col("h_place"))


def hour_value() -> Column:
    """The factor of the hour in the unit that the method wants; NULL where its unit does not convert."""
    wanted = {part.unit for one in methods().values() for part in one.factors.values() if part.grain}
    times: Column = F.when(F.lit(False), F.lit(0.0))
    for (unit, target), value in conversions().items():
        if target in wanted:
            times = times.when((F.col("h_unit") == unit) & (F.col("hour_unit") == target), F.lit(value))
    return F.col("h_value") * times


def _reason() -> Column:
    no_hour = F.col("hour_role").isNotNull() & F.col(HOUR).isNull()
    return (
        F.when(F.col("method_id").isNull(), F.lit("no_method"))
        .when(F.col("scale").isNull(), F.lit("unit"))
        .when((F.col("lacking") != "") | no_hour, F.lit("no_factor"))
        .when(F.col("q") < 0, F.lit("negative"))
        .when(~_small(), F.lit("out_of_range"))
    )


def _small() -> Column:
    # No warming potential is below one, so tonnes of CO2 equivalents are the larger figure of the two to fix.
    return F.coalesce(F.abs(F.col("co2e")) < F.lit(LIMIT), F.lit(False))


def _counts() -> Column:
    """Tell whether there is no reason against a line; nearly all cases are ready, and the long way is left to the others."""
    fine = ~F.coalesce(F.col("q") < 0, F.lit(False)) & _small()
    return F.when(F.coalesce("ready", F.lit(False)), fine).otherwise(F.col("reason").isNull())


__all__ = [
    "GWP", "HOUR", "NO_INDUSTRY", "by_hour", "cases_of", "hour_value", "kinds_of", "line_id", "lines", "same_hour", "slots",
]  # fmt: skip
