"""Public libraries of other countries as rows of the factor library.

Their items are no activities of the lake: each is a set of its own, `DEFRA:…`, that a method names, and no line meets by
chance. Carbon intensities of countries do apply to bought electricity there.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.knowledge._factor_rows import rows


def defra(frame: DataFrame) -> DataFrame:
    """Factors of the UK by year. CH4 and N2O in CO2 equivalents have a role that no formula multiplies by a GWP."""
    return rows(
        "cleaned.defra_factor", frame, [F.col("factor_id")],
        library=F.lit("DEFRA"), edition=F.col("edition"), factor_set=F.concat(F.lit("DEFRA:"), F.col("item")),
        item_name=F.col("item"), item_name_en=F.col("item"), role=F.col("role"), region_code=F.lit("GBR"), gas=F.col("gas"),
        technology=F.col("column_text"), value=F.col("value"), unit=F.col("unit"), **_year(F.col("year")),
        source=F.concat(F.lit("UK Government GHG Conversion Factors for Company Reporting "), F.col("edition")),
        clause=F.col("level_1"), page=F.lit("Factors by Category"), confidence=F.lit("verified"),
        note=F.when(F.col("role") == "ef_co2e", F.lit("CO2 equivalents of the gas under AR4, not its mass")),
    )  # fmt: skip


def epa(frame: DataFrame) -> DataFrame:
    """Factors of the EPA table: CO2 as given, CH4 and N2O in the unit that the row's own sum shows."""
    gases = [F.struct(F.lit(gas).alias("gas"), F.col(value).alias("value"), unit.alias("counted"))
             for gas, value, unit in (("CO2", "co2_kg", F.lit("kg")), ("CH4", "ch4_given", F.col("gas_unit")),
                                      ("N2O", "n2o_given", F.col("gas_unit")))]  # fmt: skip
    long = frame.select("*", F.inline(F.array(*gases))).where(F.col("value").isNotNull() & F.col("counted").isNotNull())
    return rows(
        "cleaned.epa_factor", long, [F.col("factor_id"), F.col("gas")],
        library=F.lit("EPA"), factor_set=F.concat(F.lit("EPA:"), F.col("item"), F.lit(" / "), F.col("units")),
        item_name=F.col("item"), item_name_en=F.col("item"), role=F.lit("ef"), gas=F.col("gas"), value=F.col("value"),
        unit=F.concat("counted", F.lit("/"), "per"), confidence=F.lit("verified"),
        note=F.when(F.col("counted") == "g", F.lit("grams by the row's own sum, though its header says kilograms")),
    )  # fmt: skip


def eea(frame: DataFrame) -> DataFrame:
    """CO2 of a kilowatt-hour generated in a country in a year."""
    return rows(
        "cleaned.eea_intensity", frame, [F.lit("EEA"), F.col("region_code"), F.col("year")],
        library=F.lit("EEA"), edition=F.lit("2021"), factor_set=F.lit("EEA"), item_name=F.col("country"),
        item_name_en=F.col("country"), role=F.lit("ef"), activity_code=F.lit("electricity_purchased"),
        region_code=F.col("region_code"), gas=F.lit("CO2"), value=F.col("intensity_gco2_per_kwh"), unit=F.lit("gCO2/kWh"),
        **_year(F.col("year")), source=F.lit("European Environment Agency, CO2 emission intensity"),
        confidence=F.lit("verified"),
    )  # fmt: skip


def _year(year: Column) -> dict[str, Column]:
    """The period of a factor that holds for one year."""
    text = year.cast("string")
    return {
        "valid_from": F.to_date(F.concat(text, F.lit("-01-01"))),
        "valid_to": F.to_date(F.concat(text, F.lit("-12-31"))),
    }
