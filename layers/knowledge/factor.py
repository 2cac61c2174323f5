"""The factor library: every factor of every source, one role to a row, with where and when it holds and who says so."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.knowledge._factor_rows import rows as _rows
from layers.knowledge._factor_rows import starts
from layers.knowledge._libraries import defra, eea, epa
from schemas.codes import codes
from schemas.contracts import contract


def transform(fuel_factor: DataFrame, grid_factor: DataFrame, process_factor: DataFrame, gwp: DataFrame,
              standard_coal: DataFrame, library_factor: DataFrame, measured_parameter: DataFrame,
              factor_override: DataFrame, defra_factor: DataFrame, epa_factor: DataFrame,
              eea_intensity: DataFrame) -> DataFrame:  # fmt: skip
    """Return all factors in the units of their sources; `activity_code`, region and gas are NULL where any will do.

    A factor of a year holds in that year alone; one without dates holds always.
    """
    return reduce(DataFrame.unionByName, [
        _fuel(fuel_factor), _grid(grid_factor), _process(process_factor), _gwp(gwp), _sum_of_gases(gwp),
        _coal(standard_coal), _listed(library_factor), _measured(measured_parameter), _set(factor_override),
        defra(defra_factor), epa(epa_factor), eea(eea_intensity),
    ])  # fmt: skip


# Whose a factor is, by how its set or source begins; the guidelines of the NDRC where nothing else is said.
FUEL_LIBRARIES = {"ETS": "ETS", "CHINA_STAT": "NBS", "": "NDRC"}
GRID_LIBRARIES = {"NCSC": "NCSC", "MEE": "MEE", "": "MEE"}
PROCESS_LIBRARIES = {"IPCC 2006": "IPCC2006", "省级温室气体清单": "PROVINCIAL", "": "NDRC"}


def _fuel(frame: DataFrame) -> DataFrame:
    """Net calorific value, carbon content and oxidation rate, the fuel's unit in the first."""
    per_unit = F.concat(F.lit("GJ/"), F.col("unit"))
    parts = {
        "ncv": ("ncv_gj_per_unit", per_unit),
        "cc": ("carbon_content_tc_per_gj", F.lit("tC/GJ")),
        "of": ("oxidation_rate", F.lit("1")),
    }
    roles = [
        F.struct(
            F.lit(role).alias("role"),
            F.col(value).alias("value"),
            unit.alias("role_unit"),
            F.lit(None if role == "ncv" else "CO2").cast("string").alias("gas"),
        )  # heat is that of all gases
        for role, (value, unit) in parts.items()
    ]
    long = frame.select("*", F.inline(F.array(*roles)))
    return _rows(
        "cleaned.fuel_factor", long, [F.col("factor_set"), F.col("fuel_name"), F.col("role")],
        library=starts(F.col("factor_set"), FUEL_LIBRARIES), factor_set=F.col("factor_set"), role=F.col("role"),
        value=F.col("value"), unit=F.col("role_unit"),
        activity_code=F.concat(F.lit("fuel_"), F.col("carrier_code")), gas=F.col("gas"), note=F.col("note"),
        item_name=F.col("fuel_name"), item_name_en=F.col("fuel_name_en"),
    )  # fmt: skip


def _grid(frame: DataFrame) -> DataFrame:
    """Electricity of a region in a year; kinds are sets of their own, so they never mix."""
    year = F.col("data_year").cast("string")
    return _rows(
        "cleaned.grid_factor", frame, [F.lit("grid"), F.col("kind"), F.col("level"), F.col("region_code"), year],
        library=starts(F.col("source"), GRID_LIBRARIES), factor_set=F.concat(F.lit("grid_"), F.col("kind")), role=F.lit("ef"),
        value=F.col("value_tco2_per_mwh"), unit=F.lit("tCO2/MWh"), region_code=F.col("region_code"), gas=F.lit("CO2"),
        known_from=F.col("published"),
        valid_from=F.to_date(F.concat(year, F.lit("-01-01"))), valid_to=F.to_date(F.concat(year, F.lit("-12-31"))),
        note=F.col("note"), item_name=F.col("area_name"),
    )  # fmt: skip


def _process(frame: DataFrame) -> DataFrame:
    """Factors of processes and heat, a set to each industry; what the unit says of the material moves to the note."""
    own_set = F.concat(F.lit("process_"), F.col("industry_name"))
    return _rows(
        "cleaned.process_factor", frame, [F.lit("process"), F.col("industry_name"), F.col("item_name")],
        library=starts(F.col("source"), PROCESS_LIBRARIES), factor_set=F.coalesce("factor_set", own_set),
        role=F.coalesce("role", F.lit("ef")), value=F.col("value"),
        unit=F.regexp_extract("unit", r"^(\S+)", 1), activity_code=F.col("activity_code"),
        region_code=F.col("region_code"), industry_code=F.col("industry_code"),
        gas=F.coalesce("gas", F.when(F.col("unit").contains("CO2"), F.lit("CO2"))),
        note=F.concat_ws("; ", "item_name_en", "unit", "note"),
        item_name=F.col("item_name"), item_name_en=F.col("item_name_en"),
    )  # fmt: skip


def _gwp(frame: DataFrame) -> DataFrame:
    return _rows(
        "cleaned.gwp", frame, [F.lit("gwp"), F.col("gwp_set"), F.col("gas")],
        library=F.lit("IPCC-AR"), edition=F.col("gwp_set"), factor_set=F.col("gwp_set"), role=F.lit("gwp"), value=F.col("gwp"),
        unit=F.lit("1"), gas=F.col("gas"), item_name=F.col("gas_name"),
    )  # fmt: skip


def _sum_of_gases(frame: DataFrame) -> DataFrame:
    """A mass given in CO2 equivalents is one already."""
    co2 = frame.where(F.col("gas") == "CO2")
    return _rows(
        "cleaned.gwp", co2, [F.lit("gwp"), F.col("gwp_set"), F.lit("GHG")],
        library=F.lit("IPCC-AR"), edition=F.col("gwp_set"), factor_set=F.col("gwp_set"), role=F.lit("gwp"), value=F.lit(1.0),
        unit=F.lit("1"), gas=F.lit("GHG"), note=F.lit("by definition: the mass is in CO2 equivalents"),
    )  # fmt: skip


def _coal(frame: DataFrame) -> DataFrame:
    """Coefficients of standard coal; those of carriers that are no fuel apply to no activity by themselves."""
    code = F.concat(F.lit("fuel_"), F.col("carrier_code"))
    return _rows(
        "cleaned.standard_coal", frame, [F.lit("standard_coal"), F.col("energy_name")],
        library=F.lit("GBT2589"), factor_set=F.lit("standard_coal"), role=F.lit("tce"), value=F.col("coefficient"),
        unit=F.col("unit"),
        activity_code=F.when(code.isin(sorted(codes("activity"))), code), note=F.col("energy_name"),
        item_name=F.col("energy_name"), item_name_en=F.col("energy_name_en"),
    )  # fmt: skip


def _listed(frame: DataFrame) -> DataFrame:
    """Rows of libraries that say everything themselves."""
    said = set(contract("cleaned.library_factor").columns) & set(contract("knowledge.factor").columns) - {"factor_id"}
    return _rows("cleaned.library_factor", frame, [F.col("factor_id")], **{name: F.col(name) for name in sorted(said)})


def _measured(frame: DataFrame) -> DataFrame:
    """What a subject measured itself: of tier 3, known since it was reported."""
    return _rows(
        "cleaned.measured_parameter", frame,
        [F.lit("measured"), F.col("subject_id"), F.col("activity_code"), F.col("role"), F.col("gas"), F.col("valid_from")],
        kind=F.lit("measured"), factor_set=F.lit("measured"), subject_id=F.col("subject_id"), role=F.col("role"),
        activity_code=F.col("activity_code"), gas=F.when(F.col("gas") != "GHG", F.col("gas")), value=F.col("value"),
        unit=F.col("unit"), valid_from=F.col("valid_from"), valid_to=F.col("valid_to"), known_from=F.col("reported_on"),
        uncertainty_percent=F.col("uncertainty_percent"), tier=F.lit(3), source=F.col("document"), page=F.col("page"),
        note=F.col("measured_by"), confidence=F.lit("verified"),
    )  # fmt: skip


def _set(frame: DataFrame) -> DataFrame:
    """What a person set, with reason and approver: known since it was approved."""
    return _rows(
        "cleaned.factor_override", frame,
        [F.lit("override"), F.col("subject_id"), F.col("activity_code"), F.col("role"), F.col("gas"), F.col("valid_from")],
        kind=F.lit("override"), factor_set=F.lit("override"), subject_id=F.col("subject_id"), role=F.col("role"),
        activity_code=F.col("activity_code"), gas=F.when(F.col("gas") != "GHG", F.col("gas")), value=F.col("value"),
        unit=F.col("unit"), valid_from=F.col("valid_from"), valid_to=F.col("valid_to"), known_from=F.col("approved_on"),
        uncertainty_percent=F.col("uncertainty_percent"), reason=F.col("reason"), approver=F.col("approver"),
        confidence=F.lit("verified"),
    )  # fmt: skip
