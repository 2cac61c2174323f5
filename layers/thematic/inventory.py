"""Emissions that others published: compared with ours and with each other, never added."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from schemas.codes import code_list
from schemas.contracts import contract

# column of OWID → sector and gas; per-capita and share columns are derived from these
OWID = {
    "co2_mt": ("fossil_co2", "CO2"),
    "coal_co2_mt": ("coal", "CO2"),
    "oil_co2_mt": ("oil", "CO2"),
    "gas_co2_mt": ("gas", "CO2"),
    "cement_co2_mt": ("cement", "CO2"),
    "flaring_co2_mt": ("flaring", "CO2"),
    "consumption_co2_mt": ("consumption", "CO2"),
    "total_ghg_mtco2e": ("total_lulucf", "GHG"),
}
# What a total covers, as its publisher says; two that say different things are not expected to agree.
COVERS = {
    "fossil_co2": "fossil fuels, cement and flaring",
    "total": "energy, industrial processes, agriculture and waste",
    "total_lulucf": "energy, industrial processes, agriculture, waste and land use",
}
COLUMNS = ("publisher", "edition", "subject_id", "region_code", "sector", "fuel", "gas", "year", "emission_tco2e", "part_of",
           "shown_to_t", "period_from", "period_to", "boundary", "source_table", "delivery_id", "locator")  # fmt: skip


def transform(owid_co2: DataFrame, unfccc_profile: DataFrame, emission_report: DataFrame) -> DataFrame:
    """Return one row per publisher, edition, subject, sector, fuel, gas and year with a figure, in tonnes.

    Of OWID, rows of countries (ISO 3166 alpha-3); its aggregates overlap. Of UNFCCC, the sheet by sector, and of the
    sheet by gas what the first does not hold. Of reports, all.
    """
    return reduce(DataFrame.unionByName, [_owid(owid_co2), _unfccc(unfccc_profile), _reports(emission_report)])


def _owid(frame: DataFrame) -> DataFrame:
    rows = [F.struct(F.lit(sector).alias("sector"), F.lit(gas).alias("gas"), _tonnes(name, 10**6))
            for name, (sector, gas) in OWID.items()]  # fmt: skip
    countries = frame.where(F.col("iso_code").rlike("^[A-Z]{3}$"))
    long = countries.select("*", F.inline(F.array(*rows)))
    megatonnes = F.lit(1000).cast("decimal(28,6)")  # to three decimals
    return _regions("cleaned.owid_co2", long, F.col("edition_date").cast("string"), F.col("iso_code"), megatonnes)


def _unfccc(frame: DataFrame) -> DataFrame:
    """The sheet by gas repeats two totals of the sheet by sector, whose head repeats line 5bis; each stands once."""
    by_gas = (F.col("sheet") == "Data_by_gas") & F.col("gas").isin("CO2", "GHG")
    head = F.col("category").eqNullSafe("GHG net emissions/removals by LULUCF / LUCF")
    long = frame.where(~by_gas & ~head).select("*", _tonnes("emission_ktco2e", 10**3))
    kilotonnes = F.lit(1).cast("decimal(28,6)")  # the cells hold more decimals than they show; three are kept
    return _regions("cleaned.unfccc_profile", long, F.lit("profile"), F.col("region_code"), kilotonnes)


def _reports(frame: DataFrame) -> DataFrame:
    """Who reports is who publishes; fuels and scopes are parts of what stands above them."""
    above = F.when(F.col("sector").isin("scope_1", "scope_2"), F.lit("scope_1_2"))
    known = frame.select("*", above.alias("part_of"), F.lit(None).cast("string").alias("region_code"))
    return known.where("emission_tco2e is not null").select(*COLUMNS[:-3], *_origin("cleaned.emission_report"))


def _tonnes(name: str, times: int) -> Column:
    exact = F.col(name) * F.lit(times).cast("decimal(7,0)")
    return exact.cast("decimal(28,6)").alias("emission_tco2e")


def _regions(table: str, frame: DataFrame, edition: Column, region: Column, shown: Column) -> DataFrame:
    source = contract(table).source
    return frame.where("emission_tco2e is not null").select(
        F.lit(source.publisher if source else None).alias("publisher"), edition.alias("edition"),
        F.concat(F.lit("region:"), region).alias("subject_id"), region.alias("region_code"), "sector",
        F.lit("all").alias("fuel"), "gas", "year", "emission_tco2e", _chosen(_above()).alias("part_of"),
        shown.alias("shown_to_t"), *(F.lit(None).cast("date").alias(name) for name in ("period_from", "period_to")),
        _chosen(COVERS.items()).alias("boundary"), *_origin(table),
    )  # fmt: skip


def _origin(table: str) -> list[Column]:
    return [F.lit(table).alias("source_table"), F.col("_delivery").alias("delivery_id"),
            F.col("_locator").cast("string").alias("locator")]  # fmt: skip


def _above() -> Iterable[tuple[str, str]]:
    """Sector → the one it is part of; the total without land use is part of that with it."""
    yield "total", "total_lulucf"
    yield from ((row["code"], row["parent"]) for row in code_list("sector") if row["parent"])


def _chosen(pairs: Iterable[tuple[str, str]]) -> Column:
    found = F.lit(None).cast("string")
    for sector, value in pairs:
        found = F.when(F.col("sector") == sector, F.lit(value)).otherwise(found)
    return found
