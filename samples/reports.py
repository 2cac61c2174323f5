"""What enterprises that do not exist published of themselves: near what their activity makes, and off in ways that are met."""

from __future__ import annotations

import csv
from pathlib import Path

from samples.enterprises import enterprises

HEADER = ("统一社会信用代码", "企业名称", "报告", "报告年度", "范围", "源流", "气体", "排放量(tCO2e)", "起始日期", "截止日期",
          "核算边界")  # fmt: skip
WHOLE = "法人边界"
# enterprise, year, scope, source stream, emission, first day of a year that is not the calendar's, boundary
REPORTED = (
    (0, 2023, "scope_1", "all", "2557174", "", WHOLE),  # to whole tonnes
    (0, 2024, "scope_1", "all", "2523.175", "", WHOLE),  # kilotonnes in a column of tonnes
    (1, 2024, "scope_1", "all", "3962117", "2024-04-01", WHOLE),  # a fiscal year
    (8, 2024, "scope_1", "all", "372018.7", "", WHOLE),  # fuels alone
    (9, 2024, "scope_1", "all", "1799020", "", "法人边界，不含厂内运输与备用窑"),
    (16, 2023, "scope_1", "fuel_coke", "5580355", "", WHOLE),  # another factor, in both years
    (16, 2024, "scope_1", "fuel_coke", "5624630", "", WHOLE),
    (17, 2024, "scope_1", "all", "5871004", "", WHOLE),  # nobody can tell
    (17, 2024, "scope_2", "all", "707673.4", "", WHOLE),
)


def write_reports(folder: Path) -> None:
    """Write the reports of two years as one list."""
    path = folder / "report/2023-2024.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *map(_row, REPORTED)])


def _row(one: tuple[int, int, str, str, str, str, str]) -> tuple[str, ...]:
    number, year, scope, stream, emission, first, boundary = one
    code, name, *_ = enterprises()[number]
    days = (first, f"{year + 1}-03-31") if first else (f"{year}-01-01", f"{year}-12-31")
    return (code, name, f"{year}年度温室气体排放报告（虚构）", str(year), scope, stream, "CO2", emission, *days, boundary)
