"""A gap is filled only as declared, never beyond its bound, and every filled value says so."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from jobs.session import Engine
from layers.gaps import METHODS, estimated_part, filled
from lineage.columns import column_lineage
from lineage.fences import refuse
from schemas.errors import UserError

START = datetime(2025, 1, 1)
MISSING = {3, 4, 20, 21, 22, 180, 190}


def hours(session: Any, missing: set[int] = MISSING) -> Any:
    """Return two series of 200 hours, of which the one lacks some and says NULL for another."""
    rows = [("a", START + timedelta(hours=n), Decimal(n * n % 97)) for n in range(200) if n not in missing]
    rows += [("a", START + timedelta(hours=190), None), ("b", START, Decimal(7)), ("b", START + timedelta(hours=99), Decimal(8))]
    return session.createDataFrame(rows, "meter string, t timestamp, kwh decimal(28,6)")


def made(session: Any, method: str, longest: int = 2) -> list[Any]:
    frame = hours(session)
    done = filled(frame, by=["meter"], at="t", value="kwh", grain="hour", method=method, longest=longest)
    return [tuple(row) for row in done.orderBy("meter", "t").collect()]


def new(rows: list[Any]) -> dict[int, Decimal]:
    return {int((t - START).total_seconds() // 3600): value for _, t, value, estimated, _ in rows if estimated}


def test_a_line_is_drawn_between_what_was_measured_before_and_after(spark: Any) -> None:
    rows = made(spark, "linear")
    assert new(rows)[3] == Decimal("11.000000"), "a third of the way from 4 to 25"
    assert set(new(rows)) == {3, 4, 180, 190}
    assert {grade for *_, estimated, grade in rows if estimated} == {"estimated"}
    assert {grade for *_, estimated, grade in rows if not estimated} == {"measured"}


def test_a_gap_longer_than_declared_stays_a_gap_and_nothing_is_extended(spark: Any) -> None:
    assert {20, 21, 22}.isdisjoint(new(made(spark, "linear", 2)))
    assert {20, 21, 22} <= set(new(made(spark, "linear", 3)))
    assert [row[2] for row in made(spark, "linear") if row[0] == "b"] == [Decimal(7), Decimal(8)]


def test_the_value_before_is_repeated_and_that_of_last_week_taken_if_it_was_measured(spark: Any) -> None:
    assert new(made(spark, "previous")) == {3: 4, 4: 4, 180: 179 * 179 % 97, 190: 189 * 189 % 97}
    week = new(made(spark, "last_week"))
    assert week == {180: 12 * 12 % 97}
    assert 22 in MISSING and 190 not in week, "what was itself missing a week ago fills nothing"


def test_a_row_that_stays_without_value_is_not_lost(spark: Any) -> None:
    rows = made(spark, "last_week")
    assert [row[2:] for row in rows if row[1] == START + timedelta(hours=190)] == [(None, False, "measured")]


def test_days_and_months_are_counted_by_the_calendar(spark: Any) -> None:
    days = [("a", date(2025, 1, 31), Decimal(10)), ("a", date(2025, 2, 2), Decimal(30))]
    frame = spark.createDataFrame(days, "m string, d date, v decimal(28,6)")
    found = filled(frame, by=["m"], at="d", value="v", grain="day", method="linear", longest=1).where("estimated").collect()
    assert [(row.d, row.v) for row in found] == [(date(2025, 2, 1), Decimal(20))]
    months = [("a", date(2024, 11, 1), Decimal(1)), ("a", date(2025, 2, 1), Decimal(4)), ("a", date(2025, 4, 2), Decimal(9))]
    frame = spark.createDataFrame(months, "m string, d date, v decimal(28,6)")
    found = filled(frame, by=["m"], at="d", value="v", grain="month", method="linear", longest=5).where("estimated").collect()
    assert sorted((row.d, int(row.v)) for row in found) == [(date(2024, 12, 1), 2), (date(2025, 1, 1), 3)]


def test_instants_that_are_not_whole_hours_apart_are_left_alone(spark: Any) -> None:
    rows = [("a", START, Decimal(1)), ("a", START + timedelta(minutes=150), Decimal(5))]
    frame = spark.createDataFrame(rows, "m string, t timestamp, v decimal(28,6)")
    assert filled(frame, by=["m"], at="t", value="v", grain="hour", method="linear", longest=9).count() == 2


def test_a_sum_says_how_much_of_it_is_estimated(spark: Any) -> None:
    done = filled(hours(spark), by=["meter"], at="t", value="kwh", grain="hour", method="linear", longest=2)
    (row,) = done.where("meter = 'a'").groupBy().agg(estimated_part("kwh").alias("part")).collect()
    assert row.part == sum(new(made(spark, "linear")).values())


def test_a_way_nobody_knows_is_refused_with_those_there_are(spark: Any) -> None:
    given = {"by": ["meter"], "at": "t", "value": "kwh", "grain": "hour", "method": "linear", "longest": 2}
    for wrong, message in (({"method": "spline"}, r"'spline'(.|\n)*linear, previous, last_week"),
                           ({"method": "last_week", "grain": "month"}, r"'month'(.|\n)*grains: hour, day"),
                           ({"longest": 0}, r"0 periods(.|\n)*give 1 or more")):  # fmt: skip
        with pytest.raises(UserError, match=message):
            filled(hours(spark), **(given | wrong))


@pytest.mark.parametrize("method", METHODS)
def test_the_embedded_engine_may_run_it(spark: Any, method: str) -> None:
    frame = hours(spark)
    done = filled(frame, by=["meter"], at="t", value="kwh", grain="hour", method=method, longest=2)
    assert column_lineage(done, {"cleaned.hours": frame}).opaque == ()
    refuse(done, "sail")


@pytest.mark.spark
@pytest.mark.parametrize("method", METHODS)
def test_both_engines_fill_alike(spark: Any, reference: Engine, method: str) -> None:
    assert made(reference.session, method, 3) == made(spark, method, 3)


def test_what_was_estimated_before_stays_estimated_and_is_no_measure_of_next_week(spark: Any) -> None:
    once = filled(hours(spark), by=["meter"], at="t", value="kwh", grain="hour", method="linear", longest=2)
    again = filled(once, by=["meter"], at="t", value="kwh", grain="hour", method="last_week", longest=3)
    rows = [tuple(row) for row in again.where("meter = 'a'").orderBy("t").collect()]
    assert set(new(rows)) == {3, 4, 180, 190}, "the gap of 20 to 22 has no week before it"
    assert {(estimated, grade) for *_, estimated, grade in rows} == {(True, "estimated"), (False, "measured")}
    told = hours(spark).selectExpr("*", "if(meter = 'b', 'estimated', 'calculated') as data_grade")
    done = filled(told, by=["meter"], at="t", value="kwh", grain="hour", method="previous", longest=1)
    found = {(row["meter"], row["estimated"], row["data_grade"]) for row in done.collect()}
    assert found == {("a", False, "calculated"), ("a", True, "estimated"), ("b", True, "estimated")}
