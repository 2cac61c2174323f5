"""What is wrong with master data is named, with the rows concerned."""

from __future__ import annotations

from typing import Any

from layers.business._places import dated
from layers.business.unresolved import transform as unresolved
from layers.thematic.subject import transform as subject
from layers.thematic.subject_finding import transform as findings
from schemas.contracts import contract
from tests.frames import Row, frame, rows

A = {"subject_id": "enterprise:A", "uscc": "A", "name": "甲", "region_code": "110000", "industry_code": "4411"}
B = {"subject_id": "enterprise:B", "uscc": "B", "name": "乙", "region_code": "110000", "industry_code": "4411"}
OTHERS = ("park", "project", "individual", "facility")


def _found(spark: Any, enterprises: list[Row], days: list[str] | None = None) -> tuple[Any, list[tuple[str, ...]]]:
    masters = [frame(spark, "cleaned.enterprise", enterprises), *(frame(spark, f"cleaned.{one}", []) for one in OTHERS)]
    who = frame(spark, "thematic.subject", rows(subject(*masters, {}), contract("thematic.subject")))
    activity = _bought(spark, days or [])
    made = findings(*masters, activity, who, {}).orderBy("finding", "subject_id", "valid_from")
    return who, [tuple(map(str, row)) for row in made.select("finding", "subject_id", "other_id", "rows", "message").collect()]


def _bought(spark: Any, days: list[str]) -> Any:
    bought: list[Row] = [
        {"activity_id": day, "subject_id": "enterprise:A", "date": day, "grain": "month", "quantity": 1, "unit": "MWh",
         "activity_code": "electricity_purchased", "period_start": f"{day}T00:00:00Z"} for day in days
    ]  # fmt: skip
    return frame(spark, "thematic.activity", bought)


def test_a_period_that_overlaps_another_is_left_out_and_both_rows_are_named(spark: Any) -> None:
    who, found = _found(spark, [A | {"valid_to": "2024-06-30"}, A | {"valid_from": "2024-03-01", "industry_code": "3110"}])
    assert who.where("subject_id = 'enterprise:A'").count() == 1
    assert found == [
        ("overlap", "enterprise:A", "", "1", "enterprise:A: the row from 2024-03-01 is left out, for the row from 1900-01-01 "
         "says it holds until 2024-06-30")]  # fmt: skip


def test_one_name_with_two_codes_is_named_however_it_is_written(spark: Any) -> None:
    _, found = _found(spark, [A | {"name": "示例电力（集团）有限公司"}, B | {"name": " 示例電力(集團)有限公司"}])
    assert [row[:3] for row in found] == [("two_codes", "enterprise:A", "enterprise:B")]


def test_a_successor_of_the_same_name_is_no_second_code(spark: Any) -> None:
    before = A | {"valid_to": "2024-06-30", "successor_id": "enterprise:B"}
    assert _found(spark, [before, B | {"name": "甲", "valid_from": "2024-07-01"}])[1] == []


def test_activity_after_a_merger_is_told_with_the_successor_and_not_lost(spark: Any) -> None:
    merged = A | {"valid_to": "2024-06-30", "successor_id": "enterprise:B"}
    who, found = _found(spark, [merged, B], ["2024-06-01", "2024-07-01", "2024-08-01"])
    assert [row[:4] for row in found] == [("outside", "enterprise:A", "enterprise:B", "2")]
    activity = _bought(spark, ["2024-06-01", "2024-07-01"])
    left = unresolved(activity, who, frame(spark, "knowledge.factor", []), frame(spark, "knowledge.factor_hour", []))
    lacking = left.where("reason <> 'gap'").select("activity_id", "reason", "region_code").distinct()
    assert sorted(map(tuple, lacking.collect())) == [("2024-06-01", "no_factor", "110000"), ("2024-07-01", "no_factor", None)]


def test_a_park_and_a_successor_that_nobody_told_of_are_named(spark: Any) -> None:
    _, found = _found(spark, [A | {"park_id": "park:9", "valid_to": "2024-06-30", "successor_id": "enterprise:Z"}])
    assert [(row[0], row[2]) for row in found] == [("unknown_park", "park:9"), ("unknown_successor", "enterprise:Z")]


def test_two_states_of_one_day_double_no_line(spark: Any) -> None:
    told = [A, A | {"valid_from": "1900-01-01"}, A | {"valid_from": "2024-01-01", "valid_to": "2024-12-31"},
            A | {"valid_from": "2024-06-01", "industry_code": "3110"}]  # fmt: skip
    who, found = _found(spark, told, ["2024-05-01", "2024-07-01"])
    placed = dated(_bought(spark, ["2024-05-01", "2024-07-01"]), who).orderBy("activity_id").select("activity_id", "subject_from")
    assert [tuple(map(str, row)) for row in placed.collect()] == [("2024-05-01", "2024-01-01"), ("2024-07-01", "2024-01-01")]
    assert [row[0] for row in found] == ["overlap"]
