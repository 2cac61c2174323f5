"""Which factor a line takes, and what becomes of activity that has none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from layers.business.emission import transform as emission
from layers.business.emission_input import transform as inputs_of
from layers.business.unresolved import transform as unresolved
from models.variant import Variant
from tests.frames import Row, frame
from tests.layers.inputs import emission_input

BASE: dict[str, Any] = {
    "subject_id": "s", "period_start": "2024-06-01T00:00:00Z", "date": "2024-06-01", "grain": "month",
    "activity_code": "electricity_purchased", "quantity": 1000, "unit": "kWh", "data_grade": "measured",
}  # fmt: skip
GWP: Row = {"factor_id": "co2", "factor_set": "AR5", "role": "gwp", "gas": "CO2", "value": 1, "unit": "1"}


def _factor(id_: str, region: str | None, year: int | None, value: float, **other: Any) -> Row:
    period = {"valid_from": f"{year}-01-01", "valid_to": f"{year}-12-31"} if year else {}
    return {"factor_id": id_, "factor_set": "grid_average", "role": "ef", "region_code": region, "gas": "CO2",
            "value": value, "unit": "tCO2/MWh", **period, **other}  # fmt: skip


def _frames(spark: Any, activity: Sequence[Row], factor: Sequence[Row], region: str | None = None, **hour: Any) -> list[Any]:
    subject = [{"subject_id": "s", "subject_type": "enterprise", "region_code": region, "industry_code": "4610"}]
    rows = [{**BASE, "activity_id": f"a{place}", **row} for place, row in enumerate(activity)]
    return [
        frame(spark, "thematic.activity", rows), frame(spark, "thematic.subject", subject),
        frame(spark, "knowledge.factor", [GWP, *factor]), frame(spark, "knowledge.factor_hour", [hour] if hour else []),
    ]  # fmt: skip


def _taken(spark: Any, factor: Sequence[Row], region: str | None, **activity: Any) -> list[tuple[str, bool]]:
    """Return the factor that one activity takes, and whether it is of an earlier year."""
    given = _frames(spark, [activity], factor, region)
    rows = emission(*given).select("line_id", "fallback").collect()
    refs = emission_input(*given).where("role = 'ef'").select("ref_id").collect()
    return [(ref[0], row[1]) for ref, row in zip(refs, rows, strict=True)]


NEAR = [
    _factor("grid", "GRID-N", 2024, 0.4), _factor("nation", "CHN", 2024, 0.5), _factor("province", "110000", 2024, 0.3),
    _factor("city", "110100", 2024, 0.2), _factor("elsewhere", "120000", 2024, 0.9), _factor("any", None, 2024, 0.6),
]  # fmt: skip


@pytest.mark.parametrize(
    ("region", "without", "taken"),
    [
        ("110105", (), "city"),
        ("110105", ("city",), "province"),
        ("110105", ("city", "province"), "grid"),
        ("110105", ("city", "province", "grid"), "nation"),
        ("110105", ("city", "province", "grid", "nation"), "any"),
        ("CHN", (), "nation"),
        (None, (), "any"),
        ("US-CA", (), "any"),
    ],
)
def test_the_nearest_region_applies(spark: Any, region: str | None, without: tuple[str, ...], taken: str) -> None:
    library = [one for one in NEAR if one["factor_id"] not in without]
    assert _taken(spark, library, region) == [(taken, False)]


def test_the_nearest_industry_applies(spark: Any) -> None:
    library = [_factor(i or "all", None, 2024, 0.5, industry_code=i) for i in (None, "46", "461", "462")]
    assert _taken(spark, library, "110000") == [("461", False)]


def test_a_factor_in_force_comes_before_a_nearer_one_of_an_earlier_year(spark: Any) -> None:
    library = [_factor("old", "110000", 2023, 0.3), _factor("now", "CHN", 2024, 0.5)]
    assert _taken(spark, library, "110000") == [("now", False)]


def test_the_latest_earlier_year_is_taken_and_flagged_and_a_later_one_never(spark: Any) -> None:
    library = [_factor(str(year), "110000", year, 0.3) for year in (2021, 2023, 2022, 2025)]
    assert _taken(spark, library, "110000") == [("2023", True)]


def test_of_two_statements_on_one_year_the_one_known_later_stands(spark: Any) -> None:
    library = [_factor(day, "110000", 2024, 0.3, known_from=day) for day in ("2025-01-01", "2025-07-01", "2025-03-01")]
    assert _taken(spark, library, "110000") == [("2025-07-01", False)]


def test_a_factor_of_another_set_is_never_taken(spark: Any) -> None:
    library = [{**_factor("footprint", "110000", 2024, 0.6), "factor_set": "grid_lifecycle_footprint"}]
    assert _taken(spark, library, "110000") == []


def test_no_fallback_where_the_method_declares_none(spark: Any) -> None:
    heat = {"factor_set": "process_通用", "activity_code": "heat_purchased", "unit": "tCO2/GJ"}
    given = _frames(spark, [{"activity_code": "heat_purchased", "unit": "GJ"}], [_factor("h", None, 2023, 0.11, **heat)])
    assert emission(*given).count() == 0
    assert [tuple(r) for r in unresolved(*given).select("reason", "lacking").collect()] == [("no_factor", "ef")]


def test_a_fuel_that_lacks_one_parameter_stays_unresolved_and_says_which(spark: Any) -> None:
    part = {"factor_set": "NDRC_GENERAL", "activity_code": "fuel_diesel"}
    library = [_factor("ncv", None, None, 43.33, role="ncv", **part | {"unit": "GJ/t"}),
               _factor("of", None, None, 0.98, role="of", **part | {"unit": "1"})]  # fmt: skip
    given = _frames(spark, [{"activity_code": "fuel_diesel", "unit": "t"}], library)
    assert [tuple(r) for r in unresolved(*given).select("reason", "lacking").collect()] == [("no_factor", "cc")]


@pytest.mark.parametrize(
    ("quantity", "unit", "factor_unit", "value", "tonnes"),
    [
        (1000, "kWh", "tCO2/MWh", 0.5, "0.500000"),
        (1, "MWh", "kgCO2/kWh", 0.5, "0.500000"),
        (3.6, "GJ", "gCO2/kWh", 500, "0.500000"),
    ],
)
def test_units_are_converted(spark: Any, quantity: float, unit: str, factor_unit: str, value: float, tonnes: str) -> None:
    library = [_factor("f", None, 2024, value, unit=factor_unit)]
    given = _frames(spark, [{"quantity": quantity, "unit": unit}], library)
    assert [str(row[0]) for row in emission(*given).select("mass_t").collect()] == [tonnes]


def test_what_can_not_be_computed_says_why(spark: Any) -> None:
    activity: list[Row] = [
        {"unit": "t"},
        {"unit": "nobody_knows"},
        {"activity_code": "cement_output", "unit": "t"},
        {"quantity": 8e21},
        {"grain": "hour"},
    ]
    given = _frames(spark, activity, [_factor("f", None, 2024, 0.5)])
    rows = unresolved(*given).orderBy("activity_id").select("reason", "method_id").collect()
    assert emission(*given).count() == 0
    assert [tuple(row) for row in rows] == [
        ("unit", "purchased_electricity"), ("unit", "purchased_electricity"), ("no_method", ""),
        ("out_of_range", "purchased_electricity"), ("no_factor", "purchased_electricity_hourly"),
    ]  # fmt: skip


def test_every_activity_is_a_line_or_unresolved_once(spark: Any) -> None:
    codes = [("electricity_purchased", "kWh"), ("heat_purchased", "GJ"), ("cement_output", "t"), ("fuel_diesel", "t")]
    activity = [{"activity_code": code, "unit": unit, "quantity": n} for n in range(1, 30) for code, unit in codes]
    given = _frames(spark, activity, [_factor("f", None, 2024, 0.5)])
    done = [row[0] for row in emission(*given).select("activity_id").collect()]
    left = [row[0] for row in unresolved(*given).select("activity_id").collect()]
    assert sorted(done + left) == sorted(f"a{place}" for place in range(len(activity)))
    assert len(done) == 29


def test_who_has_no_industry_keeps_no_term_that_a_guide_may_leave_out(spark: Any) -> None:
    """A power plant takes back nothing that it sells, and counts no heat that it buys (GB/T 32151.1-2015)."""
    codes = [("electricity_exported", "kWh"), ("electricity_purchased", "kWh"), ("heat_purchased", "GJ")]
    activity = [{"activity_code": code, "unit": unit, "quantity": 9000} for code, unit in codes]
    heat = {"factor_set": "process_通用", "activity_code": "heat_purchased", "unit": "tCO2/GJ"}
    library = [_factor("f", None, 2024, 0.5), _factor("h", None, None, 0.11, **heat)]

    def told(**subject: Any) -> tuple[list[str], set[str]]:
        given = _frames(spark, activity, library)
        given[1] = frame(spark, "thematic.subject", [{"subject_id": "s", **subject}])
        done = [row[0] for row in emission(*given).select("activity_code").collect()]
        return sorted(done), {row[0] for row in unresolved(*given).select("reason").collect()}

    every = [code for code, _ in codes]
    assert told(subject_type="enterprise") == ([], {"no_industry"})
    assert told(subject_type="enterprise", industry_code="4411") == (["electricity_purchased"], {"no_method"})
    assert told(subject_type="enterprise", industry_code="3011") == (every, set())
    assert told(subject_type="park") == (every, set()), "a park has no industry"


def test_an_hour_without_a_factor_is_unresolved_not_zero(spark: Any) -> None:
    hour = {
        "factor_id": "h",
        "factor_set": "grid_hour",
        "role": "ef",
        "activity_code": "electricity_purchased",
        "region_code": "US-CA",
        "period_start": "2024-06-01T01:00:00Z",
        "gas": "GHG",
        "value": 170,
        "unit": "gCO2/kWh",
    }
    activity: list[Row] = [{"grain": "hour", "period_start": f"2024-06-01T0{n}:00:00Z"} for n in (0, 1)]
    given = _frames(spark, activity, [{**GWP, "factor_id": "ghg", "gas": "GHG"}], "US-CA", **hour)
    assert [(r[0], str(r[1])) for r in emission(*given).select("activity_id", "mass_t").collect()] == [("a1", "0.170000")]
    assert [tuple(r) for r in unresolved(*given).select("activity_id", "reason").collect()] == [("a0", "no_factor")]


def test_a_line_whose_factor_is_gone_is_left_without_a_role_or_a_value_which_the_rules_refuse(spark: Any) -> None:
    given = _frames(spark, [{}], [_factor("f", "CHN", 2024, 0.5)], "110000")
    gone = inputs_of(emission(*given), frame(spark, "knowledge.factor", [GWP]), given[3])
    assert [tuple(row) for row in gone.select("role", "value").collect()] == [(None, None)]
    hour = {"factor_id": "h", "factor_set": "grid_hour", "role": "ef", "activity_code": "electricity_purchased",
            "region_code": "US-CA", "period_start": "2024-06-01T00:00:00Z", "gas": "GHG", "value": 170,
            "unit": "gCO2/kWh"}  # fmt: skip
    given = _frames(spark, [{"grain": "hour"}], [{**GWP, "factor_id": "ghg", "gas": "GHG"}], "US-CA", **hour)
    gone = inputs_of(emission(*given), given[2], frame(spark, "knowledge.factor_hour", []))
    assert {(row["role"], row["value"]) for row in gone.collect()} == {("ad", 1.0), ("gwp", 1.0), ("ef", None)}


def test_a_variant_adds_gases_up_under_its_own_set(spark: Any) -> None:
    other = {**GWP, "factor_id": "co2-ar6", "factor_set": "AR6", "value": 3}
    given = _frames(spark, [{}], [_factor("f", "CHN", 2024, 0.5), other], "110000")
    (line,) = emission(*given, variant=Variant(gwp_set="AR6")).select("mass_t", "emission_tco2e", "gwp_set").collect()
    assert (line[0], line[1], line[2]) == (Decimal("0.5"), Decimal("1.5"), "AR6")
    assert [
        row[0] for row in emission_input(*given, variant=Variant(gwp_set="AR6")).where("role = 'gwp'").select("ref_id").collect()
    ] == ["co2-ar6"]


def test_a_gas_without_a_potential_in_the_set_of_a_variant_is_unresolved(spark: Any) -> None:
    given = _frames(spark, [{}], [_factor("f", "CHN", 2024, 0.5)], "110000")
    assert [row["lacking"] for row in unresolved(*given, variant=Variant(gwp_set="SAR")).collect()] == ["gwp"]


@pytest.mark.parametrize(
    ("day", "taken"), [(None, "new"), (date(2025, 6, 1), "new"), (date(2025, 5, 31), "old"), (date(2023, 1, 1), "any")]
)
def test_only_factors_that_were_known_on_the_day_count(spark: Any, day: date | None, taken: str) -> None:
    library = [_factor("any", None, 2024, 0.1), _factor("old", "CHN", 2024, 0.5, known_from="2024-01-01"),
               _factor("new", "CHN", 2024, 0.6, known_from="2025-06-01")]  # fmt: skip
    given = _frames(spark, [{}], library, "110000")
    refs = emission_input(*given, variant=Variant(known_on=day)).where("role = 'ef'").select("ref_id").collect()
    assert [row[0] for row in refs] == [taken]


@pytest.mark.parametrize(("day", "made"), [(None, 1), (date(2024, 6, 1), 1), (date(2024, 5, 31), 0)])
def test_a_factor_of_an_hour_to_come_is_not_known(spark: Any, day: date | None, made: int) -> None:
    hour = {"factor_id": "h", "factor_set": "grid_hour", "role": "ef", "activity_code": "electricity_purchased",
            "region_code": "US-CA", "period_start": "2024-06-01T00:00:00Z", "gas": "GHG", "value": 170,
            "unit": "gCO2/kWh"}  # fmt: skip
    given = _frames(spark, [{"grain": "hour"}], [{**GWP, "factor_id": "ghg", "gas": "GHG"}], "US-CA", **hour)
    assert emission(*given, variant=Variant(known_on=day)).count() == made


@pytest.mark.parametrize(("day", "offered"), [(None, True), (date(2025, 5, 31), False)])
def test_what_is_suggested_was_known_on_the_day_too(spark: Any, day: date | None, offered: bool) -> None:
    heat = {"factor_set": "another", "activity_code": "heat_purchased", "unit": "tCO2/GJ", "known_from": "2025-06-01"}
    given = _frames(spark, [{"activity_code": "heat_purchased", "unit": "GJ"}], [_factor("h", None, None, 0.11, **heat)])
    (left,) = unresolved(*given, variant=Variant(known_on=day)).select("suggestion").collect()
    assert ("set another has ef" in left[0]) is offered


@pytest.mark.parametrize(("region", "apart"), [("810000", True), ("820000", True), ("710000", True), ("110000", False)])
def test_hong_kong_macao_and_taiwan_are_offered_no_factor_of_elsewhere(spark: Any, region: str, apart: bool) -> None:
    library = [_factor("mainland", "CHN", 2024, 0.5), _factor("austria", "AUT", 2024, 0.1, activity_code="electricity_purchased")]
    given = _frames(spark, [{}], library if apart else library[1:], region)
    assert emission(*given).count() == 0
    told = {row[0] for row in unresolved(*given).select("suggestion").collect()}
    assert not any("austria" in one or "grid_average" in one for one in told)
    assert all(("its utility publishes" in one) is apart for one in told)
