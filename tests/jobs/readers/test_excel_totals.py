from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.readers.excel_totals import agree
from tests.jobs.readers.reading import read_file, refusal
from tests.jobs.readers.workbooks import SHEET, Rows, made, patched


def book(folder: Path, rows: Rows) -> Path:
    return made(folder / "book.xlsx", {"S": rows})


@pytest.mark.parametrize(
    "label", ["合计", "总 计", "小计：", "Total", "Sub-total", "Grand Total", "Sum", "全市总计", "合计（万吨）"]
)
def test_a_total_is_found_by_its_label_and_is_no_row(tmp_path: Path, label: str) -> None:
    path = book(tmp_path, [["site", "kwh"], ["a", 0.1], ["b", 0.2], [label, 0.3]])
    found = read_file(tmp_path, "excel", path, totals={})
    assert found.column("site") == ["a", "b"] and found.rejected == []
    assert found.read.info["totals"] == {"hold": 1, "fail": 0, "holding": [
        {"place": "S!4", "label": label, "parts": "2 rows above, 2 to 3", "columns": 1}]}  # fmt: skip


def test_a_total_that_does_not_hold_is_set_aside_with_both_figures(tmp_path: Path) -> None:
    path = book(tmp_path, [["site", "kwh", "t"], ["a", 10, 1.5], ["b", 20, 2.5], ["合计", 31, 4]])
    found = read_file(tmp_path, "excel", path, totals={})
    assert found.column("site") == ["a", "b"]
    assert [(one["_locator"], one["reason"], one["raw"]) for one in found.rejected] == [
        ("S!4", "the total '合计' is not the sum of its parts: B4 says 31, and the parts add up to 30 (2 rows above, 2 to 3)",
         "合计\t31\t4")]  # fmt: skip


def test_a_total_that_does_not_hold_refuses_the_delivery_where_declared(tmp_path: Path) -> None:
    path = book(tmp_path, [["site", "kwh"], ["a", 10], ["Total", 31]])
    said = refusal(tmp_path, "excel", path, totals={"mismatch": "refuse"})
    assert "1 of 1 totals do not hold" in said and "B3 says 31, and the parts add up to 10" in said and "`tolerance`" in said


def test_subtotals_and_the_total_of_them_are_all_compared(tmp_path: Path) -> None:
    rows = [
        ["p", "site", "kwh"],
        ["N", "a", 1],
        ["N", "b", 2],
        ["N", "小计", 3],
        ["S", "c", 4],
        ["S", "小计", 4],
        ["总计", None, 7],
    ]
    found = read_file(tmp_path, "excel", book(tmp_path, rows), totals={})
    assert found.column("site") == ["a", "b", "c"] and found.read.info["totals"]["hold"] == 3


def test_a_total_above_its_parts_is_found_too(tmp_path: Path) -> None:
    rows = [["site", "kwh"], ["Total", 3], ["a", 1], ["b", 2], ["Total", 9], ["c", 4], ["d", 5]]
    found = read_file(tmp_path, "excel", book(tmp_path, rows), totals={"parts": "below"})
    assert found.column("site") == ["a", "b", "c", "d"] and found.read.info["totals"]["hold"] == 2


def test_totals_are_named_by_row_and_compared_in_columns_as_declared(tmp_path: Path) -> None:
    path = book(tmp_path, [["site", "kwh", "share"], ["a", 1, 0.4], ["b", 2, 0.6], ["city", 3, 0.5]])
    assert read_file(tmp_path, "excel", path, totals={"rows": [4], "columns": ["kwh"]}).read.info["totals"]["hold"] == 1
    assert len(read_file(tmp_path, "excel", path, totals={"rows": [4]}).rejected) == 1


def test_a_hidden_part_still_counts(tmp_path: Path) -> None:
    def hide(workbook: Any) -> None:
        workbook["S"].row_dimensions[2].hidden = True

    path = made(tmp_path / "book.xlsx", {"S": [["site", "kwh"], ["a", 1], ["b", 2], ["Total", 3]]}, hide)
    found = read_file(tmp_path, "excel", path, totals={}, hidden="leave")
    assert found.column("site") == ["b"] and found.read.info["totals"]["hold"] == 1


def test_without_the_option_totals_stay_rows(tmp_path: Path) -> None:
    path = book(tmp_path, [["site", "kwh"], ["a", 1], ["Total", 1]])
    assert read_file(tmp_path, "excel", path).column("site") == ["a", "Total"]


@pytest.mark.parametrize(("total", "parts", "tolerance", "fine"), [
    (0.3, [0.1, 0.2], 0, True), (61.0, [10.0, 20.0, 30.0], 0, False), (100.0, [33.3, 33.3, 33.3], 0, True),
    (12.3, [4.11, 8.22], 0, True), (12.34, [4.1, 8.2], 0, False), (12.34, [4.1, 8.2], "0.05", True),
    (198.12634269, [198.126342692032], 0, True), (1e15, [1e15, 0.4], 0, True), (1e15, [1e15, 2.0], 0, False),
    (0.0, [], 0, True), (1.0, [], 0, False), (float("nan"), [1.0], 0, False),
    (1e300, [1e300], 0, True), (3.0, [1e300, 3.0], 0, False),
])  # fmt: skip
def test_sums_agree_to_the_last_decimal_that_the_total_has(total: float, parts: list[float], tolerance: Any, fine: bool) -> None:
    assert agree(total, parts, Decimal(str(tolerance))) is fine


def test_what_is_no_finite_number_is_no_sum(tmp_path: Path) -> None:
    path = book(tmp_path, [["site", "kwh"], ["a", 1], ["Total", 3]])
    patched(path, SHEET, ("<v>1</v>", "<v>1e999</v>"))
    assert "B3 or a part of it is no finite number" in read_file(tmp_path, "excel", path, totals={}).rejected[0]["reason"]


@pytest.mark.parametrize(("given", "reason"), [
    ({"label": "("}, "regular expression"), ({"columns": ["x"]}, "there is no column ['x']"),
    ({"parts": "left"}, "any, above, below"),
    ({"mismatch": "keep"}, "set_aside, refuse"), ({"tolerance": "much"}, "not negative"),
    ({"labels": "x"}, "did you mean 'label'?"),
])  # fmt: skip
def test_options_of_totals_that_can_not_be_are_refused(tmp_path: Path, given: dict[str, Any], reason: str) -> None:
    assert reason in refusal(tmp_path, "excel", book(tmp_path, [["site", "kwh"], ["a", 1]]), totals=given)


def test_every_total_of_the_ceads_workbooks_holds(tmp_path: Path, shared: Path) -> None:
    files = [
        *sorted((shared / "data/china_provincial").glob("Emission*.xlsx")),
        *(shared / "data/china_provincial").glob("China*.xlsx"),
    ]
    hold = []
    for path in files:
        found = read_file(tmp_path, "excel", path, sheets="(?!NOTE|[Ss]um).*", header=[1, 2], columns={"A": "sector"}, totals={})
        assert found.rejected == [] and {one["columns"] for one in found.read.info["totals"]["holding"]} == {22}
        hold.append(found.read.info["totals"]["hold"])
        assert found.read.rows == 47 * hold[-1]
    assert hold == [30] * 12 + [23]
