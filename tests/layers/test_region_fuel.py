"""What a region burnt: CO2 by the fuel, CH4 and N2O by what the sector burns it in, in a book of its own."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import functions as F

from jobs.clean import checks
from layers.business._levels import rolled
from layers.business.emission import transform as emission
from samples.combustion import combustion
from schemas.contracts import contract
from tests.frames import Row, cleaned, frame
from tests.layers.inputs import emission_input

HEAT = {"fuel_raw_coal": ("CHINA_STAT", 20.908, 0.02637, 0.94), "fuel_diesel": ("NDRC_GENERAL", 43.33, 0.0202, 0.98),
        "fuel_gasoline": ("NDRC_GENERAL", 44.8, 0.0189, 0.98)}  # fmt: skip
# Sector → its code, fuel, and kg CH4 and kg N2O per TJ: IPCC 2006 vol. 2, tables 2.2, 2.3, 2.4, 2.5, 3.2.2, 3.3.1, 3.4.1.
BURNT = {
    "power": ("4411", "raw_coal", 1, 1.5), "steel": ("31", "raw_coal", 10, 1.5), "shops": ("F", "raw_coal", 10, 1.5),
    "farms": ("01", "raw_coal", 300, 1.5), "homes": (None, "raw_coal", 300, 1.5), "building sites": ("E", "diesel", 4.15, 28.6),
    "trains": ("53", "diesel", 4.15, 28.6), "lorries": ("54", "diesel", 3.9, 3.9), "mills": ("13", "diesel", 3, 0.6),
    "cars": (None, "gasoline", 25, 8), "mines, all": ("B", "raw_coal", 1, 1.5), "ore": ("0810", "raw_coal", 10, 1.5),
    "utilities, all": ("D", "raw_coal", 1, 1.5), "water": ("46", "raw_coal", 10, 1.5),
}  # fmt: skip


def _library() -> list[Row]:
    listed = [{"factor_id": "|".join(row[n] for n in ("activity_code", "gas", "industry_code", "clause")), "kind": "default",
               "industry_code": row["industry_code"] or None, "value": float(row["value"]),
               **{name: row[name] for name in ("factor_set", "role", "activity_code", "gas", "unit")}}
              for row in combustion()]  # fmt: skip
    fuels = [{"factor_id": f"{set_} {code} {role}", "factor_set": set_, "kind": "default", "role": role, "unit": unit,
              "activity_code": code, "value": value} for code, (set_, *values) in HEAT.items()
             for (role, unit), value in zip((("ncv", "GJ/t"), ("cc", "tC/GJ"), ("of", "1")), values, strict=True)]  # fmt: skip
    warming = [{"factor_id": gas, "factor_set": "AR5", "role": "gwp", "gas": gas, "value": value, "unit": "1"}
               for gas, value in (("CO2", 1), ("CH4", 28), ("N2O", 265))]  # fmt: skip
    return [*listed, *fuels, *warming]


def _frames(spark: Any, *more: Row) -> list[Any]:
    activity = [{"activity_id": name, "subject_id": f"industry:140000:{name}", "period_start": "2022-01-01T00:00:00Z",
                 "date": "2022-01-01", "grain": "year", "activity_code": f"region_fuel_{fuel}", "quantity": 1000, "unit": "t",
                 "data_grade": "calculated"} for name, (_, fuel, *_) in BURNT.items()]  # fmt: skip
    subject = [{"subject_id": f"industry:140000:{name}", "subject_type": "industry", "region_code": "140000",
                "industry_code": code} for name, (code, *_) in BURNT.items()]  # fmt: skip
    return [frame(spark, "thematic.activity", activity), frame(spark, "thematic.subject", subject),
            frame(spark, "knowledge.factor", [*_library(), *more]), frame(spark, "knowledge.factor_hour", [])]  # fmt: skip


def test_every_sector_has_three_gases_by_what_it_burns_its_fuel_in(spark: Any) -> None:
    lines = emission(*_frames(spark)).select("activity_id", "gas", "book", F.col("mass_t").cast("double").alias("t")).collect()
    assert {row["book"] for row in lines} == {"region"}
    got = {(row["activity_id"], row["gas"]): row["t"] for row in lines}
    wanted = {}
    for name, (_, fuel, ch4, n2o) in BURNT.items():
        _, ncv, cc, of = HEAT[f"fuel_{fuel}"]
        wanted |= {
            (name, "CO2"): 1000 * ncv * cc * of * 44 / 12,
            (name, "CH4"): ncv * ch4 / 1000,
            (name, "N2O"): ncv * n2o / 1000,
        }
    assert got == pytest.approx(wanted, rel=1e-4, abs=1e-6)


def test_a_factor_cites_the_table_of_who_burns_the_fuel(spark: Any) -> None:
    tables = {"44": "2.2", "45": "2.2", "25": "2.2", "31": "2.3", "E": "2.3", "51": "2.4", "F": "2.4", "01": "2.5", None: "2.5"}
    fuels = {"raw_coal": "t", "fuel_oil": "t", "natural_gas": "1e4Nm3"}
    heat = [{"factor_id": f"heat {fuel}", "factor_set": "NDRC_GENERAL", "kind": "default", "role": "ncv", "value": 40,
             "unit": f"GJ/{unit}", "activity_code": f"fuel_{fuel}"} for fuel, unit in fuels.items()]  # fmt: skip
    subject = [{"subject_id": f"industry:140000:{code}", "region_code": "140000", "industry_code": code} for code in tables]
    activity = [{"activity_id": f"{code} {fuel}", "subject_id": f"industry:140000:{code}", "grain": "year", "quantity": 1,
                 "period_start": "2022-01-01T00:00:00Z", "date": "2022-01-01", "activity_code": f"region_fuel_{fuel}",
                 "unit": unit, "data_grade": "calculated"} for code in tables for fuel, unit in fuels.items()]  # fmt: skip
    _, _, factor, hours = _frames(spark, *heat)
    told = (frame(spark, "thematic.activity", activity), frame(spark, "thematic.subject", subject))
    cited = emission_input(*told, factor, hours).where("role = 'ef'").select("line_id", "ref_id").collect()
    assert len(cited) == len(activity) * len(("CH4", "N2O"))
    for line, factor_id in cited:
        first, *last = factor_id.split()[-1].split("-")
        code = line.split()[0]
        wanted = tables[None if code == "None" else code]
        assert first <= wanted <= (last or [first])[0], (line, factor_id)


def test_gas_that_coke_turned_into_has_no_co2_beside_that_of_the_coke(spark: Any) -> None:
    burnt = {"blast_furnace_gas": 0, "converter_gas": 0, "coke_oven_gas": 1}
    activity = [{"activity_id": fuel, "subject_id": "industry:140000:31", "period_start": "2022-01-01T00:00:00Z",
                 "date": "2022-01-01", "grain": "year", "activity_code": f"region_fuel_{fuel}", "quantity": 1, "unit": "1e4Nm3",
                 "data_grade": "calculated"} for fuel in burnt]  # fmt: skip
    own = [{"factor_id": f"{fuel} {role}", "factor_set": "provincial_2011", "kind": "default", "role": role, "unit": unit,
            "activity_code": f"fuel_{fuel}", "value": value} for fuel in burnt
           for role, value, unit in (("ncv", 40, "GJ/1e4Nm3"), ("cc", 0.05, "tC/GJ"), ("of", 0.99, "1"))]  # fmt: skip
    steel = {"subject_id": "industry:140000:31", "region_code": "140000", "industry_code": "31"}
    _, _, factor, hours = _frames(spark, *own)
    told = (frame(spark, "thematic.activity", activity), frame(spark, "thematic.subject", [steel]))
    lines = emission(*told, factor, hours).select("activity_id", "gas").collect()
    gases = {fuel: sorted(row["gas"] for row in lines if row["activity_id"] == fuel) for fuel in burnt}
    assert gases == {fuel: ["CH4", *["CO2"] * co2, "N2O"] for fuel, co2 in burnt.items()}


def test_what_a_province_lands_for_its_own_code_of_a_fuel_goes_before_the_fuel_above_it(spark: Any) -> None:
    values = (("ncv", 21, "GJ/t"), ("cc", 0.026, "tC/GJ"), ("of", 0.9, "1"))
    own = [{"factor_id": f"own {role} {place}", "factor_set": "provincial_2011", "kind": "default", "role": role, "unit": unit,
            "activity_code": code, "value": value * times}
           for role, value, unit in values for place, (code, times) in
           enumerate((("fuel_raw_coal", 0.5), ("region_fuel_raw_coal", 1)))]  # fmt: skip
    rows = emission_input(*_frames(spark, *own)).where(
        "line_id = 'steel|region_fuel_co2|CO2' and kind = 'factor' and role <> 'gwp'"
    )
    assert {row["role"]: (row["value"], row["factor_set"]) for row in rows.collect()} == {
        role: (value, "provincial_2011") for role, value, _ in values}  # fmt: skip


def test_what_is_of_the_province_goes_before_what_is_of_its_own_code_and_of_anywhere(spark: Any) -> None:
    values = {"ncv": (21, "GJ/t"), "cc": (0.026, "tC/GJ"), "of": (0.9, "1")}
    rows = [{"factor_id": f"{code} {role}", "factor_set": "provincial_2011", "kind": "default", "role": role, "unit": unit,
             "activity_code": code, "region_code": region, "value": value * times} for role, (value, unit) in values.items()
            for code, region, times in (("region_fuel_raw_coal", None, 0.5), ("fuel_raw_coal", "140000", 1))]  # fmt: skip
    taken = emission_input(*_frames(spark, *rows)).where(
        "line_id = 'steel|region_fuel_co2|CO2' and kind = 'factor' and role <> 'gwp'"
    )
    assert {row["role"]: row["ref_id"] for row in taken.collect()} == {role: f"fuel_raw_coal {role}" for role in values}


@pytest.mark.parametrize(("year", "fuel", "warned"), [("2009", "其他煤气", True), ("2010", "其他煤气", False),
                                                      ("2009", "焦炉煤气", False)])  # fmt: skip
def test_other_gas_of_years_that_hold_that_of_furnaces_is_kept_and_warned_of(
    spark: Any, year: str, fuel: str, warned: bool
) -> None:
    one = contract("cleaned.region_fuel_year")
    given = {"行政区划代码": "140000", "年份": year, "部门": "黑色金属", "行业代码": "31", "能源品种": fuel,
             "消费量(亿立方米)": "1", "数据来源": "made up"}  # fmt: skip
    (row,) = cleaned(spark, one, given)
    bit = [check.label for check in checks(one, given)].index("other_gas_of_its_own")
    assert row["_verdict"] == "ok"
    assert bool(row["_rules"] & 1 << bit) == warned


HEAT_OF_A_PROVINCE, CARBON_OF_THE_GUIDE = {"ncv": 21}, {"cc": 0.026, "of": 0.9}


@pytest.mark.parametrize("landed", [CARBON_OF_THE_GUIDE, HEAT_OF_A_PROVINCE], ids=["carbon", "heat"])
@pytest.mark.parametrize("state", ["fuel", "gas"])
def test_a_province_may_land_the_carbon_of_the_guide_or_its_own_heat_alone(spark: Any, landed: Row, state: str) -> None:
    code, per, quantity = ("fuel_raw_coal", "t", "t") if state == "fuel" else ("fuel_natural_gas", "1e4Nm3", "1e4Nm3")
    units = {"ncv": f"GJ/{per}", "cc": "tC/GJ", "of": "1"}
    general = {"ncv": 20, "cc": 0.02, "of": 0.98}
    rows = [{"factor_id": f"{name} {role}", "factor_set": name, "kind": "default", "role": role, "unit": units[role],
             "activity_code": code, "value": value} for name, values in (("provincial_2011", landed), ("NDRC_GENERAL", general))
            for role, value in values.items()]  # fmt: skip
    subject = {"subject_id": "industry:140000:31", "region_code": "140000", "industry_code": "31"}
    burnt = {"activity_id": "a", "subject_id": "industry:140000:31", "period_start": "2022-01-01T00:00:00Z", "grain": "year",
             "date": "2022-01-01", "activity_code": f"region_{code}", "quantity": 1, "unit": quantity,
             "data_grade": "calculated"}  # fmt: skip
    told = (frame(spark, "thematic.activity", [burnt]), frame(spark, "thematic.subject", [subject]))
    gwp = {"factor_id": "CO2", "factor_set": "AR5", "role": "gwp", "gas": "CO2", "value": 1, "unit": "1"}
    made = emission_input(*told, frame(spark, "knowledge.factor", [*rows, gwp]), frame(spark, "knowledge.factor_hour", []))
    taken = made.where(f"line_id = 'a|region_{state}_co2|CO2' and kind = 'factor' and role <> 'gwp'").collect()
    assert {row["role"]: (row["value"], row["factor_set"]) for row in taken} == {
        role: (landed[role], "provincial_2011") if role in landed else (general[role], "NDRC_GENERAL")
        for role in units}  # fmt: skip


@pytest.mark.parametrize(("code", "sector"), [("A", "agriculture"), ("F", "building"), ("G", "transport"), ("54", "transport"),
                                              ("B", "unknown:B"), ("C", "unknown:C"), ("D", "unknown:D"),
                                              (None, "unknown")])  # fmt: skip
def test_the_letter_of_a_section_is_of_a_sector_where_all_its_divisions_are(spark: Any, code: str | None, sector: str) -> None:
    nobody = [F.lit(None).cast("string").alias(f"{name}_id") for name in ("park", "enterprise", "facility")]
    place = frame(spark, "thematic.subject", [{"region_code": "140000", "industry_code": code}]).select(
        "region_code", "industry_code", *nobody,
        F.lit("2022-01-01").cast("date").alias("period"), F.lit(1).alias("n"))  # fmt: skip
    sums = rolled({"day": place, "month": place}, (), [F.sum("n").alias("n")])
    rows = sums.where("level = 'sector' and grain = 'year'").collect()
    assert [row["member"] for row in rows] == [sector]
