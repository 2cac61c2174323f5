"""No activity counts twice: told by months and by the year, by an enterprise and its facilities, by two sources."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from layers.business._uncounted import uncounted
from layers.business.unresolved import COLUMNS
from layers.thematic.activity import transform as activity
from layers.thematic.activity_overlap import transform as overlap
from schemas.contracts import contract
from tests.frames import Row, frame, rows
from tests.jobs import building

CONTRACT = """
description: Electricity of each {grain}.
description_zh: 电量。
owner: enterprise
source: {{publisher: us, licence: internal, zone: made, path: "{grain}{n}/*.csv", format: csv, timezone: {zone}}}
key: [subject_id, start]
columns:
  subject_id: {{from: who, required: true}}
  start: {{type: {type}, from: start, required: true, description: First day, description_zh: 首日}}
  kwh:   {{type: "decimal(28,6)", unit: kWh, from: kwh, description: Amount, description_zh: 数量}}
activity:
  electricity_exported: {{quantity: kwh, subject: subject_id, start: start, grain: {grain}{more}}}
"""
GRAINS = ("hour", "day", "month", "quarter", "year")
E, F1, F2, F3, P = "enterprise:E", "facility:1", "facility:2", "facility:3", "park:P"
F4, F5 = "facility:4", "facility:5"
SUBJECTS: list[Row] = [
    {"subject_id": P, "subject_type": "park"},
    {"subject_id": E, "subject_type": "enterprise", "park_id": P},
    *({"subject_id": one, "subject_type": "facility", "parent_id": E, "park_id": P} for one in (F1, F2)),
    {"subject_id": F3, "subject_type": "facility", "parent_id": E, "park_id": P, "valid_from": "2024-01-15"},
    {"subject_id": F4, "subject_type": "facility", "park_id": P},
    {"subject_id": F5, "subject_type": "facility", "parent_id": E, "park_id": "park:other"},
]  # fmt: skip


def _text(grain: str, n: str = "", more: str = "", zone: str = "Asia/Shanghai") -> str:
    return CONTRACT.format(grain=grain, n=n, more=more, zone=zone, type="timestamp" if grain == "hour" else "date")


@pytest.fixture
def told(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that takes {table: [(who, start, kwh)]} and returns what counts, what was taken out, and what waits."""
    files = {f"schemas/cleaned/by_{grain}.yaml": _text(grain) for grain in GRAINS}
    files["schemas/cleaned/by_month_too.yaml"] = _text("month", "2", zone="UTC")
    for grain in ("hour", "month"):
        files[f"schemas/cleaned/by_{grain}_bought.yaml"] = _text(grain, "4").replace(
            "electricity_exported", "electricity_purchased"
        )
    bought = files["schemas/cleaned/by_month_bought.yaml"]
    files["schemas/cleaned/by_month_bought_too.yaml"] = bought.replace("month4", "month5")
    for n, grain in ((6, "month"), (7, "quarter")):
        green = _text(grain, str(n)).replace("electricity_exported", "electricity_green")
        files[f"schemas/cleaned/by_{grain}_green.yaml"] = green
    files["schemas/cleaned/by_month_beside.yaml"] = _text("month", "3", ", beside: true")
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "project", files)))

    def made(**given: list[tuple[str, str, float]]) -> tuple[list[Any], list[Any], Any]:
        sources = {f"cleaned.{name}": _frame(spark, name, some) for name, some in given.items()}
        subject = frame(spark, "thematic.subject", SUBJECTS)
        taken = rows(overlap(sources, subject), contract("thematic.activity_overlap"))
        out = frame(spark, "thematic.activity_overlap", taken)
        left = rows(activity(sources, out), contract("thematic.activity"))
        told = sum(Decimal(str(kwh)) for some in given.values() for _, _, kwh in some)
        assert sum(row["quantity"] for row in left) - sum(row["quantity"] for row in taken) == told, "nothing is lost"
        return _short(left), _short(taken), lambda: _waiting(subject, out)

    return made


def _frame(spark: Any, name: str, some: list[tuple[str, str, float]]) -> Any:
    return frame(spark, f"cleaned.{name}", [{"subject_id": who, "start": start, "kwh": kwh} for who, start, kwh in some])


def _waiting(subject: Any, out: Any) -> list[tuple[Any, ...]]:
    kept = uncounted(out, subject, COLUMNS).orderBy("subject_id", "date")
    what = ("subject_id", "reason", kept["quantity"].cast("double"), "suggestion", kept["date"].cast("string"), "grain")
    return [tuple(row) for row in kept.select(*what).collect()]


def _short(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("subject_id", "grain", "date", "quantity", "settled_by", "stands_grain", "stands_quantity", "difference_percent")
    plain = {"date": str, "quantity": float, "stands_quantity": float, "difference_percent": float}
    made = [tuple(plain.get(n, lambda x: x)(row[n]) if row[n] is not None else None for n in names if n in row) for row in found]
    return sorted(made, key=str)


def months(who: str, kwh: float, first: int = 1, last: int = 12) -> list[tuple[str, str, float]]:
    return [(who, f"2024-{month:02}-01", kwh) for month in range(first, last + 1)]


def test_months_that_make_the_year_stand_before_it(told: Any) -> None:
    left, taken, _ = told(by_month=months(E, 10), by_year=[(E, "2024-01-01", 126)])
    assert len(left) == 12 and {row[1] for row in left} == {"month"}
    assert taken == [(E, "year", "2024-01-01", -126.0, "finer", "month", 120.0, 5.0)]


def test_a_year_stands_before_months_that_are_a_part_of_it(told: Any) -> None:
    left, taken, _ = told(by_month=months(E, 10, last=2), by_year=[(E, "2024-01-01", 126)])
    assert [row[:4] for row in left] == [(E, "year", "2024-01-01", 126.0)]
    assert taken == [(E, "month", f"2024-0{n}-01", -10.0, "coarser", "year", 126.0, None) for n in (1, 2)]


def test_a_year_of_months_and_quarters_is_whole_and_nothing_is_told_thrice(told: Any) -> None:
    quarters = [(E, f"2024-{month:02}-01", 30.0) for month in (1, 4, 7, 10)]
    left, taken, _ = told(by_month=months(E, 10, last=3), by_quarter=quarters, by_year=[(E, "2024-01-01", 120)])
    assert [row[1:3] for row in left] == [*(("month", f"2024-0{n}-01") for n in (1, 2, 3)),
                                          *(("quarter", f"2024-{n}-01") for n in ("04", "07", "10"))]  # fmt: skip
    assert [row[1:7] for row in taken] == [("quarter", "2024-01-01", -30.0, "finer", "month", 30.0),
                                           ("year", "2024-01-01", -120.0, "finer", None, 120.0)]  # fmt: skip


def test_hours_stand_before_their_month_where_none_is_missing(told: Any) -> None:
    hours = [(E, f"2024-02-{day:02}T{hour:02}:00:00Z", 1.0) for day in range(1, 30) for hour in range(24)]
    shifted = [(who, f"2024-01-31T{hour:02}:00:00Z", 1.0) for who in [E] for hour in range(16, 24)] + hours[:-8]
    assert [row[:2] + row[3:] for row in told(by_hour=shifted, by_month=months(E, 700, 2, 2))[1]] == [
        (E, "month", -700.0, "finer", "hour", 696.0, 0.574713)]  # fmt: skip
    left, taken, _ = told(by_hour=shifted[1:], by_month=months(E, 700, 2, 2))
    assert [row[1] for row in left] == ["month"] and {row[4] for row in taken} == {"coarser"}


def test_hours_of_a_part_stand_before_the_same_hours_of_the_whole(told: Any) -> None:
    def hours(who: str, kwh: float, first: int, last: int) -> list[tuple[str, str, float]]:
        return [(who, f"2024-02-01T{hour:02}:00:00Z", kwh) for hour in range(first, last)]

    other = months("enterprise:else", 1, last=1)  # hours are settled by the month where others tell months, but not these
    left, taken, _ = told(by_hour=hours(E, 5, 0, 10) + hours(F1, 3, 8, 14), by_month=other)
    assert [row[0] for row in left] == [E] * 8 + ["enterprise:else"] + [F1] * 6
    assert [row[4:7] for row in taken] == [("parts", "hour", 3.0)] * 2
    left, taken, _ = told(by_hour=hours(E, 5, 0, 10) + hours(F1, 3, 10, 20), by_month=other)
    assert len(left) == 21 and taken == []


def test_hours_of_one_who_joins_within_a_month_are_settled_by_their_day(told: Any) -> None:
    hours = [(F3, f"2024-01-20T{hour:02}:00:00Z", 1.0) for hour in range(10)]
    left, taken, _ = told(by_hour=hours, by_month=months(E, 100, last=1))
    assert [row[:2] for row in left] == [(E, "month")] and {row[4] for row in taken} == {"whole"} and len(taken) == 10


def test_a_year_from_april_is_compared_with_its_like_alone(told: Any) -> None:
    left, taken, _ = told(by_month=months(E, 10), by_year=[(E, "2024-04-01", 126)])
    assert len(left) == 13 and taken == []


def test_grains_that_no_book_takes_together_stand_side_by_side(told: Any) -> None:
    hours = [(E, f"2024-02-01T{hour:02}:00:00Z", 1.0) for hour in range(24)]
    left, taken, _ = told(by_hour_bought=hours, by_month_bought=months(E, 700, 2, 2))
    assert len(left) == 25 and taken == []


def test_what_of_other_years_and_codes_there_is_stays(told: Any) -> None:
    left, taken, _ = told(by_month=[*months(E, 10, 12), *months(F1, 1, 1, 1)], by_year=[(E, "2023-01-01", 126)])
    assert len(left) == 3 and taken == []


def test_the_parts_of_an_enterprise_stand_before_it_and_what_they_lack_waits(told: Any) -> None:
    left, taken, waiting = told(by_month=[*months(E, 100, last=2), *months(F1, 30, last=1), *months(F2, 60, last=1)])
    assert [row[:3] for row in left] == [(E, "month", "2024-02-01"), (F1, "month", "2024-01-01"), (F2, "month", "2024-01-01")]
    assert taken == [(E, "month", "2024-01-01", -100.0, "parts", "month", 90.0, 11.111111)]
    ((who, reason, quantity, suggestion, *_),) = waiting()
    assert (who, reason, quantity) == (E, "remainder", 10.0)
    assert "parts of enterprise:E tell 90.000000 kWh" in suggestion and "`beside: true` in cleaned.by_month" in suggestion


def test_parts_that_tell_as_much_as_the_whole_leave_nothing(told: Any) -> None:
    left, taken, waiting = told(by_month=[*months(E, 90, last=1), *months(F1, 30, last=1), *months(F2, 60, last=1)])
    assert len(left) == 2 and [row[4:] for row in taken] == [("parts", "month", 90.0, 0.0)] and waiting() == []


def test_a_year_of_the_enterprise_stands_before_some_months_of_a_part(told: Any) -> None:
    left, taken, waiting = told(by_month=months(F1, 30, last=2), by_year=[(E, "2024-01-01", 1000)])
    assert [row[:2] for row in left] == [(E, "year")]
    assert {row[4:] for row in taken} == {("whole", "year", 1000.0, None)} and waiting() == []


def test_months_of_several_parts_cover_the_year_of_the_whole_together(told: Any) -> None:
    parts = [*months(F1, 30, last=8), *months(F2, 10, first=3)]
    left, taken, _ = told(by_month=parts, by_year=[(E, "2024-01-01", 340)])
    assert len(left) == len(parts) and [row[1:7] for row in taken] == [("year", "2024-01-01", -340.0, "parts", "month", 340.0)]
    left, taken, _ = told(by_month=[*months(F1, 30, last=6), *months(F2, 10, last=6)], by_year=[(E, "2024-01-01", 340)])
    assert [row[:2] for row in left] == [(E, "year")], "twelve months are told, and they are half a year"


def test_a_year_of_a_part_stands_before_months_of_the_whole(told: Any) -> None:
    left, taken, waiting = told(by_month=months(E, 10), by_year=[(F1, "2024-01-01", 100)])
    assert [row[:2] for row in left] == [(F1, "year")]
    assert {row[4:7] for row in taken} == {("parts", "year", 100.0)} and len(taken) == 12
    assert [row[:3] for row in waiting()] == [(E, "remainder", 20.0)], "once, not in each of the twelve months"


def test_half_a_year_of_the_whole_is_not_called_less_than_a_year_of_its_part(told: Any) -> None:
    _, taken, waiting = told(by_month=months(E, 10, last=6), by_year=[(F1, "2024-01-01", 100)])
    assert {row[4:] for row in taken} == {("parts", "year", 100.0, None)} and waiting() == []
    _, taken, _ = told(by_month=months(E, 20, last=6), by_year=[(F1, "2024-01-01", 100)])
    assert {row[7] for row in taken} == {20.0}, "more in half of it is more"


def test_a_park_and_what_is_in_it_count_once(told: Any) -> None:
    left, taken, waiting = told(by_month=[*months(P, 100, last=1), *months(E, 70, last=1), *months(F1, 60, last=1)])
    assert [row[0] for row in left] == [F1]
    assert [(row[0], *row[3:7]) for row in taken] == [(E, -70.0, "parts", "month", 60.0), (P, -100.0, "parts", "month", 60.0)]
    assert [row[:3] for row in waiting()] == [(E, "remainder", 10.0), (P, "remainder", 30.0)], "40 is not counted, once"


def test_what_the_months_of_a_part_lack_of_its_year_is_still_a_remainder_of_the_whole(told: Any) -> None:
    _, taken, waiting = told(by_month=months(F1, 10), by_year=[(F1, "2024-01-01", 130), (E, "2024-01-01", 130)])
    assert sorted((row[0], row[4]) for row in taken) == [(E, "parts"), (F1, "finer")]
    assert [row[:3] for row in waiting()] == [(E, "remainder", 10.0)]


def test_what_an_enterprise_lacks_in_a_year_is_not_listed_again_in_the_months_of_its_park(told: Any) -> None:
    left, taken, waiting = told(by_month=[*months(P, 11), *months(F1, 10)], by_year=[(E, "2024-01-01", 130)])
    assert {row[0] for row in left} == {F1} and {row[4] for row in taken} == {"parts"} and len(taken) == 13
    assert {row[6:] for row in taken if row[0] == P} == {(120.0, 10.0)}, "the years are compared"
    assert [(row[0], row[2], *row[4:]) for row in waiting()] == [
        (E, 10.0, "2024-01-01", "year"), (P, 2.0, "2024-01-01", "year")], "12 are not counted, once"  # fmt: skip


@pytest.mark.parametrize(("park", "parts"), [(months(P, 11, last=6), months(F1, 10)), (months(P, 11), months(F1, 10, last=6))])
def test_half_a_year_of_a_park_or_of_what_is_in_it_is_compared_by_the_month(told: Any, park: Any, parts: Any) -> None:
    elsewhere = months(F5, 10)[len(parts) :]  # of the enterprise, in another park
    left, taken, waiting = told(by_month=[*park, *parts, *elsewhere], by_year=[(E, "2024-01-01", 130)])
    assert [row[0] for row in left].count(P) == (6 if elsewhere else 0), "what nothing in the park tells again stays"
    assert {row[6:] for row in taken if row[0] == P} == {(10.0, 10.0)} and len(taken) == 7
    assert [(row[2], *row[5:]) for row in waiting() if row[0] == P] == [(1.0, "month")] * 6


def test_a_remainder_before_parts_of_several_grains_is_of_the_year(told: Any) -> None:
    _, taken, waiting = told(by_month=[*months(E, 10), *months(F2, 1)], by_year=[(F1, "2024-01-01", 100)])
    assert {row[4:7] for row in taken} == {("parts", None, 112.0)}
    assert [(row[0], row[2], *row[4:]) for row in waiting()] == [(E, 8.0, "2024-01-01", "year")]


def test_what_is_declared_to_stand_beside_its_parts_does(told: Any) -> None:
    left, taken, _ = told(by_month_beside=months(E, 100, last=1), by_month=months(F1, 30, last=1))
    assert [row[0] for row in left] == [E, F1] and taken == []


def test_two_sources_of_one_rank_that_differ_wait_with_both_figures(told: Any) -> None:
    left, taken, waiting = told(by_month=months(E, 10, last=2), by_month_too=months(E, 12, last=1))
    assert [row[:3] for row in left] == [(E, "month", "2024-02-01")] and {row[4] for row in taken} == {"nobody"}
    ((who, reason, quantity, suggestion, *_),) = waiting()
    assert (who, reason, quantity) == (E, "sources_differ", 12.0), "in time zones of their own they tell of one month"
    assert suggestion.startswith("cleaned.by_month tells 10.000000 kWh, cleaned.by_month_too tells 12.000000 kWh: give one")


@pytest.mark.parametrize("green", [{"by_month_green": months(E, 3, last=2)}, {"by_quarter_green": [(E, "2024-01-01", 6)]}])
def test_green_electricity_waits_with_the_bought_that_nobody_settled(told: Any, green: Any) -> None:
    bought = {"by_month_bought": months(E, 10, last=2), "by_month_bought_too": months(E, 12, last=1)}
    left, taken, waiting = told(**bought, **green)
    february = [(E, "month", "2024-02-01")]
    assert [row[:3] for row in left] == february * (2 if "by_month_green" in green else 1)
    assert [row[4] for row in taken].count("waits") == 1 and len(taken) == 3
    ((_, reason, quantity, suggestion, *_),) = [row for row in waiting() if row[2] != 12]
    assert (reason, quantity) == ("sources_differ", 3 if "by_month_green" in green else 6)
    assert "takes back what another activity counts" in suggestion and E in suggestion


def test_green_electricity_of_a_whole_waits_with_the_bought_of_its_part_alone(told: Any) -> None:
    bought = {"by_month_bought": months(F1, 10, last=1), "by_month_bought_too": months(F1, 12, last=1)}
    left, _, waiting = told(**bought, by_month_green=[*months(E, 3, last=1), *months(F2, 1, last=1)])
    assert [row[0] for row in left] == [F2] and {row[0] for row in waiting()} == {E, F1}


def test_green_electricity_is_taken_back_where_the_bought_is_settled(told: Any) -> None:
    same = {"by_month_bought": months(E, 10, last=1), "by_month_bought_too": months(E, 10, last=1)}
    left, taken, waiting = told(**same, by_month_green=months(E, 3, last=1))
    assert len(left) == 2 and [row[4] for row in taken] == ["equal"] and waiting() == []


def test_what_two_sources_cannot_settle_a_third_grain_does(told: Any) -> None:
    left, taken, waiting = told(
        by_month=months(E, 10), by_month_too=months(E, 12, last=1), by_year=[(E, "2024-01-01", 121)])  # fmt: skip
    assert [row[:2] for row in left] == [(E, "year")] and {row[4] for row in taken} == {"coarser"} and waiting() == []


@pytest.mark.parametrize(("unit", "largest", "unit_of"), [("MWh", 12, "MWh"), ("t", 10000, "kWh")])
def test_the_larger_of_two_that_differ_is_the_larger_in_one_unit(spark: Any, unit: str, largest: int, unit_of: str) -> None:
    same = {"subject_id": E, "date": "2024-01-01", "period_start": "2024-01-01T00:00:00Z", "grain": "month",
            "activity_code": "electricity_purchased", "settled_by": "nobody"}  # fmt: skip
    out = [same | {"activity_id": "a", "source_table": "cleaned.a", "quantity": -10000, "unit": "kWh"},
           same | {"activity_id": "b", "source_table": "cleaned.b", "quantity": -12, "unit": unit}]  # fmt: skip
    left = uncounted(frame(spark, "thematic.activity_overlap", out), frame(spark, "thematic.subject", SUBJECTS), COLUMNS)
    ((quantity, in_unit, suggestion),) = left.select("quantity", "unit", "suggestion").collect()
    assert (quantity, in_unit) == (largest, unit_of) and ("do not compare" in suggestion) is (unit == "t")


@pytest.mark.parametrize(("own", "compared", "wanted"), [("month", "year", ("2024-01-01", "year")),
                                                         ("month", "quarter", ("2024-01-01", "quarter")),
                                                         ("quarter", "quarter", ("2024-03-01", "quarter"))])  # fmt: skip
def test_a_remainder_is_of_the_period_in_which_both_were_compared(spark: Any, own: str, compared: str, wanted: Any) -> None:
    row = {"activity_id": "a", "subject_id": E, "date": "2024-03-01", "period_start": "2024-03-01T00:00:00Z", "grain": own,
           "activity_code": "electricity_exported", "quantity": -10, "unit": "kWh", "source_table": "cleaned.a",
           "settled_by": "parts", "stands_quantity": 5, "compared_grain": compared, "remainder": 20}  # fmt: skip
    late = [{"subject_id": E, "subject_type": "enterprise", "valid_from": "2024-02-01"}]
    left = uncounted(frame(spark, "thematic.activity_overlap", [row]), frame(spark, "thematic.subject", late), COLUMNS)
    ((date, grain, quantity, since),) = left.select("date", "grain", "quantity", "subject_from").collect()
    assert (str(date), grain, str(since)) == (*wanted, "2024-02-01") and quantity == 20
