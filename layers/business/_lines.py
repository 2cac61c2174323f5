"""Line items: activity × method × factors in force, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable

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

WITHOUT_INDUSTRY, NO_INDUSTRY = ("region", "park", "individual"), "*"
HOUR = "v_hour"  # the factor of the hour, in the unit that the method wants


def lines(
    activity: DataFrame, subject: DataFrame, factor: DataFrame, factor_hour: DataFrame, variant: Variant = PUBLISHED,
    spread: Callable[[DataFrame], DataFrame] = lambda chosen: chosen,
) -> DataFrame:  # fmt: skip
    """Return one row per activity and method that applies, with every value, `mass`, `co2e` (t, double) and `reason`.

    `reason` is NULL for a line item; else it says why there is none: no_method, unit, no_factor, negative, out_of_range.
    The large side is joined to small ones and never sorted. `spread` makes several rows of each kind and method, before
    activity is joined to them.
    """
    located = _located(activity, subject, factor)
    chosen = spread(_renamed(_formulas.with_coefficient(cases(located, factor, variant))))
    on = [located[name] == chosen[f"c_{name}"] for name in KEY]
    # The small side stands first: that is the side the embedded engine builds its hash table of, hint or not.
    joined = F.broadcast(chosen).join(located, on, "right")
    joined = F.broadcast(_by_hour(factor_hour, variant)).join(joined, _same_hour(), "right").withColumn(HOUR, _hour_value())
    quantity = F.col("amount") * F.col("scale")
    # An engine puts in a column again wherever it is named, filters included: name `mass` seldom.
    valued = joined.withColumn("q", quantity).withColumn("mass", _formulas.mass(HOUR))
    return valued.withColumn("co2e", co2e(F.col("mass"), F.col("v_gwp"))).withColumn("reason", _reason())


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
    joined = F.broadcast(owned).join(activity, of_the_day(activity["subject_id"], activity["date"], "s"), "right")
    days = eras(activity, factor)
    joined = F.broadcast(days).join(joined, joined["date"] == days["e_date"], "right")
    names = {"region_code": "s_region_code", "own_subject": "o_subject_id"}
    known = [F.coalesce(of, F.lit("")).alias(name) for name, of in names.items()]
    stated = F.when(F.col("s_valid_from").isNull(), F.lit(NO_INDUSTRY)).otherwise(F.coalesce("s_industry_code", F.lit("")))
    known.append(stated.alias("industry_code"))
    # Here once for each activity, below the join that makes lines of it: an engine would put it in wherever it is named.
    amount = to_double(F.col("quantity")).alias("amount")
    return joined.select(*activity.columns, "era", *known, found(F.col("s_valid_from")).alias("subject_from"), amount)


def _renamed(chosen: DataFrame) -> DataFrame:
    suffix = F.concat(F.lit("|"), "method_id", F.lit("|"), "gas").alias("line_suffix")
    return chosen.select(*(F.col(name).alias(f"c_{name}" if name in KEY else name) for name in chosen.columns), suffix)


def _by_hour(factor_hour: DataFrame, variant: Variant) -> DataFrame:
    """The factors by hour that may have been known on the day that a variant asks for: none of an hour to come."""
    if variant.known_on is not None:
        day = F.to_date(F.from_utc_timestamp("period_start", "UTC"))
        factor_hour = factor_hour.where(day <= F.lit(variant.known_on))
    names = ("factor_set", "role", "activity_code", "period_start", "factor_id", "value", "unit")
    place = F.coalesce("subject_id", "region_code", F.lit("")).alias("h_place")
    return factor_hour.select(*(F.col(name).alias(f"h_{name}") for name in names), place)


def _same_hour() -> Column:
    same = (F.col("hour_role") == F.col("h_role")) & (F.col("hour_set") == F.col("h_factor_set"))
    for name in ("activity_code", "period_start"):
        same = same & (F.col(name) == F.col(f"h_{name}"))
    place = F.when(F.col("hour_of") == "subject", F.col("subject_id")).otherwise(F.col("region_code"))
    return same & (place == F.col("h_place"))


def _hour_value() -> Column:
    """The factor of the hour in the unit that the method wants; NULL where its unit does not convert."""
    wanted = {part.unit for one in methods().values() for part in one.factors.values() if part.grain}
    times: Column = F.when(F.lit(False), F.lit(0.0))
    for (unit, target), value in conversions().items():
        if target in wanted:
            times = times.when((F.col("h_unit") == unit) & (F.col("hour_unit") == target), F.lit(value))
    return F.col("h_value") * times


def _reason() -> Column:
    no_hour = F.col("hour_role").isNotNull() & F.col(HOUR).isNull()
    # No warming potential is below one, so tonnes of CO2 equivalents are the larger figure of the two to fix.
    small = F.coalesce(F.abs(F.col("co2e")) < F.lit(LIMIT), F.lit(False))
    return (
        F.when(F.col("method_id").isNull(), F.lit("no_method"))
        .when(F.col("scale").isNull(), F.lit("unit"))
        .when((F.col("lacking") != "") | no_hour, F.lit("no_factor"))
        .when(F.col("q") < 0, F.lit("negative"))
        .when(~small, F.lit("out_of_range"))
    )


__all__ = ["GWP", "HOUR", "NO_INDUSTRY", "line_id", "lines", "slots"]
