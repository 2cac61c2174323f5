"""What a subject was on a day decides where its activity is counted."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from layers.business.activity_rollup import transform as activity_rollup
from layers.business.emission import transform as emission
from layers.business.unresolved import transform as unresolved
from layers.thematic.subject import transform as subject
from tests.frames import Row, frame
from tests.layers.months import month_of

A = {"subject_id": "enterprise:A", "uscc": "A", "name": "甲", "region_code": "110000", "industry_code": "3120"}
FACTORS: list[Row] = [
    {"factor_id": "gwp", "factor_set": "AR5", "role": "gwp", "gas": "CO2", "value": 1, "unit": "1"},
    *({"factor_id": code, "factor_set": "grid_average", "role": "ef", "region_code": code, "gas": "CO2", "value": value,
       "unit": "tCO2/MWh", "valid_from": "2024-01-01", "valid_to": "2024-12-31"}
      for code, value in (("110000", 0.5), ("650000", 0.25))),
]  # fmt: skip


def _states(spark: Any, *rows: Row) -> Any:
    others = (frame(spark, f"cleaned.{name}", []) for name in ("park", "project", "individual", "facility"))
    return subject(frame(spark, "cleaned.enterprise", [A | row for row in rows]), *others, {})


BOUGHT: Row = {"subject_id": "enterprise:A", "grain": "month", "activity_code": "electricity_purchased", "quantity": 1,
               "unit": "MWh", "data_grade": "measured", "period_start": "2024-01-01T00:00:00Z"}  # fmt: skip


def _counted(spark: Any, days: list[str], *rows: Row) -> list[tuple[Any, ...]]:
    """Return what a megawatt-hour bought on each of some days is counted as."""
    bought: list[Row] = [{**BOUGHT, "activity_id": day, "date": day} for day in days]
    who = _states(spark, *rows)
    hours = frame(spark, "knowledge.factor_hour", [])
    lines = emission(frame(spark, "thematic.activity", bought), who, frame(spark, "knowledge.factor", FACTORS), hours)
    made = month_of(lines, who).orderBy("month")
    return [tuple(row) for row in made.select("month", "region_code", "industry_code", "park_id", "emission_tco2e").collect()]


def test_january_is_counted_by_the_old_industry_and_park_and_july_by_the_new(spark: Any) -> None:
    moved = {"valid_from": "2024-07-01", "industry_code": "3110", "park_id": "park:2"}
    made = _counted(spark, ["2024-01-01", "2024-06-01", "2024-07-01"], {"park_id": "park:1"}, moved)
    assert [(row[0].month, *row[2:4]) for row in made] == [
        (1, "3120", "park:1"), (6, "3120", "park:1"), (7, "3110", "park:2")]  # fmt: skip


def test_a_move_takes_the_factor_of_the_province_of_the_day(spark: Any) -> None:
    made = _counted(spark, ["2024-01-01", "2024-07-01"], {}, {"valid_from": "2024-07-01", "region_code": "650000"})
    assert [(row[1], str(row[4])) for row in made] == [("110000", "0.500000"), ("650000", "0.250000")]


def test_a_dissolved_enterprise_keeps_its_past_and_has_no_place_afterwards(spark: Any) -> None:
    made = _counted(spark, ["2024-01-01"], {"valid_to": "2024-03-31"})
    assert [(row[0], row[1], str(row[4])) for row in made] == [(date(2024, 1, 1), "110000", "0.500000")]
    assert _counted(spark, ["2024-07-01"], {"valid_to": "2024-03-31"}) == []


def test_what_is_done_after_an_enterprise_has_gone_is_not_counted_where_it_was_first(spark: Any) -> None:
    who = _states(spark, {"valid_to": "2024-03-31"})
    nation = {**FACTORS[1], "factor_id": "nation", "region_code": None}
    bought: list[Row] = [{**BOUGHT, "activity_id": day, "date": day} for day in ("2024-01-01", "2024-07-01", "2024-09-01")]
    activity, hours = frame(spark, "thematic.activity", bought), frame(spark, "knowledge.factor_hour", [])
    given = (activity, who, frame(spark, "knowledge.factor", [*FACTORS, nation]), hours)
    made = month_of(emission(*given), who).orderBy("month").select("month", "region_code", "industry_code").collect()
    assert [(row[0].month, *row[1:]) for row in made] == [(1, "110000", "3120"), (7, None, None), (9, None, None)]
    rolled = activity_rollup(activity, who).where("grain = 'year' and level = 'province'").orderBy("member")
    assert [(row.member, int(row.quantity)) for row in rolled.collect()] == [("110000", 1), ("unknown", 2)]
    missing = unresolved(*given).where("reason = 'gap'").orderBy("date").select("date", "subject_from").collect()
    assert [tuple(map(str, row)) for row in missing] == [("2024-02-01", "1900-01-01"), ("2024-08-01", "9999-12-31")]


@pytest.mark.parametrize(
    ("rows", "states"),
    [
        ([{}], [("1900-01-01", None, True)]),
        ([{}, {"valid_from": "2024-07-01"}], [("1900-01-01", "2024-06-30", False), ("2024-07-01", None, True)]),
        ([{"valid_to": "2023-12-31"}, {"valid_from": "2024-07-01"}],
         [("1900-01-01", "2023-12-31", False), ("2024-07-01", None, True)]),
        ([{"valid_to": "2024-07-01"}, {"valid_from": "2024-07-01"}], [("1900-01-01", "2024-07-01", True)]),
        ([{"valid_to": "2024-12-31"}, {"valid_from": "2024-02-01", "valid_to": "2024-03-01"}, {"valid_from": "2024-07-01"}],
         [("1900-01-01", "2024-12-31", True)]),
    ],
    ids=["undated", "an open one ends before the next", "a gap stays a gap", "an overlap is left out", "also not next to it"],
)  # fmt: skip
def test_states_of_a_subject_never_overlap(spark: Any, rows: list[Row], states: list[tuple[Any, ...]]) -> None:
    made = _states(spark, *rows).where("subject_id = 'enterprise:A'").orderBy("valid_from")
    found = [(str(row[0]), row[1] and str(row[1]), row[2]) for row in made.select("valid_from", "valid_to", "latest").collect()]
    assert found == states
