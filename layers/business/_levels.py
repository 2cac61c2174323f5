"""The levels and grains that figures are rolled up to: one aggregate of the subjects of a place, then its levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.codes import section
from schemas.codes import code_list

UNKNOWN = "unknown"
NATION = "CHN"
GRAINS = ("month", "quarter", "year")  # what a sum by month is rolled up to; one by day stays one by day
Levels = dict[str, Column]


def rolled(fine: Mapping[str, DataFrame], detail: Sequence[str], added: Sequence[Column]) -> DataFrame:
    """Return sums of `added` by `grain`, `period`, `level`, `member` and the columns of `detail`.

    `fine` are rows by `day` and by `month`, each with PLACE and `period`, its first day. Members of one level add up to the
    whole: who has no code at a level is `unknown`, followed by the code that is known. Levels never add up with each other.
    `added` are sums named as what they add up, since they are taken twice: first of the subjects of one place, which
    are many, then of the levels above.
    """
    region, industry = regions(F.col("region_code")), _industries(F.col("industry_code"))
    base = reduce(DataFrame.unionByName, [rows.select("*", F.lit(name).alias("fine")) for name, rows in fine.items()])
    parts = [
        _levels(_few(base, "region_code", detail, added), {"total": F.lit("all"), **region}, detail, added),
        _levels(_few(base, "industry_code", detail, added), industry, detail, added),
        _levels(fine["month"].select("*", F.lit("month").alias("fine")), _members(), detail, added),
    ]
    for level, member in _members().items():
        # Days of members are as many as the rows they are made of, and need no second sum.
        one = [F.lit("day").alias("grain"), F.lit(level).alias("level"), member.alias("member")]
        parts.append(fine["day"].groupBy(*detail, "period", *one).agg(*added))
    return reduce(DataFrame.unionByName, parts)


def levels() -> tuple[str, ...]:
    """Return the names of all levels."""
    names = (*regions(F.lit("")), *_industries(F.lit("")))
    return ("total", *names, "park", "enterprise", "facility")


def member(level: str) -> Column:
    """Return the member of a level that a row of a place counts for."""
    named = {"total": F.lit("all"), **regions(F.col("region_code")), **_industries(F.col("industry_code"))}
    return named[level] if level in named else F.coalesce(f"{level}_id", F.lit(UNKNOWN))


def _members() -> Levels:
    return {level: F.coalesce(f"{level}_id", F.lit(UNKNOWN)) for level in ("park", "enterprise", "facility")}


def _few(base: DataFrame, code: str, detail: Sequence[str], added: Sequence[Column]) -> DataFrame:
    """Return sums by one code: the levels above it are made of few rows then."""
    return base.groupBy(*detail, code, "fine", "period").agg(*added)


def _levels(rows: DataFrame, named: Levels, detail: Sequence[str], added: Sequence[Column]) -> DataFrame:
    """Return sums by each of some levels: of a day by day, of a month by month, quarter and year."""
    # One name per row, then a choice: an array of structs that differ in nullability makes Sail panic.
    each = rows.select("*", F.explode(F.array(*(F.lit(name) for name in named))).alias("level"))
    member = F.coalesce(*(F.when(F.col("level") == name, value) for name, value in named.items()))
    grains = F.when(F.col("fine") == "day", F.array(F.lit("day"))).otherwise(F.array(*(F.lit(name) for name in GRAINS)))
    each = each.withColumn("member", member).select("*", F.explode(grains).alias("grain"))
    first = (
        F.when(F.col("grain") == "quarter", F.trunc("period", "quarter"))
        .when(F.col("grain") == "year", F.trunc("period", "year"))
        .otherwise(F.col("period"))
    )
    return each.withColumn("period", first).groupBy(*detail, "grain", "period", "level", "member").agg(*added)


def regions(code: Column) -> Levels:
    """Return the levels of a division (GB/T 2260, six digits); a country or a part of one has no more than it says."""
    chinese = code.rlike("^[0-9]{6}$")
    others = [row for row in code_list("region") if row["level"] in ("province", "grid") and not row["code"].isdigit()]
    provinces = sorted(row["code"] for row in others if row["level"] == "province")
    nation: Column = F.when(chinese, F.lit(NATION)).when(code.rlike("^[A-Z]{3}$"), code)
    for parent in sorted({row["parent"] for row in others}):
        nation = nation.when(code.isin(sorted(row["code"] for row in others if row["parent"] == parent)), F.lit(parent))
    province = F.when(chinese, F.concat(F.substring(code, 1, 2), F.lit("0000"))).when(code.isin(provinces), code)
    city = F.when(chinese & (F.substring(code, 3, 2) != "00"), F.concat(F.substring(code, 1, 4), F.lit("00")))
    county = F.when(chinese & (F.substring(code, 5, 2) != "00"), code)
    found = {"nation": nation, "province": province, "prefecture": city, "county": county}
    return {name: _or_unknown(value, code) for name, value in found.items()}


def _industries(code: Column) -> Levels:
    """The four levels of GB/T 4754 and the sector (T/ZJSEE 6.3.1.1); a class is that of the edition it was coded by."""
    division = F.when(code.rlike("^[0-9]{2}"), F.substring(code, 1, 2))
    sector: Column = F.when(F.lit(False), F.lit(""))
    for row in code_list("emission_sector"):
        if row["divisions"]:
            held = divisions(row["divisions"])
            sector = sector.when(division.isin(held) | code.isin(_whole(held)), F.lit(row["code"]))
    group = F.when(code.rlike("^[0-9]{3}"), F.substring(code, 1, 3))
    found = {"section": section(code), "division": division, "group": group, "class": F.when(code.rlike("^[0-9]{4}"), code)}
    return {name: _or_unknown(value, code) for name, value in (found | {"sector": sector}).items()}


def _whole(held: Sequence[str]) -> list[str]:
    """Return the letters of the sections whose divisions are all among those that are held."""
    known = {row["code"]: row["parent"] for row in code_list("industry") if row["level"] == "division"}
    return sorted(set(known.values()) - {letter for one, letter in known.items() if one not in held})


def divisions(text: str) -> list[str]:
    """Return the divisions of `06 08-24`."""
    spans = [(part.split("-")[0], part.split("-")[-1]) for part in text.split()]
    return [f"{n:02}" for first, last in spans for n in range(int(first), int(last) + 1)]


def _or_unknown(value: Column, code: Column) -> Column:
    return F.coalesce(value, F.concat(F.lit(f"{UNKNOWN}:"), code), F.lit(UNKNOWN))
