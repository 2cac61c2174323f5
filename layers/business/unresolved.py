"""Activity that no line item could be made of, and why, with what would help: never a zero."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers import constants
from layers.business._cases import known_of
from layers.business._gaps import gaps
from layers.business._library import APART, NATION
from layers.business._lines import NO_INDUSTRY, lines
from layers.business._places import dated
from layers.business._uncounted import uncounted
from models.method import methods
from models.variant import PUBLISHED, Variant

COLUMNS = ("activity_id", "method_id", "reason", "lacking", "suggestion", "subject_id", "subject_from", "date", "grain",
           "activity_code", "quantity", "unit", "missing_periods", "region_code")  # fmt: skip
OF_GAPS = ("subject_id", "activity_code", "unit", "grain", "date")


def transform(
    activity: DataFrame, subject: DataFrame, factor: DataFrame, factor_hour: DataFrame, overlap: DataFrame | None = None,
    variant: Variant = PUBLISHED,
) -> DataFrame:  # fmt: skip
    """Return one row per activity and method that gave none, per gap, and per thing told twice of which a part counts nowhere.

    `method_id` is '' where no method applies. Without `overlap` nothing was told twice.
    """
    made = lines(activity, subject, factor, factor_hour, variant).where("not counts").select(
        "activity_id", F.coalesce("method_id", F.lit("")).alias("method_id"), _reason().alias("reason"),
        F.when(F.col("reason") == "no_factor", F.coalesce(F.nullif("lacking", F.lit("")), "hour_role")).alias("lacking"),
        "subject_id", "subject_from", "date", "grain", "activity_code", "quantity", "unit", "method_unit",
        F.lit(None).cast("int").alias("missing_periods"), F.nullif("region_code", F.lit("")).alias("region_code"),
    )  # fmt: skip
    same = (F.col("method_id") == F.col("o_method")) & (F.col("activity_code") == F.col("o_activity"))
    first = F.substring_index("lacking", " ", 1) == F.col("o_input")
    known = F.broadcast(_offers(known_of(factor, variant))).join(made, same & first, "right")
    told = _told(activity, overlap)
    found = known.withColumn("suggestion", _suggestion()).select(*COLUMNS).unionByName(_missing(told, subject))
    return found if overlap is None else found.unionByName(uncounted(overlap, subject, COLUMNS))


def _told(activity: DataFrame, overlap: DataFrame | None) -> DataFrame:
    """Return what was told, with what does not stand: a month that another telling settles is no gap."""
    told = activity.select(*OF_GAPS, "quantity")
    if overlap is None:
        return told
    back = (F.lit(0).cast("decimal(28,6)") - F.col("quantity")).cast("decimal(28,6)").alias("quantity")
    return told.unionByName(overlap.select(*OF_GAPS, back))


def _reason() -> Column:
    """Where a method is for industries only, or not for some, a subject without one has no method for that reason."""
    asking = sorted({code for one in methods().values() if one.industries or one.not_industries for code in one.activities})
    homeless = (
        (F.col("reason") == "no_method") & F.col("industry_code").isin("", NO_INDUSTRY) & F.col("activity_code").isin(*asking, "")
    )
    return F.when(homeless, F.lit("no_industry")).otherwise(F.col("reason"))


def _offers(factor: DataFrame) -> DataFrame:
    """The newest row of any set for each method, input and activity: what a person would look for first.

    Rows of one region are no offer to others: what a kilowatt-hour emits in Austria is of no use in Hong Kong.
    """
    rows = [{"o_method": one.id, "o_input": name, "o_role": part.factor_role or name, "o_activity": code}
            for one in methods().values() for name, part in one.slots.items() for code in one.activities]  # fmt: skip
    asked = constants.table(factor, rows, dict.fromkeys(rows[0], "string"))
    anywhere = F.coalesce("region_code", F.lit(NATION)) == NATION
    library = factor.where("subject_id is null and activity_code is not null").where(anywhere).groupBy(
        F.col("role").alias("l_role"), F.col("activity_code").alias("l_activity"))  # fmt: skip
    year = F.coalesce(F.substring(F.col("valid_from").cast("string"), 1, 4), F.lit("any year"))
    newest = library.agg(F.max(F.struct(year.alias("year"), F.col("factor_set").alias("set"))).alias("offer"))
    same = (F.col("o_role") == F.col("l_role")) & (F.col("o_activity") == F.col("l_activity"))
    return asked.join(newest, same).select("o_method", "o_input", "o_activity", "o_role", "offer")


def _suggestion() -> Column:
    held = F.concat(F.lit("set "), F.col("offer")["set"], F.lit(" has "), F.col("o_role"), F.lit(" of "), F.col("offer")["year"])
    offer = F.concat(held, F.lit(": name it in factor_sets of "), F.col("method_id"), F.lit(", or set a factor of the subject"))
    land = F.concat(F.lit("no set has "), F.col("lacking"), F.lit(" for "), F.col("activity_code"),
                    F.lit(": land a factor library that does, or set a factor of the subject"))  # fmt: skip
    publishes = F.lit(
        " out: land what its utility publishes as a factor library with this region_code, or set a factor of the subject"
    )
    apart = F.concat(F.lit("announcements for the mainland leave "), F.col("region_code"), publishes)
    is_apart = F.coalesce(F.col("region_code").rlike(APART), F.lit(False)) & F.col("activity_code").contains("electricity")
    declare = F.concat(F.lit("declare a method for "), F.col("activity_code"), F.lit(" in models/methods"))
    known = sorted({code for one in methods().values() for code in one.activities})
    other = F.concat(F.lit("nothing to do where the guide of the industry has no such term as "), F.col("activity_code"),
                     F.lit("; else declare a method for it in models/methods"))  # fmt: skip
    unit = F.concat(
        F.lit("deliver the quantity in a unit that converts to "), F.col("method_unit"), F.lit(", not in "), F.col("unit")
    )
    return (
        F.when((F.col("reason") == "no_method") & F.col("activity_code").isin(*known), other)
        .when(F.col("reason") == "no_method", declare)
        .when(F.col("reason") == "no_industry", F.concat(F.lit("give the industry (GB/T 4754) of "), F.col("subject_id")))
        .when(F.col("reason") == "unit", unit)
        .when((F.col("reason") == "no_factor") & is_apart, apart)
        .when(F.col("reason") == "no_factor", F.coalesce(offer, land))
        .when(F.col("reason") == "negative", F.lit("correct the quantity at its source: what leaves is an activity of its own"))
        .otherwise(F.lit("correct the quantity at its source: the emission is no number that a decimal holds"))
    )


def _missing(activity: DataFrame, subject: DataFrame) -> DataFrame:
    """Gaps as rows, with the amount of the periods on both sides, which is what is at stake."""
    told = dated(gaps(activity), subject)
    place = F.concat_ws("|", F.lit("gap"), "subject_id", "activity_code", "unit", "grain", F.col("date").cast("string"))
    texts = {"method_id": "", "reason": "gap"}
    return told.select(
        place.alias("activity_id"), *(F.lit(text).alias(name) for name, text in texts.items()),
        F.lit(None).cast("string").alias("lacking"),
        F.concat(F.lit("ask for "), F.col("missing_periods").cast("string"), F.lit(" "), F.col("grain"),
                 F.lit("(s) from "), F.col("date").cast("string")).alias("suggestion"),
        "subject_id", "subject_from", "date", "grain", "activity_code", "quantity", "unit", "missing_periods",
        F.lit(None).cast("string").alias("region_code"),
    )  # fmt: skip
