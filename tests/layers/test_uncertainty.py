"""How sure a line is, by error propagation; and what is listed as missing, with what would help."""

from __future__ import annotations

from math import hypot
from pathlib import Path
from typing import Any

import pytest

from layers.business.emission import transform as emission
from layers.business.unresolved import transform as unresolved
from tests.frames import Row, frame

GWP: Row = {"factor_id": "co2", "factor_set": "AR5", "role": "gwp", "gas": "CO2", "value": 1, "unit": "1"}
COAL: Row = {
    "subject_id": "s",
    "activity_code": "fuel_anthracite",
    "unit": "t",
    "quantity": 10,
    "data_grade": "measured",
    "grain": "month",
}


def _frames(spark: Any, activity: list[Row], factor: list[Row], industry: str | None = "4411") -> list[Any]:
    rows = []
    for place, row in enumerate(activity):
        day = row.get("date", "2024-06-01")
        rows.append({**COAL, "activity_id": f"a{place}", "date": day, "period_start": f"{day}T00:00:00Z", **row})
    subject = [{"subject_id": "s", "subject_type": "enterprise", "region_code": "110000", "industry_code": industry}]
    return [
        frame(spark, "thematic.activity", rows), frame(spark, "thematic.subject", subject),
        frame(spark, "knowledge.factor", [GWP, *factor]), frame(spark, "knowledge.factor_hour", []),
    ]  # fmt: skip


def _library(percents: dict[str, float | None], set_: str = "NDRC_GENERAL") -> list[Row]:
    values = {"ncv": (20, "GJ/t"), "cc": (0.027, "tC/GJ"), "of": (0.9, "1")}
    return [{"factor_id": f"{set_} {role}", "factor_set": set_, "role": role, "activity_code": "fuel_anthracite", "gas": "CO2",
             "value": value, "unit": unit, "kind": "default", "uncertainty_percent": percents.get(role)}
            for role, (value, unit) in values.items()]  # fmt: skip


@pytest.mark.parametrize(("grade", "of_activity"), [("measured", 2.5), ("estimated", 10.0)])
def test_the_uncertainty_of_a_line_is_propagated_from_activity_and_factors(spark: Any, grade: str, of_activity: float) -> None:
    given = _frames(spark, [{"data_grade": grade}], _library({"ncv": 5.0, "cc": 3.0, "of": 1.0}))
    row = emission(*given).where("method_id = 'fuel_combustion'").select("uncertainty_percent").collect()[0]
    assert row[0] == pytest.approx(hypot(of_activity, 5, 3, 1))


def test_where_the_uncertainty_of_a_factor_is_not_known_that_of_the_line_is_not(spark: Any) -> None:
    given = _frames(spark, [{}], _library({"ncv": 5.0, "cc": 3.0}))
    rows = emission(*given).where("method_id = 'fuel_combustion'").select("uncertainty_percent").collect()
    assert [row[0] for row in rows] == [None]


def _left(given: list[Any]) -> list[tuple[Any, ...]]:
    rows = unresolved(*given).orderBy("activity_id", "method_id").collect()
    return [(row["reason"], row["date"].isoformat(), row["quantity"], row["missing_periods"], row["suggestion"]) for row in rows]


def test_months_between_two_that_were_told_are_listed_with_what_was_done_around_them(spark: Any) -> None:
    told: list[Row] = [{"date": f"2024-{month:02}-01", "quantity": month} for month in (1, 2, 5, 6)]
    left = _left(_frames(spark, told, _library({})))
    assert [one for one in left if one[0] == "gap"] == [("gap", "2024-03-01", 7, 2, "ask for 2 month(s) from 2024-03-01")]


def test_no_gap_is_told_where_all_periods_are_there_or_of_another_grain(spark: Any) -> None:
    years: list[Row] = [{"date": f"{year}-01-01", "grain": "year"} for year in (2022, 2023)]
    days: list[Row] = [{"date": f"2024-01-{day:02}", "grain": "day"} for day in (1, 9)]
    assert [one for one in _left(_frames(spark, [*years, *days], _library({}))) if one[0] == "gap"] == []
    later: list[Row] = [{"date": "2025-01-01", "grain": "year", "unit": "kg"}, {"date": "2026-01-01", "grain": "year"}]
    left = _left(_frames(spark, [*years, *later], _library({})))
    assert [one[1:4] for one in left if one[0] == "gap"] == [("2024-01-01", 20, 2)]


def test_a_missing_factor_names_the_set_that_has_it(spark: Any) -> None:
    given = _frames(spark, [{}], _library({}, "ETS_SECTOR"))
    told = [one for one in _left(given) if one[0] == "no_factor"]
    assert any("set ETS_SECTOR has ncv of any year: name it in factor_sets of fuel_combustion" in one[4] for one in told), told


def test_activity_without_a_method_asks_for_one_and_a_wrong_unit_for_another(spark: Any) -> None:
    left = _left(_frames(spark, [{"activity_code": "cement_output"}, {"unit": "GJ"}], _library({})))
    assert ("no_method", "declare a method for cement_output in models/methods") in [(one[0], one[4]) for one in left]
    assert any(one[0] == "unit" and "a unit that converts to t, not in GJ" in one[4] for one in left), left


def test_a_negative_quantity_and_a_factor_that_is_no_number_make_no_line(spark: Any) -> None:
    left = _left(_frames(spark, [{"quantity": -1}], _library({})))
    assert ("negative", "correct the quantity at its source: what leaves is an activity of its own") in [
        (r[0], r[4]) for r in left
    ]
    broken = [{**row, "value": float("nan")} for row in _library({})]
    given = _frames(spark, [{}], broken)
    assert emission(*given).where("method_id = 'fuel_combustion'").count() == 0
    assert "out_of_range" in [one[0] for one in _left(given)]


LIMITED = """
title: Cement
title_zh: 水泥
standard: Guide
clause: "2"
version: "2024"
valid_from: 2011-01-01
activities: [cement_output]
industries: ["30"]
inputs:
  ad: {from: activity, unit: t}
  ef: {from: factor, unit: tCO2/t}
formula: activity_factor
gas: CO2
scope: 1
category: process
book: enterprise
factor_set: x
"""


def test_a_subject_without_an_industry_that_a_method_asks_for_is_told_so(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(tmp_path))
    (tmp_path / "models/methods").mkdir(parents=True)
    (tmp_path / "models/methods/limited.yaml").write_text(LIMITED, encoding="utf-8")
    left = _left(_frames(spark, [{"activity_code": "cement_output"}], [], industry=None))
    assert [(one[0], one[4]) for one in left] == [("no_industry", "give the industry (GB/T 4754) of s")]
    left = _left(_frames(spark, [{"activity_code": "cement_output"}], [], industry="4411"))
    assert [one[0] for one in left] == ["no_method"]
