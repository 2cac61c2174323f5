"""Published inventories against each other: editions, publishers, and the sum of provinces against the nation."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.numbers import fix, to_double

NATION = "CHN"
# National totals of CO2 without land use: what a publisher calls them, and that they are near enough to compare.
COMPARED_AS = {"fossil_co2": "total", "total": "total", "total_lulucf": "total_lulucf"}
STATEMENT = ("publisher", "edition", "basis", "sector")


def transform(inventory: DataFrame) -> DataFrame:
    """Return one row per two statements on one region, gas, sector and year that differ; statements are never added.

    `difference_tco2e` is the second less the first; statements that agree are no discrepancy and give no row.
    """
    stated = inventory.where("emission_tco2e is not null").select(
        "region_code", "gas", "year", "publisher", "edition", F.lit("stated").alias("basis"), "sector", "emission_tco2e"
    )
    whole = stated.unionByName(_sum_of_provinces(stated)).select("*", _compared_as().alias("compared_as"))
    first, second = (whole.select(*(F.col(n).alias(f"{side}_{n}") for n in whole.columns)) for side in ("a", "b"))
    same = [F.col(f"a_{n}") == F.col(f"b_{n}") for n in ("region_code", "gas", "year", "compared_as")]
    both = first.join(second, [*same, _name("a") < _name("b")])
    return both.where("a_emission_tco2e <> b_emission_tco2e").select(*_shown())


def _sum_of_provinces(stated: DataFrame) -> DataFrame:
    """What the provinces of one publication add up to, as a statement on the nation; the basis counts them."""
    provinces = stated.where(F.col("region_code").rlike("^[0-9]{2}0000$"))
    sums = provinces.groupBy("gas", "year", "publisher", "edition", "sector").agg(
        F.sum("emission_tco2e").cast("decimal(28,6)").alias("emission_tco2e"),
        F.countDistinct("region_code").alias("parts"),
    )
    basis = F.concat(F.lit("sum of "), F.col("parts").cast("string"), F.lit(" provinces"))
    return sums.select(F.lit(NATION).alias("region_code"), "gas", "year", "publisher", "edition",
                       basis.alias("basis"), "sector", "emission_tco2e")  # fmt: skip


def _compared_as() -> Column:
    known: Column = F.when(F.lit(False), F.lit(""))
    for sector, name in COMPARED_AS.items():
        known = known.when(F.col("sector") == sector, F.lit(name))
    return known.otherwise(F.col("sector"))


def _name(side: str) -> Column:
    return F.concat_ws("|", *(f"{side}_{part}" for part in STATEMENT))


def _shown() -> list[Column]:
    difference = F.col("b_emission_tco2e") - F.col("a_emission_tco2e")
    base = to_double(F.col("a_emission_tco2e"))
    percent = F.when(base != 0, fix(to_double(difference.cast("decimal(28,6)")) / base * 100, "decimal(28,6)"))
    kind = (
        F.when(F.col("a_basis") != F.col("b_basis"), F.lit("parts"))
        .when(F.col("a_publisher") == F.col("b_publisher"), F.lit("editions"))
        .otherwise(F.lit("publishers"))
    )
    sides = [F.col(f"{side}_{part}") for side in "ab" for part in (*STATEMENT, "emission_tco2e")]
    return [
        F.col("a_region_code").alias("region_code"), F.col("a_gas").alias("gas"), F.col("a_year").alias("year"),
        F.col("a_compared_as").alias("compared_as"), kind.alias("kind"), *sides,
        difference.cast("decimal(28,6)").alias("difference_tco2e"), percent.alias("difference_percent"),
    ]  # fmt: skip
