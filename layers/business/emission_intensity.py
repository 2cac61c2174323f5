"""Emission per gross domestic product, person and output: both sides are added first, and divided once."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from layers import constants
from layers.business._library import conversions
from layers.business._sums import again
from layers.numbers import fix, to_double
from schemas.codes import code_list

PRODUCERS = ("enterprise", "facility")  # above them, what is emitted is not of those alone who make the product
BOTH = "1+2"  # of one emitter; of a region they count what its plants sell to its users twice
SCOPES = {"0": (0,), "1": (0, 1), "2": (0, 2), "3": (0, 3), BOTH: (0, 1, 2)}  # what no method takes may be of any
NAMED = ("denominator", "denominator_value", "denominator_unit", "source", "confidence")


def transform(
    emission_rollup: DataFrame, activity_rollup: DataFrame, region_indicator: DataFrame, owid_co2: DataFrame
) -> DataFrame:
    """Return one row per book, year, member, scopes and denominator that has a figure; without one there is no intensity.

    Scopes stay apart, but for those of who makes a product: its own emission and that of what it buys are never another's
    here. A product that is told in units which do not convert has a row for each, and no intensity.
    """
    sides = [_indicators(region_indicator), _countries(owid_co2), _outputs(activity_rollup)]
    under = reduce(DataFrame.unionByName, sides)
    over = _emissions(emission_rollup)
    same = (F.col("year") == F.col("d_year")) & (F.col("level") == F.col("d_level")) & (F.col("member") == F.col("d_member"))
    ratio = to_double(F.col("emission_tco2e")) / to_double(F.col("denominator_value"))
    value = F.when((F.col("denominator_value") > 0) & (F.col("d_units") == 1), ratio).alias("intensity")
    return over.join(F.broadcast(under), same).select(
        "book", "year", "level", "member", "scopes", "emission_tco2e", *NAMED, value, "lines", "unresolved_rows"
    )


def _emissions(rollup: DataFrame) -> DataFrame:
    """Return sums by scopes; what is unresolved without a scope is told with each of them."""
    each = rollup.where("grain = 'year'").select("*", F.explode(F.array(*(F.lit(name) for name in SCOPES))).alias("scopes"))
    part = [(F.col("scopes") == name) & F.col("scope").isin(*scopes) for name, scopes in SCOPES.items()]
    producer = (F.col("scopes") != BOTH) | F.col("level").isin(*PRODUCERS)
    own = (F.col("scope") > 0) | (F.col("scopes") == "0")
    sums = [
        *again("emission_tco2e"),
        *again("lines", "unresolved_rows", type_="decimal(19,0)"),
        F.sum(own.cast("int")).alias("own"),
        *(F.max(F.when(F.col("scope") == n, F.lit(1)).otherwise(F.lit(0))).alias(f"scope_{n}") for n in (1, 2)),
    ]
    # What a book lacks of a scope (that of the market has no scope 1) is no part of both.
    whole = (F.col("scopes") != BOTH) | ((F.col("scope_1") == 1) & (F.col("scope_2") == 1))
    fitting = each.where(reduce(Column.__or__, part) & producer)
    return (
        fitting.groupBy("book", F.year("period").alias("year"), "level", "member", "scopes")
        .agg(*sums)
        .where((F.col("own") > 0) & whole)
    )


def _indicators(indicator: DataFrame) -> DataFrame:
    code = F.col("region_code")
    level = (
        F.when(code.rlike("^[A-Z]{3}$"), F.lit("nation"))
        .when(code.rlike("^[0-9]{2}0000$"), F.lit("province"))
        .when(code.rlike("^[0-9]{4}00$"), F.lit("prefecture"))
        .when(code.rlike("^[0-9]{6}$"), F.lit("county"))
        .otherwise(F.lit("province"))
    )
    return _side(indicator, level, code, F.col("year"), F.col("indicator"), fix(F.col("value")), F.col("unit"), F.col("source"),
                 F.col("confidence"))  # fmt: skip


def _countries(owid: DataFrame) -> DataFrame:
    """Population and product of countries, of the latest edition."""
    latest = owid.agg(F.max("edition_date").alias("latest"))
    rows = owid.join(F.broadcast(latest), F.col("edition_date") == F.col("latest")).where(F.col("iso_code").rlike("^[A-Z]{3}$"))
    source = F.concat(F.lit("Our World in Data, edition of "), F.col("edition_date").cast("string"))
    parts = [
        _side(rows, F.lit("nation"), F.col("iso_code"), F.col("year"), F.lit(name), F.col(column), F.lit(unit), source,
              F.lit("verified"))
        for name, column, unit in (("population", "population", "person"), ("gdp", "gdp_million_usd", "million_USD"))
    ]  # fmt: skip
    return reduce(DataFrame.unionByName, parts)


def _outputs(activity: DataFrame) -> DataFrame:
    """Products and electricity of who makes them, each in the unit of its code where what was told converts to it."""
    made = F.col("activity_code").endswith("_output") | (F.col("activity_code") == "electricity_generated")
    rows = activity.where(made & F.col("level").isin(list(PRODUCERS)) & (F.col("grain") == "year"))
    scaled = rows.join(
        F.broadcast(_units(activity)), (F.col("activity_code") == F.col("u_code")) & (F.col("unit") == F.col("u_given")), "left"
    )
    quantity = F.coalesce(fix(to_double(F.col("quantity")) * F.col("u_scale")), F.col("quantity")).cast("decimal(28,6)")
    by = ("level", "member", "period", "activity_code")
    sums = scaled.withColumn("in_unit", F.coalesce("u_unit", "unit")).withColumn("made", quantity).groupBy(*by, "in_unit").agg(
        F.sum("made").cast("decimal(28,6)").alias("made")
    )  # fmt: skip
    told = sums.select("*", F.count(F.lit(1)).over(Window.partitionBy(*by)).alias("units"))
    source, none = F.lit("business.activity_rollup"), F.lit(None).cast("string")
    named = (F.col(name) for name in ("activity_code", "made", "in_unit"))
    return _side(told, F.col("level"), F.col("member"), F.year("period"), *named, source, none, units=F.col("units"))


def _units(anchor: DataFrame) -> DataFrame:
    """What a product may be told in, the unit of its code, and how many of that it is; the unit itself needs none."""
    wanted = {row["code"]: row["unit"] for row in code_list("activity") if row["unit"]}
    rows = [{"u_code": code, "u_given": given, "u_unit": unit, "u_scale": scale} for code, unit in wanted.items()
            for (given, target), scale in conversions().items() if target == unit != given]  # fmt: skip
    return constants.table(anchor, rows, dict.fromkeys(("u_code", "u_given", "u_unit"), "string") | {"u_scale": "double"})


def _side(rows: DataFrame, *columns: Column, units: Column | None = None) -> DataFrame:
    level, member, year, *named = columns
    keys = (level.alias("d_level"), member.alias("d_member"), year.alias("d_year"))
    several = F.lit(1).cast("bigint") if units is None else units
    found = rows.select(*keys, several.alias("d_units"), *(column.alias(name) for name, column in zip(NAMED, named, strict=True)))
    return found.where(F.col("denominator_value").isNotNull() & (F.col("d_member") != "unknown"))
