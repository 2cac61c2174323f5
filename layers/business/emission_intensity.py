"""Emission per gross domestic product, person and output: both sides are added first, and divided once."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.business._sums import again
from layers.numbers import fix, to_double

PRODUCERS = ("enterprise", "facility")  # above them, what is emitted is not of those alone who make the product
NAMED = ("denominator", "denominator_value", "denominator_unit", "source", "confidence")


def transform(
    emission_rollup: DataFrame, activity_rollup: DataFrame, region_indicator: DataFrame, owid_co2: DataFrame
) -> DataFrame:
    """Return one row per book, year, member and denominator that has a figure; without one there is no intensity."""
    sides = [_indicators(region_indicator), _countries(owid_co2), _outputs(activity_rollup)]
    under = reduce(DataFrame.unionByName, sides)
    over = emission_rollup.where("grain = 'year'").groupBy("book", F.year("period").alias("year"), "level", "member").agg(
        *again("emission_tco2e"), *again("lines", "unresolved_rows", type_="decimal(19,0)")
    )  # fmt: skip
    same = (F.col("year") == F.col("d_year")) & (F.col("level") == F.col("d_level")) & (F.col("member") == F.col("d_member"))
    ratio = to_double(F.col("emission_tco2e")) / to_double(F.col("denominator_value"))
    value = F.when(F.col("denominator_value") > 0, ratio).alias("intensity")
    return over.join(F.broadcast(under), same).select(
        "book", "year", "level", "member", "emission_tco2e", *NAMED, value, "lines", "unresolved_rows"
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
    """Products and electricity of who makes them."""
    made = F.col("activity_code").endswith("_output") | (F.col("activity_code") == "electricity_generated")
    rows = activity.where(made & F.col("level").isin(list(PRODUCERS)) & (F.col("grain") == "year"))
    return _side(rows, F.col("level"), F.col("member"), F.year("period"), F.col("activity_code"), F.col("quantity"),
                 F.col("unit"), F.lit("business.activity_rollup"), F.lit(None).cast("string"))  # fmt: skip


def _side(rows: DataFrame, *columns: Column) -> DataFrame:
    level, member, year, *named = columns
    keys = (level.alias("d_level"), member.alias("d_member"), year.alias("d_year"))
    found = rows.select(*keys, *(column.alias(name) for name, column in zip(NAMED, named, strict=True)))
    return found.where(F.col("denominator_value").isNotNull() & (F.col("d_member") != "unknown"))
