"""Statements on an emission: what a publisher states, what we compute, and what the parts of a publication add up to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.business._sums import again
from schemas.codes import code_list

NATION, ALL, OURS = "CHN", "all", "Carbonlake"
TONNES = "decimal(28,6)"
# Of mainland China: what national statistics hold.
PROVINCES = tuple(row["code"] for row in code_list("region") if row["level"] == "province" and row["code"][0] < "7")
WHOSE = ("subject_id", "region_code", "gas", "year", "publisher", "edition")
WHAT = ("sector", "fuel", "part_of")
STATEMENT = (*WHOSE, *WHAT, "emission_tco2e", "shown_to_t", "period", "boundary", "basis", "parts", "lacks")
# Part of OWID's total: a column of its codebook (other_industry_co2) that the editions of 2020 do not have.
UNLISTED = "other industry"
LEGAL = "法人边界"  # GB/T 32150-2015, 4.2: a legal entity, or what is looked upon as one
BOOKS = ("enterprise", "region")  # boundaries that others publish, too: of a reporting enterprise, of a territory


def stated(inventory: DataFrame) -> DataFrame:
    """Return what publishers state; `period` is told where it is no calendar year."""
    first, last = F.col("period_from"), F.col("period_to")
    calendar = (F.month(first) == 1) & (F.dayofmonth(first) == 1) & (F.month(last) == 12) & (F.dayofmonth(last) == 31)
    whole = first.isNull() | (calendar & (F.year(first) == F.year(last)))
    period = F.when(~whole, F.concat(first.cast("string"), F.lit(" to "), last.cast("string")))
    return inventory.where("emission_tco2e is not null").select(
        *WHOSE, *WHAT, "emission_tco2e", "shown_to_t", period.alias("period"), "boundary",
        F.lit("stated").alias("basis"), F.lit(1).cast("bigint").alias("parts"), _none("lacks"),
    )  # fmt: skip


def ours(emission_rollup: DataFrame) -> DataFrame:
    """Return what we compute of enterprises by scope and source stream, and of territories by source stream, a year each.

    In CO2, and as GHG, which is the sum of all gases. What is unresolved counts for its own gas, and for both where nobody
    says which. Where all of it is unresolved the emission is NULL. A territory's is what is emitted there (scope 1).
    """
    yearly = emission_rollup.where((F.col("grain") == "year") & F.col("book").isin(*BOOKS))
    enterprises = yearly.where("book = 'enterprise' and level = 'enterprise' and member <> 'unknown'")
    territories = yearly.where("book = 'region' and level in ('nation', 'province') and member not like 'unknown%' and scope < 2")
    scope = F.when(F.col("scope") == 2, F.lit("scope_2")).otherwise(F.lit("scope_1"))
    firm = enterprises.where("scope < 3").select("*", F.col("member").alias("subject_id"), _none("region_code"),
                                                 scope.alias("sector"),
                                                 F.lit("scope_1_2").alias("part_of"))  # fmt: skip
    land = territories.select("*", F.concat(F.lit("region:"), F.col("member")).alias("subject_id"),
                              F.col("member").alias("region_code"), F.lit("total").alias("sector"), _none("part_of"))  # fmt: skip
    rows = firm.unionByName(land).select("*", F.col("book").alias("edition"), F.year("period").alias("year"))
    in_gases = rows.select("*", F.lit("GHG").alias("in_gas")).unionByName(
        rows.where("gas = 'CO2' or (gas = 'GHG' and emission_tco2e is null)").select("*", F.lit("CO2").alias("in_gas"))
    )
    by_fuel = in_gases.select("*", F.col("activity_code").alias("fuel"))
    by_sector = in_gases.select("*", F.lit(ALL).alias("fuel"))
    none = F.lit(None).cast("string")
    whole = by_sector.where("part_of is not null").withColumns({"sector": F.col("part_of"), "part_of": none})
    # Added up at once: each sum of its own asks for memory before it has a row.
    return _computed(reduce(DataFrame.unionByName, [by_fuel, by_sector, whole]))


def _computed(rows: DataFrame) -> DataFrame:
    """Sums of ours; what is unresolved there is told in `lacks`."""
    cut = rows.select("subject_id", "region_code", F.col("in_gas").alias("gas"), "year", F.lit(OURS).alias("publisher"),
                      "edition", *WHAT, "emission_tco2e", "lines", "unresolved_rows")  # fmt: skip
    added = cut.groupBy(*WHOSE, *WHAT).agg(
        F.sum("emission_tco2e").cast(TONNES).alias("emission_tco2e"), *again("lines", "unresolved_rows", type_="decimal(19,0)"),
    )  # fmt: skip
    rows_left = F.col("unresolved_rows")
    # No line tells what a row would emit that no method takes, and a gap may stand for several: how much is lacking is not known.
    untold = F.lit(" unresolved rows, of how many tonnes nobody knows")
    lacks = F.when(rows_left > 0, F.concat(rows_left.cast("bigint").cast("string"), untold))
    boundary = F.when(F.col("edition") == "enterprise", F.lit(LEGAL)).alias("boundary")
    zero = F.lit(0).cast(TONNES).alias("shown_to_t")
    return added.select(
        *WHOSE, *WHAT, "emission_tco2e", zero, _none("period"), boundary, F.lit("computed").alias("basis"),
        F.col("lines").cast("bigint").alias("parts"), lacks.alias("lacks"),
    )  # fmt: skip


def sums(rows: DataFrame) -> DataFrame:
    """Return what provinces add up to as a statement on the nation, sectors on what they are part of, fuels on all of them.

    Two parts at least: one alone may be all that is published.
    """
    rest = ("gas", "year", "publisher", "edition", "emission_tco2e", "shown_to_t", "period", "boundary")
    nation = (F.lit(f"region:{NATION}").alias("subject_id"), F.lit(NATION).alias("region_code"))
    regions = rows.where(F.col("region_code").isin(*PROVINCES) & F.col("subject_id").startswith("region:"))
    provinces = regions.select(*nation, *rest, *WHAT, F.col("region_code").alias("of"))
    own = rows.select("subject_id", "region_code", *rest, *WHAT, _none("of"))
    sectors = own.where("part_of is not null").withColumns({"sector": F.col("part_of"), "part_of": F.lit(None).cast("string")})
    fuels = own.where(F.col("fuel") != ALL).withColumns({"fuel": F.lit(ALL)})
    there = [F.max(F.when(F.col("of") == code, F.lit(1))).alias(f"p{code}") for code in PROVINCES]
    lacks = F.concat_ws(", ", *(F.when(F.col(f"p{code}").isNull(), F.lit(code)) for code in PROVINCES))
    unlisted = F.when(F.col("sector") == "fossil_co2", F.lit(UNLISTED))
    return _summed(provinces, "provinces", there, F.when(lacks != "", lacks)).unionByName(
        _summed(sectors, "sectors", lacks=unlisted).unionByName(_summed(fuels, "fuels")))  # fmt: skip


def _summed(parts: DataFrame, kind: str, more: Sequence[Column] = (), lacks: Column | None = None) -> DataFrame:
    added = parts.groupBy(*WHOSE, *WHAT).agg(
        *(F.sum(name).cast(TONNES).alias(name) for name in ("emission_tco2e", "shown_to_t")),
        F.min("period").alias("period"), F.min("boundary").alias("boundary"), F.count("*").alias("parts"), *more,
    ).where("parts > 1")  # fmt: skip
    basis = F.concat(F.lit("sum of "), F.col("parts").cast("string"), F.lit(f" {kind}")).alias("basis")
    return added.select(*STATEMENT[:-3], basis, "parts", _none("lacks") if lacks is None else lacks.alias("lacks"))


def _none(name: str) -> Column:
    return F.lit(None).cast("string").alias(name)
