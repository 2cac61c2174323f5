"""Methods with several sets, own values, defaults, industries and rivals: which factors a line takes, and in what order."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from layers.business.emission import transform as emission
from layers.business.unresolved import transform as unresolved
from tests.frames import Row, frame
from tests.layers.inputs import emission_input

BURN = """
title: Coal
title_zh: 煤
standard: Guide
clause: "2"
version: "2024"
valid_from: 2011-01-01
activities: [fuel_anthracite]
inputs:
  fc: {from: activity, unit: t}
  ncv: {from: factor, unit: GJ/t}
  cc: {from: factor, unit: tC/GJ}
  of: {from: factor, unit: "1", default: 1, default_source: "Guide, 3"}
formula: fuel_combustion
gas: CO2
scope: 1
category: fuel_combustion
book: tested
factor_sets: [first, second]
"""
EMIT = (
    BURN[: BURN.index("  fc:")]
    + """  ad: {from: activity, unit: t}
  ef: {from: factor, unit: t/t}
formula: activity_factor
gas: CO2
scope: 1
category: fuel_combustion
book: tested
factor_set: first
"""
)
LOST = EMIT.replace("unit: t/t}", 'unit: t/t, grain: hour}\n  share: {from: factor, unit: "1", factor_role: of}').replace(
    "formula: activity_factor", "formula: shared"
)
ENTERPRISE = "enterprise:1"
WHERE = {"ncv": "GJ/t", "cc": "tC/GJ", "of": "1", "c_ar": "tC/t"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the methods' folder of a user's own project laid over ours, with one method of its own book."""
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(tmp_path))
    folder = tmp_path / "models/methods"
    folder.mkdir(parents=True)
    (folder / "burn.yaml").write_text(BURN, encoding="utf-8")
    return folder


def _factor(set_: str, role: str, value: float, **other: Any) -> Row:
    return {"factor_id": f"{set_} {role} {value}", "factor_set": set_, "role": role, "value": value, "unit": WHERE[role],
            "activity_code": "fuel_anthracite", "kind": "default", **other}  # fmt: skip


def _own(kind: str, role: str, value: float, **other: Any) -> Row:
    return {**_factor(kind, role, value), "kind": kind, "subject_id": ENTERPRISE, **other}


def _frames(spark: Any, factor: Sequence[Row], industry: str | None = "2511", **activity: Any) -> list[Any]:
    done = {
        "activity_id": "a", "subject_id": ENTERPRISE, "period_start": "2024-06-01T00:00:00Z", "date": "2024-06-01",
        "grain": "month", "activity_code": "fuel_anthracite", "quantity": 10, "unit": "t", "data_grade": "measured",
    }  # fmt: skip
    gwp = {"factor_id": "co2", "factor_set": "AR5", "role": "gwp", "gas": "CO2", "value": 1, "unit": "1"}
    subject = {"subject_id": ENTERPRISE, "subject_type": "enterprise", "region_code": "110000", "industry_code": industry}
    return [
        frame(spark, "thematic.activity", [done | activity]), frame(spark, "thematic.subject", [subject]),
        frame(spark, "knowledge.factor", [gwp, *factor]), frame(spark, "knowledge.factor_hour", []),
    ]  # fmt: skip


def _taken(given: list[Any]) -> dict[str, tuple[str, float]]:
    rows = emission_input(*given).where("line_id like '%burn%' and kind != 'activity' and role != 'gwp'").collect()
    return {row["role"]: (row["kind"], row["value"]) for row in rows}


def _values(given: list[Any]) -> dict[str, float]:
    return {role: value for role, (_, value) in _taken(given).items()}


WHOLE = [_factor(set_, role, value) for set_, values in {"first": (20, 0.02), "second": (30, 0.03)}.items()
         for role, value in zip(("ncv", "cc"), values, strict=True)]  # fmt: skip
ONE = _factor("first", "of", 0.9), _factor("second", "of", 0.8)


def test_the_first_set_that_is_complete_gives_all_parameters(spark: Any, project: Path) -> None:
    assert _values(_frames(spark, [*WHOLE, *ONE])) == {"ncv": 20, "cc": 0.02, "of": 0.9}
    assert _values(_frames(spark, [*WHOLE[1:], *ONE])) == {"ncv": 30, "cc": 0.03, "of": 0.8}


def test_no_complete_set_names_what_the_first_lacks(spark: Any, project: Path) -> None:
    given = _frames(spark, [WHOLE[0], WHOLE[3]])
    assert _values(given) == {}
    left = unresolved(*given).where("method_id = 'burn'").select("reason", "lacking").collect()
    assert [tuple(row) for row in left] == [("no_factor", "cc")]


def test_oxidation_that_was_measured_goes_with_carbon_that_was_measured(spark: Any, project: Path) -> None:
    own = [_own("measured", "c_ar", 0.5), _own("measured", "of", 0.95)]
    lines = emission(*_frames(spark, own)).where("method_id = 'measured_carbon'").select("mass_t", "defaulted").collect()
    assert [tuple(row) for row in lines] == [(Decimal("17.416667"), False)]


def test_a_value_of_co2_is_never_taken_as_one_of_carbon(spark: Any, project: Path) -> None:
    given = _frames(spark, [*WHOLE, _own("override", "cc", 0.0946, unit="tCO2/GJ")])
    assert _values(given) == {}
    left = unresolved(*given).where("method_id = 'burn'").select("reason", "lacking").collect()
    assert [tuple(row) for row in left] == [("no_factor", "cc")]


@pytest.mark.parametrize(
    ("gas", "unit", "made"), [("CH4", "tCO2e/t", 0), ("CH4", "kg/t", 1), ("CO2", "tCO2e/t", 1), ("N2O", "kgCH4/t", 0)]
)
def test_a_value_of_another_gas_is_not_warmed_again(spark: Any, project: Path, gas: str, unit: str, made: int) -> None:
    (project / "burn.yaml").write_text(EMIT.replace("gas: CO2", f"gas: {gas}"), encoding="utf-8")
    gwp = {"factor_id": gas, "factor_set": "AR5", "role": "gwp", "gas": gas, "value": 28, "unit": "1"}
    own = {**_own("override", "cc", 0.5), "role": "ef", "unit": unit}
    assert emission(*_frames(spark, [gwp, own])).where("method_id = 'burn'").count() == made


def test_a_set_in_force_comes_before_an_earlier_year_of_the_set_before_it(spark: Any, project: Path) -> None:
    (project / "burn.yaml").write_text(BURN + "fallback: latest_earlier\n", encoding="utf-8")
    old = {"valid_from": "2020-01-01", "valid_to": "2020-12-31"}
    given = _frames(spark, [{**WHOLE[0], **old}, *WHOLE[1:]])
    assert _values(given) == {"ncv": 30, "cc": 0.03, "of": 1}
    late = _frames(spark, [{**WHOLE[0], **old}, WHOLE[1]])
    assert _values(late) == {"ncv": 20, "cc": 0.02, "of": 1}
    assert [row[0] for row in emission(*late).where("method_id = 'burn'").select("fallback").collect()] == [True]


def test_a_default_of_the_method_is_taken_and_flagged(spark: Any, project: Path) -> None:
    given = _frames(spark, WHOLE)
    assert _taken(given)["of"] == ("default", 1.0)
    assert _flags(given) == ("first", True, False)
    assert _flags(_frames(spark, [*WHOLE, *ONE])) == ("first", False, False)


def _flags(given: list[Any]) -> tuple[str, bool, bool]:
    row = emission(*given).where("method_id = 'burn'").select("factor_set", "defaulted", "measured").collect()[0]
    return row[0], row[1], row[2]


def test_what_the_subject_measured_comes_first_role_by_role_and_an_override_before_it(spark: Any, project: Path) -> None:
    measured, override = _own("measured", "ncv", 24), _own("override", "ncv", 25)
    given = _frames(spark, [*WHOLE, measured])
    assert _values(given) == {"ncv": 24, "cc": 0.02, "of": 1}
    assert _flags(given) == ("first", True, True)
    assert _values(_frames(spark, [*WHOLE, measured, override]))["ncv"] == 25
    assert _values(_frames(spark, [*WHOLE[1:2], measured])) == {"ncv": 24, "cc": 0.02, "of": 1}


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"subject_id": "enterprise:2"},
        {"valid_from": "2024-07-01", "valid_to": "2024-07-31"},
        {"valid_from": "2023-05-01", "valid_to": "2023-05-31"},
        {"activity_code": "fuel_lignite"},
    ],
)
def test_what_was_measured_of_another_subject_period_or_fuel_is_not_taken(
    spark: Any, project: Path, elsewhere: dict[str, str]
) -> None:
    assert _values(_frames(spark, [*WHOLE, {**_own("measured", "ncv", 24), **elsewhere}]))["ncv"] == 20


@pytest.mark.parametrize("where", ["method", "input"])
def test_a_method_may_forbid_measured_values(spark: Any, project: Path, where: str) -> None:
    forbidden = BURN + "measured: none\n" if where == "method" else BURN.replace("unit: GJ/t", "unit: GJ/t, measured: none")
    (project / "burn.yaml").write_text(forbidden, encoding="utf-8")
    assert _values(_frames(spark, [*WHOLE, _own("measured", "ncv", 24)]))["ncv"] == 20


def test_a_factor_of_one_subject_in_a_set_of_the_method_beats_the_nearest_region(spark: Any, project: Path) -> None:
    near, own = _factor("first", "ncv", 22, region_code="110000"), _factor("first", "ncv", 23, subject_id=ENTERPRISE)
    assert _values(_frames(spark, [*WHOLE, near]))["ncv"] == 22
    assert _values(_frames(spark, [*WHOLE, near, own]))["ncv"] == 23


@pytest.mark.parametrize("region", ["710000", "810000", "820000", "540100"])
def test_a_factor_of_the_nation_serves_tibet_but_no_place_that_its_announcement_leaves_out(
    spark: Any, project: Path, region: str
) -> None:
    given = _frames(spark, [{**one, "region_code": "CHN"} for one in WHOLE])
    subject = {"subject_id": ENTERPRISE, "subject_type": "enterprise", "region_code": region, "industry_code": "2511"}
    given[1] = frame(spark, "thematic.subject", [subject])
    assert bool(_values(given)) is (region == "540100")


def test_green_electricity_takes_back_what_bought_electricity_counted_for_it(spark: Any, project: Path) -> None:
    grid = {"factor_id": "grid", "factor_set": "grid_average", "role": "ef", "value": 0.6, "unit": "tCO2/MWh", "kind": "default"}
    own = {**_own("override", "of", 0.3), "role": "ef", "unit": "tCO2/MWh", "activity_code": "electricity_purchased"}
    for factor, tonnes in (([grid], "6"), ([grid, own], "3")):
        made = [emission(*_frames(spark, factor, activity_code=code, unit="MWh")).select("emission_tco2e").collect()
                for code in ("electricity_purchased", "electricity_green")]  # fmt: skip
        assert [row[0] for rows in made for row in rows] == [Decimal(tonnes), -Decimal(tonnes)]


def test_electricity_stands_in_the_market_book_by_the_residual_mix_less_what_is_proven_green(spark: Any, project: Path) -> None:
    grid = {"role": "ef", "unit": "tCO2/MWh", "kind": "default", "region_code": "CHN", "valid_to": "2023-12-31"}
    library = [{**grid, "factor_id": set_, "factor_set": set_, "value": value, "valid_from": "2023-01-01"}
               for set_, value in (("grid_average", 0.5306), ("grid_average_excl_market_nonfossil", 0.6096))]  # fmt: skip
    found: dict[tuple[str, bool], Decimal] = {}
    for code, quantity in (("electricity_purchased", 14000), ("electricity_green", 2000)):
        given = _frames(spark, library, activity_code=code, quantity=quantity, unit="MWh", date="2025-06-01",
                        period_start="2025-06-01T00:00:00Z")  # fmt: skip
        for line in emission(*given).select("book", "fallback", "emission_tco2e").collect():
            found[line[0], line[1]] = found.get((line[0], line[1]), Decimal(0)) + line[2]
    assert found == {("enterprise", True): Decimal("6367.2"), ("enterprise_market", True): Decimal("7315.2")}


def test_an_input_mixes_sets_only_where_the_method_declares_it(spark: Any, project: Path) -> None:
    mixed = BURN.replace('unit: "1", default: 1, default_source: "Guide, 3"', 'unit: "1", sets: [third], note: By device')
    (project / "burn.yaml").write_text(mixed, encoding="utf-8")
    assert _values(_frames(spark, [*WHOLE, *ONE])) == {}
    assert _values(_frames(spark, [*WHOLE, *ONE, _factor("third", "of", 0.99)])) == {"ncv": 20, "cc": 0.02, "of": 0.99}


@pytest.mark.parametrize(("named", "taken"), [("", 0.9), ("technology: kiln, ", 0.91)])
def test_a_technology_serves_only_where_the_method_names_it(spark: Any, project: Path, named: str, taken: float) -> None:
    (project / "burn.yaml").write_text(BURN.replace("default: 1,", f"{named}default: 1,"), encoding="utf-8")
    assert _values(_frames(spark, [*WHOLE, *ONE, _factor("first", "of", 0.91, technology="kiln")]))["of"] == taken


@pytest.mark.parametrize(
    ("industries", "industry", "applies"),
    [
        ('["25"]', "2511", True),
        ('["25", "44"]', "4411", True),
        ('["251"]', "2521", False),
        ("[C]", "2511", True),
        ("[D]", "2511", False),
        ('["25"]', None, False),
    ],
)
def test_a_method_applies_to_its_industries(
    spark: Any, project: Path, industries: str, industry: str | None, applies: bool
) -> None:
    (project / "burn.yaml").write_text(f"{BURN}industries: {industries}\n", encoding="utf-8")
    assert bool(_values(_frames(spark, WHOLE, industry))) == applies


@pytest.mark.parametrize(("industry", "applies"), [("4411", False), ("4420", True), (None, False)])
def test_a_method_leaves_out_industries_whose_guide_has_no_such_term(
    spark: Any, project: Path, industry: str | None, applies: bool
) -> None:
    (project / "burn.yaml").write_text(f'{BURN}not_industries: ["441"]\n', encoding="utf-8")
    assert bool(_values(_frames(spark, WHOLE, industry))) == applies


@pytest.mark.parametrize(
    ("code", "industry", "counted"),
    [("electricity_exported", "4411", False), ("electricity_exported", "2511", True), ("heat_exported", "4412", False),
     ("electricity_purchased", "4420", False), ("carbonate_caco3", "3011", False), ("carbonate_caco3", "3041", True)],
)  # fmt: skip
def test_what_a_guide_does_not_count_is_listed_and_said_to_be_none_of_its_terms(
    spark: Any, code: str, industry: str, counted: bool
) -> None:
    """A power plant's electricity is its product, GB/T 32151.1; limestone of cement is in its clinker, GB/T 32151.8."""
    left = unresolved(*_frames(spark, [], industry, activity_code=code)).collect()
    assert {row["reason"] == "no_method" for row in left} == {not counted}
    assert {"has no such term" in row["suggestion"] for row in left} == {not counted}


CARBON = BURN.replace("  ncv: {from: factor, unit: GJ/t}\n  cc: {from: factor, unit: tC/GJ}\n",
                      '  c_ar: {from: factor, unit: tC/t, sets: [measured], note: "measured only"}\n')  # fmt: skip
CARBON = CARBON.replace("formula: fuel_combustion", "formula: measured_carbon") + "instead_of: [burn]\n"


def test_a_method_gives_way_to_the_one_that_stands_instead_of_it_where_that_is_complete(spark: Any, project: Path) -> None:
    (project / "carbon.yaml").write_text(CARBON, encoding="utf-8")
    assert _methods(_frames(spark, WHOLE)) == (["burn"], [])
    assert _methods(_frames(spark, [*WHOLE, _own("measured", "c_ar", 0.58)])) == (["carbon"], [])
    assert _methods(_frames(spark, [])) == ([], ["burn"])


def test_a_method_that_can_not_take_the_unit_displaces_none(spark: Any, project: Path) -> None:
    own = _own("measured", "c_ar", 0.58)
    (project / "carbon.yaml").write_text(CARBON.replace("fc: {from: activity, unit: t}", "fc: {from: activity, unit: Nm3}")
                                         .replace("unit: tC/t, sets", "unit: tC/Nm3, sets"), encoding="utf-8")  # fmt: skip
    given = _frames(spark, [*WHOLE, {**own, "unit": "tC/Nm3"}])
    assert _methods(given) == (["burn"], [])


@pytest.mark.parametrize(("oxides", "deducted"), [((), "-4.8"), (("cao", "mgo"), "0"), (("cao",), "-4.8")])
def test_what_measured_oxides_of_clinker_hold_is_not_deducted_again(
    spark: Any, project: Path, oxides: Sequence[str], deducted: str
) -> None:
    code = "cement_substitute_carbide_slag"
    row = {**_factor("process_水泥", "of", 0.48), "role": "ef", "unit": "tCO2/t", "activity_code": code}
    own = [
        {**_own("measured", "of", 0.6), "factor_id": role, "role": role, "activity_code": "clinker_white_output"}
        for role in oxides
    ]
    given = _frames(spark, [row, *own], "3011", activity_code=code)
    assert [line["emission_tco2e"] for line in emission(*given).collect()] == [Decimal(deducted)]
    assert unresolved(*given).count() == 0


@pytest.mark.parametrize(("industry", "share"), [("4411", "0.99"), ("2511", "0.94")])
def test_carbon_that_was_measured_is_oxidised_as_the_guide_of_the_industry_or_the_fuel_has_it(
    spark: Any, project: Path, industry: str, share: str
) -> None:
    power = {**_factor("ETS_POWER_2022", "of", 0.99), "activity_code": None, "industry_code": "441"}
    given = _frames(spark, [power, _factor("NDRC_GENERAL", "of", 0.94), _own("measured", "c_ar", 12 / 44)], industry)
    lines = emission(*given).where("method_id = 'measured_carbon'").select("emission_tco2e", "defaulted").collect()
    assert [tuple(line) for line in lines] == [(10 * Decimal(share), False)]


def _methods(given: list[Any]) -> tuple[list[str], list[str]]:
    """Return the methods of the book that made lines, and those that did not."""
    tested = ("burn", "carbon")
    done = [row[0] for row in emission(*given).select("method_id").collect()]
    left = [row[0] for row in unresolved(*given).select("method_id").collect()]
    return [one for one in done if one in tested], [one for one in left if one in tested]


def test_the_measured_carbon_of_the_worked_example(spark: Any, project: Path) -> None:
    (project / "carbon.yaml").write_text(CARBON, encoding="utf-8")
    given = _frames(spark, [*WHOLE, _own("measured", "c_ar", 0.58), _own("measured", "of", 0.99)], quantity=1000)
    rows = emission(*given).where("method_id = 'carbon'").select("emission_tco2e").collect()
    assert [str(row[0]) for row in rows] == ["2105.400000"]  # A05


def test_a_factor_of_the_hour_goes_with_others_of_the_day_and_both_are_told(spark: Any, project: Path) -> None:
    (project / "burn.yaml").write_text(LOST, encoding="utf-8")
    given = _frames(spark, [ONE[0]], grain="hour")
    hour = {"factor_id": "h", "factor_set": "first", "role": "ef", "activity_code": "fuel_anthracite", "region_code": "110000",
            "period_start": "2024-06-01T00:00:00Z", "gas": "CO2", "value": 2, "unit": "t/t"}  # fmt: skip
    given[3] = frame(spark, "knowledge.factor_hour", [hour])
    assert _values(given) == {"ef": 2, "share": 0.9}
    assert [row[0] for row in emission(*given).where("method_id = 'burn'").select("mass_t").collect()] == [Decimal("18")]
