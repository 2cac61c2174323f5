"""Published inventories against each other, against the sums of their parts, and against ours, with a cause for each gap."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.business._causes import classified, within_digits
from layers.business._statements import ALL, TONNES, ours, stated, sums
from layers.numbers import fix, to_double

# National totals of CO2 without land use: what a publisher calls them, and that they are near enough to compare.
COMPARED_AS = {"fossil_co2": "total", "total": "total", "total_lulucf": "total_lulucf"}
NAME = ("publisher", "edition", "basis", "sector")
SIDE = (*NAME, "emission_tco2e", "shown_to_t", "period", "boundary", "parts", "lacks")
SAME = ("subject_id", "region_code", "gas", "year", "compared_as", "fuel")
# Only against its own statement is the sum of parts held: what lies between two publishers is told once.
KINDS = {"parts": "sum of % provinces", "sectors": "sum of % sectors", "fuels": "sum of % fuels", "ours": "computed"}


def transform(inventory: DataFrame, emission_rollup: DataFrame) -> DataFrame:
    """Return one row per two statements on one subject, gas, sector, fuel and year that differ; statements are never added.

    `difference_tco2e` is the second less the first; statements that agree are no discrepancy and give no row.
    Where nothing of ours could be computed there is no difference, and the row says so.
    """
    told, computed, wholes = (
        statements.select("*", _compared_as(F.col("sector")).alias("compared_as"))
        for statements in (stated(inventory), ours(emission_rollup), sums(stated(inventory)))
    )
    own = (F.col("a_publisher") == F.col("b_publisher")) & (F.col("a_edition") == F.col("b_edition"))
    two = _paired(told, told, F.lit(True), _name("a") < _name("b")).unionByName(
        _paired(told, computed, F.lit(True), F.lit(True)))  # fmt: skip
    added = _paired(told, wholes, F.lit(True), own & (F.col("a_sector") == F.col("b_sector")))
    # A sum of parts that is the whole is no discrepancy, and nearly all are: they go before the causes are looked for.
    closed = F.col("kind").isin("sectors", "fuels") & F.coalesce(within_digits(), F.lit(False))
    parts = _parts(told.drop("compared_as").unionByName(ours(emission_rollup)))
    shown = classified(two.select("*", *_sized()), added.select("*", *_sized()).where(~closed), parts)
    sides = [f"{side}_{part}" for side in "ab" for part in (*NAME, "emission_tco2e")]
    return shown.select(*SAME, "kind", *sides, "difference_tco2e", "difference_percent", "cause", "evidence", "also")


def _paired(first: DataFrame, second: DataFrame, which: Column, how: Column) -> DataFrame:
    a = first.select(*SAME, *(F.col(n).alias(f"a_{n}") for n in SIDE))
    b = second.select(*(F.col(n).alias(f"_{n}") for n in SAME), *(F.col(n).alias(f"b_{n}") for n in SIDE)).where(which)
    same = [F.col(n) == F.col(f"_{n}") for n in SAME if n != "region_code"]
    return (
        a.join(b, [*same, how])
        .where("a_emission_tco2e <> b_emission_tco2e or b_emission_tco2e is null")
        .drop(*(f"_{n}" for n in SAME))
    )


def _sized() -> list[Column]:
    a, b = F.col("a_emission_tco2e"), F.col("b_emission_tco2e")
    difference = (b - a).cast(TONNES)
    base = to_double(a)
    percent = F.when(base != 0, fix(to_double(difference) / base * 100, TONNES))
    kind = F.when(F.col("a_publisher") == F.col("b_publisher"), F.lit("editions")).otherwise(F.lit("publishers"))
    for name, like in KINDS.items():
        kind = F.when(F.col("b_basis").like(like), F.lit(name)).otherwise(kind)
    return [difference.alias("difference_tco2e"), percent.alias("difference_percent"), kind.alias("kind"),
            F.when(base != 0, to_double(b) / base).alias("ratio")]  # fmt: skip


def _parts(rows: DataFrame) -> DataFrame:
    """Fuels as parts of all fuels, sectors as parts of the sector above them: each under what it is a part of."""
    fuels = rows.where(F.col("fuel") != ALL).select("*", F.col("fuel").alias("part_name")).withColumn("fuel", F.lit(ALL))
    sectors = rows.where("part_of is not null").select("*", F.col("sector").alias("part_name"))
    return fuels.unionByName(sectors.withColumn("sector", F.col("part_of"))).where("emission_tco2e > 0")


def _compared_as(sector: Column) -> Column:
    known = sector
    for code, name in COMPARED_AS.items():
        known = F.when(sector == code, F.lit(name)).otherwise(known)
    return known


def _name(side: str) -> Column:
    return F.concat_ws("|", *(f"{side}_{part}" for part in NAME))
