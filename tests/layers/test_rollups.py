"""Roll-ups of any lines: each level is the whole of its book and grain, and a level's parts are those of the next."""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from layers.business._levels import divisions, levels
from layers.business.emission_day import transform as emission_day
from layers.business.emission_rollup import transform as emission_rollup
from layers.business.emission_year import transform as emission_year
from schemas.codes import code_list
from schemas.contracts import contract
from tests.frames import frame, rows
from tests.layers.months import month_of

PLACES = [
    ("110105", "4411"), ("110106", "3011"), ("110100", "30"), ("330212", "C"), ("310000", "8411"), ("CHN", "251"),
    ("US-CA", None), ("USA", "0111"), ("GRID-E", "5511"), (None, None),
]  # fmt: skip
GRAINS = ("hour", "day", "month", "quarter", "year")
METHODS = ("purchased_electricity", "")


def _subjects() -> list[dict[str, Any]]:
    kinds = ("enterprise", "facility", "park")
    return [
        {"subject_id": f"{kind}:{n}", "subject_type": kind, "region_code": region, "industry_code": industry,
         "parent_id": f"enterprise:{n}" if kind == "facility" and n % 2 else None}
        for n, (region, industry) in enumerate(PLACES) for kind in kinds
    ]  # fmt: skip


def _day() -> str:
    return f"202{random.randint(2, 4)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"


def _line(n: int, subjects: list[str]) -> dict[str, Any]:
    tonnes = random.randint(-(10**9), 10**9) / 1000
    return {
        "line_id": str(n), "book": random.choice("ab"), "subject_id": random.choice(subjects), "date": _day(),
        "grain": random.choice(GRAINS), "gas": random.choice(["CO2", "CH4"]), "scope": random.choice([1, 2]),
        "category": random.choice(["process", "fuel"]), "activity_code": random.choice(["fuel_coke", "clinker_output"]),
        "mass_t": tonnes, "emission_tco2e": tonnes, "fallback": random.choice([True, False]),
        "uncertainty_percent": random.choice([2.5, 10.0, 40.0, None]),
    }  # fmt: skip


def _open(n: int, subjects: list[str]) -> dict[str, Any]:
    unit = random.choice(["t", "kWh"])
    return {"activity_id": str(n), "method_id": random.choice(METHODS), "subject_id": random.choice(subjects), "date": _day(),
            "grain": random.choice(GRAINS), "activity_code": "clinker_output", "quantity": 1, "unit": unit}  # fmt: skip


@pytest.fixture(scope="module")
def given() -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    random.seed(11)
    subjects = _subjects()
    ids = [row["subject_id"] for row in subjects] + ["stranger"]
    return subjects, [_line(n, ids) for n in range(400)], [_open(n, ids) for n in range(60)]


@pytest.fixture(scope="module")
def made(spark: Any, given: Any) -> list[dict[str, Any]]:
    subjects, lines, unresolved = given
    emission, subject = frame(spark, "business.emission", lines), frame(spark, "thematic.subject", subjects)
    found = emission_rollup(
        emission_day(emission, subject),
        month_of(emission, subject),
        frame(spark, "business.unresolved", unresolved),
        subject,
    )
    return rows(found, contract("business.emission_rollup"))


def _whole(lines: list[dict[str, Any]], book: str, grain: str) -> Decimal:
    some = [one for one in lines if one["book"] == book and (grain != "day" or one["grain"] in ("hour", "day"))]
    return sum((Decimal(str(one["emission_tco2e"])) for one in some), Decimal(0))


def test_every_level_is_the_whole_of_its_book_and_grain(given: Any, made: list[dict[str, Any]]) -> None:
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    for row in made:
        sums[row["book"], row["grain"], row["level"]] += row["emission_tco2e"] or 0
    for grain in ("day", "month", "quarter", "year"):
        for level in levels():
            for book in "ab":
                assert sums[book, grain, level] == _whole(given[1], book, grain), (book, grain, level)


def test_unresolved_rows_are_counted_at_every_level_in_the_book_of_their_method(given: Any, made: list[dict[str, Any]]) -> None:
    counts: dict[Any, int] = defaultdict(int)
    for row in made:
        counts[row["grain"], row["level"]] += row["unresolved_rows"]
        assert row["unresolved_rows"] == 0 or row["book"] == "enterprise"
        assert (row["emission_tco2e"] is None) == (row["lines"] == 0)
        assert row["unresolved_unit"] in (None, "t", "kWh")
    fine = sum(one["grain"] in ("hour", "day") for one in given[2])
    expected = {"day": fine} | dict.fromkeys(("month", "quarter", "year"), len(given[2]))
    assert counts == {(grain, level): n for grain, n in expected.items() for level in levels()}


@pytest.mark.parametrize(("parts", "whole", "digits"), [("county", "prefecture", 4), ("prefecture", "province", 2),
                                                        ("class", "group", 3), ("group", "division", 2)])  # fmt: skip
def test_the_members_of_a_level_add_up_to_their_member_above(
    made: list[dict[str, Any]], parts: str, whole: str, digits: int
) -> None:
    def total(level: str, prefix: str) -> Decimal:
        some = [row for row in made if row["level"] == level and row["grain"] == "year"]
        mine = [row for row in some if row["member"].removeprefix("unknown:").startswith(prefix)]
        return sum((row["emission_tco2e"] or Decimal(0) for row in mine), Decimal(0))

    above = {row["member"][:digits] for row in made if row["level"] == whole and row["member"].isdigit()}
    assert above
    assert all(total(parts, prefix) == total(whole, prefix) for prefix in above)


def test_uncertainty_adds_up_by_squares_of_parts_and_at_most_by_parts_and_says_what_it_leaves_out(
    given: Any, made: list[dict[str, Any]]
) -> None:
    states: dict[Any, float] = defaultdict(float)  # a part: lines of one subject, activity and gas in a month
    open_: dict[str, Decimal] = defaultdict(Decimal)
    for one in given[1]:
        if one["uncertainty_percent"] is None:
            open_[one["book"]] += Decimal(str(one["emission_tco2e"]))
        else:
            part = tuple(one[name] for name in ("book", "subject_id", "scope", "category", "activity_code", "gas"))
            states[(*part, one["date"][:7])] += abs(one["emission_tco2e"]) * one["uncertainty_percent"] / 100
    for book in "ab":
        mine = [row for row in made if (row["book"], row["grain"], row["level"]) == (book, "year", "total")]
        parts = [half for part, half in states.items() if part[0] == book]
        squares = sum(float(row["uncertainty_tco2e"] or 0) ** 2 for row in mine)
        assert squares == pytest.approx(sum(half * half for half in parts), rel=1e-9)
        assert float(sum(row["uncertainty_most_tco2e"] or 0 for row in mine)) == pytest.approx(sum(parts), rel=1e-9)
        assert sum(row["unrated_tco2e"] or 0 for row in mine) == open_[book] != 0
        assert all((row["uncertainty_tco2e"] is None) == (row["unrated_lines"] == row["lines"]) for row in mine)
    assert sum(row["unrated_lines"] for row in mine) < sum(row["lines"] for row in mine)


def test_months_of_a_quarter_and_quarters_of_a_year_add_up(made: list[dict[str, Any]]) -> None:
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    for row in made:
        if row["level"] == "division" and row["grain"] != "day":
            sums[row["grain"], row["book"], row["member"], row["period"].year] += row["emission_tco2e"] or 0
    years = {key[1:]: value for key, value in sums.items() if key[0] == "year"}
    for grain in ("month", "quarter"):
        assert {key[1:]: value for key, value in sums.items() if key[0] == grain} == years


def test_members_of_odd_places_are_named(made: list[dict[str, Any]]) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for row in made:
        found[row["level"]].add(row["member"])
    assert found["nation"] == {"CHN", "USA", "unknown"}
    assert {"unknown:CHN", "unknown:USA", "unknown:GRID-E", "US-CA", "110000"} <= found["province"]
    assert {"unknown:110100", "unknown:310000", "110105"} <= found["county"]
    assert {"A", "C", "D", "unknown"} <= found["section"]
    assert {"energy", "industry", "building", "transport", "agriculture", "unknown:C", "unknown"} <= found["sector"]


def test_every_division_is_of_one_sector() -> None:
    taken = [division for row in code_list("emission_sector") for division in divisions(row["divisions"])]
    assert sorted(taken) == sorted({row["code"] for row in code_list("industry") if row["level"] == "division"})


def test_half_intervals_above_a_thousand_million_tonnes_are_added_up(spark: Any) -> None:
    nation = {**_line(0, ["nation"]), "date": "2024-01-01", "grain": "year", "emission_tco2e": 2.4e9, "uncertainty_percent": 50.0}
    emission, subject = frame(spark, "business.emission", [nation]), frame(spark, "thematic.subject", [])
    month, none = month_of(emission, subject), frame(spark, "business.unresolved", [])
    made = rows(emission_rollup(emission_day(emission, subject), month, none, subject), contract("business.emission_rollup"))
    made += rows(emission_year(month), contract("business.emission_year"))
    assert {row["uncertainty_tco2e"] for row in made} == {Decimal("1.2e9")}


@pytest.mark.parametrize(("tonnes", "percent"), [(9e14, 5.0), (5e11, 900.0), (3e10, 40.0)])
def test_what_is_too_large_to_be_squared_is_unrated_and_stops_no_build(spark: Any, tonnes: float, percent: float) -> None:
    wide = {"date": "2024-01-01", "grain": "year", "emission_tco2e": tonnes, "mass_t": tonnes, "uncertainty_percent": percent}
    some = [{**_line(0, ["nation"]), **wide}, {**_line(0, ["nation"]), **wide, "line_id": "1", "emission_tco2e": 10}]
    other = {**_line(0, ["nation"]), "line_id": "2", "subject_id": "other", "date": "2024-01-01", "grain": "year",
             "emission_tco2e": 100, "uncertainty_percent": 10.0}  # fmt: skip
    alike = {"book": "a", "scope": 1, "gas": "CO2", "category": "fuel", "activity_code": "fuel_coke"}
    emission = frame(spark, "business.emission", [{**one, **alike} for one in (*some, other)])
    subject, none = frame(spark, "thematic.subject", []), frame(spark, "business.unresolved", [])
    month = month_of(emission, subject)
    made = rows(emission_rollup(emission_day(emission, subject), month, none, subject), contract("business.emission_rollup"))
    made += rows(emission_year(month), contract("business.emission_year"))
    whole = [row for row in made if row.get("level") in ("total", None) and row["lines"] == 3]
    assert whole and {row["unrated_lines"] for row in whole} <= {1, 2}
    assert all(row["uncertainty_tco2e"] >= 10 and row["unrated_tco2e"] >= Decimal(tonnes) for row in whole)


def test_squares_of_many_nations_stop_no_build(spark: Any) -> None:
    nation = {**_line(0, ["x"]), "date": "2024-01-01", "grain": "year", "emission_tco2e": 1.5e10, "uncertainty_percent": 60.0}
    some = [{**nation, "line_id": str(n), "subject_id": f"region:{n}"} for n in range(4)]
    emission, subject = frame(spark, "business.emission", some), frame(spark, "thematic.subject", [])
    month, none = month_of(emission, subject), frame(spark, "business.unresolved", [])
    made = rows(emission_rollup(emission_day(emission, subject), month, none, subject), contract("business.emission_rollup"))
    whole = [row for row in made if row["level"] == "total"]
    assert {row["uncertainty_most_tco2e"] for row in whole} == {Decimal("3.6e10")}
    assert all(Decimal("9.9e9") < row["uncertainty_tco2e"] <= Decimal("1.8e10") for row in whole)
