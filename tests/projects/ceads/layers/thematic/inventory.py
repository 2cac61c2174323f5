"""The workbooks of CEADs as published inventories, in the place of those of the demo."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from schemas.codes import code_list

TOTAL, ALL = "Total Consumption", "Scope 1 Total | Mt CO2"


def transform(ceads_province: DataFrame, ceads_nation: DataFrame) -> DataFrame:
    """Return one row per region, line, column and year, in tonnes; electricity and heat of scope 2 are no part of a total."""
    name = F.regexp_replace("province", " ", "")
    region = F.lit(None).cast("string")
    for row in code_list("region"):
        if row["level"] == "province":
            region = F.when(name == row["name_en"].replace(" ", ""), F.lit(row["code"])).otherwise(region)
    nation = ceads_nation.select("*", F.lit("CHN").alias("region_code"))
    return _rows(ceads_province.select("*", region.alias("region_code")), "cleaned.ceads_province").unionByName(
        _rows(nation, "cleaned.ceads_nation"))  # fmt: skip


def _rows(frame: DataFrame, table: str) -> DataFrame:
    total, exact = F.col("line") == TOTAL, F.col("emission_mt") * F.lit(1000000).cast("decimal(7,0)")
    fuel = F.when(F.col("fuel") == ALL, F.lit("all")).otherwise(F.regexp_replace("fuel", " [|] Mt CO2$", ""))
    given = frame.where("not startswith(fuel, 'Scope 2') and trim(line) <> '' and emission_mt is not null")
    return given.select(
        F.lit("CEADs").alias("publisher"), F.lit("workbooks").alias("edition"),
        F.concat(F.lit("region:"), F.col("region_code")).alias("subject_id"), "region_code",
        F.when(total, F.lit("total")).otherwise(F.trim("line")).alias("sector"), fuel.alias("fuel"), F.lit("CO2").alias("gas"),
        "year", exact.cast("decimal(28,6)").alias("emission_tco2e"), F.when(~total, F.lit("total")).alias("part_of"),
        F.lit(1).cast("decimal(28,6)").alias("shown_to_t"), _none("period_from", "date"), _none("period_to", "date"),
        F.lit("fossil fuels and cement").alias("boundary"), F.lit(table).alias("source_table"),
        F.col("_delivery").alias("delivery_id"), F.col("_locator").alias("locator"),
    )  # fmt: skip


def _none(name: str, type_: str) -> Column:
    return F.lit(None).cast(type_).alias(name)
