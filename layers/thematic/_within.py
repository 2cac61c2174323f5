"""Regions and their industries that are told as a whole and in part: both would add up in one book."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.codes import section
from schemas.contracts import contract

TERRITORY = "^(region|industry):"  # subjects that stand for all who emit there
NATION, HOUSEHOLDS = "CHN", "households"
# Fuel → its kinds: of a balance 其中, though one that tells kinds may mean by the fuel the rest.
HELD = {"region_fuel_raw_coal": ("region_fuel_anthracite", "region_fuel_bituminous_coal", "region_fuel_lignite"),
        "region_fuel_kerosene": ("region_fuel_jet_kerosene",)}  # fmt: skip
SECTORS = ("subject_id", "year_start", "sector_name", "carrier_code")  # columns of a balance by sector and fuel
TOWN, LAND = "城镇", "乡村"  # the two halves of households, which add up rightly


def told_in_parts(activity: DataFrame, subject: DataFrame) -> DataFrame:
    """Return a row for each year (`valid_from`), whole (`subject_id`) and part of it (`part_id`) with one activity of both.

    A part is a region within another (GB/T 2260), an industry within another (GB/T 4754), or both; a kind of fuel of the
    fuel that a balance has it under (HELD), whose `part_id` is empty where one subject tells both. `said` names one activity.
    """
    year = F.trunc("date", "year")
    acts = activity.where(F.col("subject_id").rlike(TERRITORY)).select("subject_id", "activity_code", year.alias("year"))
    told = acts.groupBy("subject_id", "activity_code", "year").agg(F.count(F.lit(1)).alias("rows"))
    whole, part = (_placed(told, subject, letter) for letter in "wp")
    same = (F.col("w_activity_code") == F.col("as_code")) & (F.col("w_year") == F.col("p_year"))
    one, of_one = F.col("w_subject_id") == F.col("p_subject_id"), F.col("w_activity_code") == F.col("p_activity_code")
    both = whole.join(_held(part), same & ~(one & of_one) & _region() & _industry())
    too = (F.when(one, F.concat("p_activity_code", F.lit(", which is part of it, too")))
           .when(of_one, F.concat("p_subject_id", F.lit(", which is part of it, does too")))
           .otherwise(F.concat("p_subject_id", F.lit(", which is part of it, tells "), "p_activity_code")))  # fmt: skip
    said = F.concat("w_activity_code", F.lit(" of "), F.year("w_year").cast("string"), F.lit(", and "), too).alias("said")
    part_id = F.when(one, F.lit("")).otherwise(F.col("p_subject_id")).alias("part_id")
    who = (F.col("w_subject_id").alias("subject_id"), part_id, F.col("w_year").alias("valid_from"), "p_activity_code")
    pairs = both.select(*who, said, F.col("p_rows").cast("decimal(19,0)").alias("rows"))
    by = ("subject_id", "part_id", "valid_from")
    each = pairs.groupBy(*by, "p_activity_code").agg(F.min("said").alias("said"), F.max("rows").alias("rows"))
    return each.groupBy(*by).agg(F.min("said").alias("said"), F.sum("rows").alias("rows"))


def _held(part: DataFrame) -> DataFrame:
    """Add the activities that hold a part (`as_code`): its own, and that of the fuel that its own is a kind of."""
    above: Column = F.when(F.lit(False), F.lit(""))
    for whole, kinds in HELD.items():
        above = above.when(F.col("p_activity_code").isin(*kinds), F.lit(whole))
    return part.select("*", F.explode(F.array(F.col("p_activity_code"), above)).alias("as_code"))


def several_sectors(sources: dict[str, DataFrame]) -> list[DataFrame]:
    """Return a row for each subject and year (`valid_from`) with one fuel in several sectors, `said` with one of the fuels.

    A sector and its "of which" (其中) bear one code, and add up in one subject. An empty list where no table has sectors.
    """
    told = [_burnt(table, frame) for table, frame in sorted(sources.items()) if contract(table).columns.keys() >= {*SECTORS}]
    if not told:
        return []
    town, land = (F.col("sector_name").contains(one) & ~F.col("sector_name").contains(other)
                  for one, other in ((TOWN, LAND), (LAND, TOWN)))  # fmt: skip
    halves = [F.sum(F.when(test, F.lit(1)).otherwise(F.lit(0))).alias(name) for test, name in ((town, "town"), (land, "land"))]
    names = (F.min("sector_name").alias("low"), F.max("sector_name").alias("high"), F.count(F.lit(1)).alias("rows"))
    each = reduce(DataFrame.unionByName, told).groupBy("subject_id", "carrier_code", "year_start").agg(*names, *halves)
    found = each.where("low <> high and not (rows = 2 and town = 1 and land = 1)")
    year, several = (column.cast("string") for column in (F.year("year_start"), F.col("rows")))
    said = F.concat("carrier_code", F.lit(" of "), year, F.lit(" in "), several, F.lit(" sectors, "), "low", F.lit(" and "),
                    "high", F.lit(" among them"))  # fmt: skip
    counted = F.sum(F.col("rows").cast("decimal(19,0)")).alias("rows")
    return [found.withColumn("said", said).groupBy("subject_id", F.col("year_start").alias("valid_from")).agg(
        F.min("said").alias("said"), counted)]  # fmt: skip


def _burnt(table: str, frame: DataFrame) -> DataFrame:
    """Return the rows of a balance that burn anything."""
    amounts = sorted({one.quantity for one in contract(table).activity.values()})
    return frame.where(F.coalesce(*amounts) > 0).select(*SECTORS)


def _placed(told: DataFrame, subject: DataFrame, letter: str) -> DataFrame:
    latest = subject.where(F.coalesce("latest", F.lit(True)))
    nobody = F.when(F.col("subject_id").startswith("industry:"), F.lit(HOUSEHOLDS)).otherwise(F.lit(""))
    place = latest.select(F.col("subject_id").alias("_id"), "region_code", F.coalesce("industry_code", nobody).alias("industry"))
    rows = told.join(place, F.col("subject_id") == F.col("_id"))
    names = ("subject_id", "activity_code", "year", "rows", "region_code", "industry")
    return rows.select(*(F.col(name).alias(f"{letter}_{name}") for name in names))


def _region() -> Column:
    whole, part = F.col("w_region_code"), F.col("p_region_code")
    of_nation = (whole == NATION) & part.rlike("^[0-9]{6}$")
    return of_nation | part.startswith(F.regexp_replace(whole, "(00){1,2}$", ""))


def _industry() -> Column:
    """Tell whether an industry is within another; a whole without one is of all, households among them."""
    whole, part = F.col("w_industry"), F.col("p_industry")
    return part.startswith(whole) | F.coalesce(whole == section(part), F.lit(False))
