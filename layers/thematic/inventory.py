"""Emissions that others published: compared with ours and with each other, never added."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

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


def transform(owid_co2: DataFrame, unfccc_profile: DataFrame) -> DataFrame:
    """Return one row per publisher, edition, region, sector, gas and year with a figure, in tonnes.

    Of OWID, rows of countries (ISO 3166 alpha-3); its aggregates overlap. Of UNFCCC, the sheet by sector, and of the
    sheet by gas what the first does not hold.
    """
    return reduce(DataFrame.unionByName, [_owid(owid_co2), _unfccc(unfccc_profile)])


def _owid(frame: DataFrame) -> DataFrame:
    rows = [F.struct(F.lit(sector).alias("sector"), F.lit(gas).alias("gas"), _tonnes(name, 10**6))
            for name, (sector, gas) in OWID.items()]  # fmt: skip
    countries = frame.where(F.col("iso_code").rlike("^[A-Z]{3}$"))
    long = countries.select("*", F.inline(F.array(*rows)))
    return _rows("cleaned.owid_co2", long, F.col("edition_date").cast("string"), F.col("iso_code"))


def _unfccc(frame: DataFrame) -> DataFrame:
    """The sheet by gas repeats two totals of the sheet by sector, whose head repeats line 5bis; each stands once."""
    by_gas = (F.col("sheet") == "Data_by_gas") & F.col("gas").isin("CO2", "GHG")
    head = F.col("category").eqNullSafe("GHG net emissions/removals by LULUCF / LUCF")
    long = frame.where(~by_gas & ~head).select("*", _tonnes("emission_ktco2e", 10**3))
    return _rows("cleaned.unfccc_profile", long, F.lit("profile"), F.col("region_code"))


def _tonnes(name: str, times: int) -> Column:
    exact = F.col(name) * F.lit(times).cast("decimal(7,0)")
    return exact.cast("decimal(28,6)").alias("emission_tco2e")


def _rows(table: str, frame: DataFrame, edition: Column, region: Column) -> DataFrame:
    source = contract(table).source
    return frame.where("emission_tco2e is not null").select(
        F.lit(source.publisher if source else None).alias("publisher"), edition.alias("edition"),
        region.alias("region_code"), "sector", "gas", "year", "emission_tco2e", F.lit(table).alias("source_table"),
        F.col("_delivery").alias("delivery_id"), F.col("_locator").cast("string").alias("locator"),
    )  # fmt: skip
