"""What a change is made of: periods that cover the same, and none that still runs."""

from __future__ import annotations

from typing import Any

import pytest

from layers.business.emission_change import transform as emission_change
from tests.frames import Row, frame

FULL = {f"{year}-{month:02}-01": 1 for year in (2023, 2024) for month in range(1, 13)}


def _rows(month: dict[str, int], *, grain: str = "month", days: tuple[str, ...] = ()) -> list[Row]:
    """The roll-up of one member of lines of a grain: a row for each month, quarter and year, and for each of `days`."""
    rows: list[Row] = [_row("day", day, 1, 0) for day in days]
    for name, months in (("month", 1), ("quarter", 3), ("year", 12)):
        sums: dict[str, int] = {}
        for day, tonnes in month.items():
            first = (int(day[5:7]) - 1) // months * months + 1
            period = f"{day[:4]}-{first:02}-01"
            sums[period] = sums.get(period, 0) + tonnes
        longer = {"month": 1, "quarter": 3, "year": 12}[grain] > months
        rows += [_row(name, period, tonnes, tonnes if longer else 0) for period, tonnes in sums.items()]
    return rows


def _row(grain: str, period: str, tonnes: int, coarser: int) -> Row:
    return {"book": "enterprise", "grain": grain, "period": period, "level": "total", "member": "all", "scope": 1,
            "category": "process", "activity_code": "clinker_output", "gas": "CO2", "emission_tco2e": tonnes, "lines": tonnes,
            "coarser_lines": coarser, "unresolved_rows": 0}  # fmt: skip


def _of(spark: Any, rows: list[Row], grain: str, period: str) -> tuple[Any, ...]:
    made = emission_change(frame(spark, "business.emission_rollup", rows)).where(f"grain = '{grain}' and period = '{period}'")
    (row,) = made.collect()
    return row["covered_months"], row["complete"], row["year_ago_covered_months"], row["year_ago_change"]


@pytest.mark.parametrize("months", [5, 11])
def test_a_running_year_is_not_compared_with_a_whole_one(spark: Any, months: int) -> None:
    running = {day: t for day, t in FULL.items() if day < f"2024-{months + 1:02}"}
    assert _of(spark, _rows(FULL), "year", "2024-01-01") == (12, True, 12, 0)
    assert _of(spark, _rows(running), "year", "2024-01-01") == (months, False, 12, None)


def test_the_same_months_of_two_years_are_compared_and_others_are_not(spark: Any) -> None:
    winter = {day: t for day, t in FULL.items() if day[5:7] in ("01", "02", "12")}
    assert _of(spark, _rows(winter), "year", "2024-01-01") == (3, False, 3, 0)
    moved = {day: t for day, t in winter.items() if day != "2024-12-01"} | {"2024-11-01": 1}
    assert _of(spark, _rows(moved), "year", "2024-01-01") == (3, False, 3, None)


def test_years_told_by_quarter_or_as_a_whole_are_as_whole_as_twelve_months(spark: Any) -> None:
    before, year = {day: t for day, t in FULL.items() if day < "2024"}, _rows({"2024-01-01": 9}, grain="year")
    assert _of(spark, [*_rows(before), *year], "year", "2024-01-01") == (12, True, 12, -3)
    quarters = {f"2024-{month:02}-01": 2 for month in (1, 4, 7, 10)}
    assert _of(spark, [*_rows(before), *_rows(quarters, grain="quarter")], "year", "2024-01-01") == (12, True, 12, -4)
    running = {day: t for day, t in quarters.items() if day < "2024-10"}
    assert _of(spark, [*_rows(before), *_rows(running, grain="quarter")], "year", "2024-01-01") == (9, False, 12, None)


def test_the_month_in_which_the_days_of_a_meter_end_is_not_compared(spark: Any) -> None:
    days = (*(f"2023-{month:02}-01" for month in range(1, 13)), "2024-02-10")
    found = _of(spark, _rows({"2023-02-01": 28, "2024-02-01": 10}, days=days), "month", "2024-02-01")
    assert found == (0, False, 1, None)
    whole = (*days, "2024-02-29")
    assert _of(spark, _rows({"2023-02-01": 28, "2024-02-01": 29}, days=whole), "month", "2024-02-01") == (1, True, 1, 1)


def test_a_line_of_a_year_stands_in_for_no_quarter_that_is_not_there(spark: Any) -> None:
    def told(quarters: dict[str, int]) -> list[Row]:
        year = next(iter(quarters))[:4] + "-01-01"
        rows = [_row("month", day, t, t) for day, t in quarters.items() if day != year]
        rows += [_row("quarter", day, t, 0) for day, t in quarters.items() if day != year]
        first = quarters.get(year, 0)
        rows += [_row("month", year, first + 1, first + 1), _row("quarter", year, first + 1, 1)]
        return [*rows, _row("year", year, sum(quarters.values()) + 1, 0)]

    before = {f"2023-{month:02}-01": 10 for month in (1, 4, 7, 10)}
    late = {day.replace("2023", "2024"): t for day, t in before.items()}
    assert _of(spark, told(before) + told(late), "year", "2024-01-01") == (12, True, 12, 0)
    del late["2024-01-01"]
    assert _of(spark, told(before) + told(late), "year", "2024-01-01") == (9, False, 12, None)
