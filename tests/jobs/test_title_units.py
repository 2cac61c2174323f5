"""The unit that stands above a table of a workbook is proposed for its columns of amounts that have none of their own."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from jobs.proposal import proposal

HEAD = ["地区", "年份", "煤炭", "天然气(亿立方米)", "占比", "2020"]
ROWS = [["北京", 2020, 12.5, 3.1, 0.4, 7], ["天津", 2021, 13.5, 3.2, 0.6, 8]]


def _units(path: Path, *above: list[str]) -> dict[str, str]:
    book = openpyxl.Workbook()
    for row in [*above, HEAD, *ROWS]:
        book.active.append(row)
    book.save(path)
    found = proposal("excel", path, {"header": len(above) + 1})
    return {name: more["unit"] for name, more in found.more.items() if "unit" in more}


@pytest.mark.parametrize(("above", "unit"), [
    ([["能源消费（单位：万吨）"]], "万吨"), ([["能源消费"], ["", "", "单位:亿千瓦时"]], "亿千瓦时"),
    ([["Energy, unit: kt"], [""]], "kt"),
])  # fmt: skip
def test_a_unit_above_the_header_is_that_of_amounts_without_one(tmp_path: Path, above: list[list[str]], unit: str) -> None:
    assert _units(tmp_path / "a.xlsx", *above) == {"煤炭": unit, "天然气(亿立方米)": "亿立方米", "2020": unit}


@pytest.mark.parametrize("title", ["能源消费", "单位：个人", "能源消费（单位：万吨标准煤、亿千瓦时）"])
def test_where_no_unit_is_told_none_is_proposed(tmp_path: Path, title: str) -> None:
    assert _units(tmp_path / "a.xlsx", [title]) == {"天然气(亿立方米)": "亿立方米"}
