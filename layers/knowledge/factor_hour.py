"""Factors that change by the hour: what a kilowatt-hour of the grid emits, and what a monitored stack gives off."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.formulas import cems_flow, cems_mass


def transform(grid_intensity_hour: DataFrame, cems_hour: DataFrame) -> DataFrame:
    """Return one row per region and hour in kgCO2e/kWh as published, and per outlet and hour in tCO2/h as measured."""
    grid = _rows(
        grid_intensity_hour, "grid_hour", "region_code", role="ef", activity_code="electricity_purchased", gas="GHG",
        unit="kgCO2e/kWh", source_table="cleaned.grid_intensity_hour", subject=F.lit(None).cast("string"),
        value=F.col("carbon_intensity_kgco2e_per_kwh"),
    )  # fmt: skip
    return grid.unionByName(_rows(
        cems_hour, "cems_hour", "subject_id", role="co2_rate", activity_code="stack_operation", gas="CO2",
        unit="tCO2/hour", source_table="cleaned.cems_hour", subject=F.col("subject_id"), value=_measured(),
    ))  # fmt: skip


def _rows(frame: DataFrame, set_: str, of: str, *, subject: Column, value: Column, **texts: str) -> DataFrame:
    hour = F.date_format("period_start", "yyyyMMdd'T'HHmm")
    return frame.select(
        F.concat_ws("|", F.lit(set_), of, hour).alias("factor_id"), F.lit(set_).alias("factor_set"), "region_code",
        subject.alias("subject_id"), "period_start", *(F.lit(text).alias(name) for name, text in texts.items()),
        value.alias("value"), F.col("_delivery").alias("delivery_id"), F.col("_locator").cast("string").alias("locator"),
    )  # fmt: skip


def _measured() -> Column:
    """Tonnes of CO2 in an hour of operation: GB/T 32150-2015, direct measurement; the flow as HJ 75-2017 has it."""
    names = ("area_m2", "velocity_m_per_s", "gas_celsius", "ambient_pa", "static_pa", "moisture")
    flow = F.coalesce("flow_nm3_per_h", cems_flow(*(F.col(name) for name in names)))
    return cems_mass(F.col("co2_percent"), flow, F.lit(1.0))  # type: ignore[no-any-return]
