from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jobs.readers.cells import canonical, column_of, letters, texts
from tests.jobs.readers.reading import read_file, refusal

Book = Callable[[dict[str, list[list[Any]]]], Path]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    def of(sheets: dict[str, list[list[Any]]], merge: tuple[str, ...] = ()) -> Path:
        workbook = openpyxl.Workbook()
        workbook.remove(workbook.active)
        for name, rows in sheets.items():
            sheet = workbook.create_sheet(name)
            for row in rows:
                sheet.append(row)
            for area in merge:
                sheet.merge_cells(area)
        path = tmp_path / "book.xlsx"
        workbook.save(path)
        return path

    return of


def test_values_become_canonical_text_with_the_place_of_the_row(tmp_path: Path, book: Book) -> None:
    day = datetime.date(2026, 1, 2)
    path = book({"S 1": [["a", "b", "c", "d"], [1.0, 0.1, day, True], [None] * 4, ["x", None, 1e300, "007"]]})
    found = read_file(tmp_path, "excel", path)
    assert found.rows == [
        {"a": "1", "b": "0.1", "c": "2026-01-02", "d": "true", "_delivery": 7, "_locator": "S 1!2"},
        {"a": "x", "b": None, "c": "1e+300", "d": "007", "_delivery": 7, "_locator": "S 1!4"},
    ]


def test_merged_headers_stand_above_every_column(tmp_path: Path, book: Any) -> None:
    path = book({"S": [["id", 2019, None, 2020], [None, "Jan", "Feb", "Jan"], ["BJ", 1, 2, 3]]}, merge=("B1:C1", "A1:A2"))
    found = read_file(tmp_path, "excel", path, header=[1, 2])
    assert found.read.columns == ("id", "2019 | Jan", "2019 | Feb", "2020 | Jan")


def test_headers_that_leave_their_neighbours_empty_stand_above_them(tmp_path: Path, book: Book) -> None:
    path = book({"S": [["id", "note", 2019, None, "end"], [None, None, "Jan", "Feb", None], ["BJ", "x", 1, 2, 3]]})
    found = read_file(tmp_path, "excel", path, header=[1, 2])
    assert found.read.columns == ("id", "note", "2019 | Jan", "2019 | Feb", "end")


def test_wide_columns_become_rows_with_the_place_of_their_cell(tmp_path: Path, book: Book) -> None:
    path = book({"S": [["note"], ["gas", 1994, 2005], ["CO2", 3.5, None], ["CH4", 1, 2]]})
    found = read_file(tmp_path, "excel", path, header=2, unpivot={"id": ["gas"], "name": "year", "value": "gg"})
    told = [(row["gas"], row["year"], row["gg"], row["_locator"]) for row in found.rows]
    assert told == [("CO2", "1994", "3.5", "S!B3"), ("CH4", "1994", "1", "S!B4"), ("CH4", "2005", "2", "S!C4")]


def test_sheets_of_one_shape_are_stacked(tmp_path: Path, book: Book) -> None:
    path = book({"NOTE": [["x"]], "A2010": [[None, "v"], ["p", 1]], "B2010": [[None, "v"], ["q", 2]]})
    found = read_file(tmp_path, "excel", path, sheets=r".*\d{4}", columns={"A": "sector"})
    assert [(row["_sheet"], row["sector"], row["v"]) for row in found.rows] == [("A2010", "p", "1"), ("B2010", "q", "2")]


def test_a_sheet_of_another_shape_is_refused_by_name(tmp_path: Path, book: Book) -> None:
    path = book({"A1": [["a", "b"], [1, 2]], "A2": [["a", "c"], [1, 2]]})
    said = refusal(tmp_path, "excel", path, sheets="A.")
    assert "sheet 'A2'" in said and "it lacks ['b'], has more ['c']" in said


def test_several_tables_of_one_sheet_are_blocks(tmp_path: Path, book: Book) -> None:
    path = book({"S": [["a", "b"], [1, 2], ["a", "b"], [3, 4]]})
    found = read_file(tmp_path, "excel", path, blocks=[{"header": 1, "last_row": 2}, {"header": 3}])
    assert [(row["a"], row["_locator"]) for row in found.rows] == [("1", "S!2"), ("3", "S!4")]


def test_an_area_leaves_the_other_columns_out(tmp_path: Path, book: Book) -> None:
    path = book({"S": [["a", "b", "c"], [1, 2, 3]]})
    assert read_file(tmp_path, "excel", path, area="B:C").read.columns == ("b", "c")


def test_a_row_with_an_error_is_set_aside_with_its_cell(tmp_path: Path, book: Book) -> None:
    path = book({"S": [["a", "b"], ["#N/A", 1], ["x", 2], ["#DIV/0!", "#REF!"]]})
    found = read_file(tmp_path, "excel", path)
    assert found.column("a") == ["x"] and found.read.rejected == 2
    assert [(one["_locator"], one["reason"], one["raw"]) for one in found.rejected] == [
        ("S!2", "A2 holds an error, #N/A", "#N/A\t1"),
        ("S!4", "A4 holds an error, #DIV/0!; B4 holds an error, #REF!", "#DIV/0!\t#REF!"),
    ]


def test_errors_are_kept_as_text_where_declared(tmp_path: Path, book: Book) -> None:
    path = book({"S": [["a", "b"], ["#N/A", 1], ["#DIV/0!", 2]]})
    assert read_file(tmp_path, "excel", path, errors="keep").column("a") == ["#N/A", "#DIV/0!"]


def test_of_wide_columns_only_the_cell_with_an_error_is_set_aside(tmp_path: Path, book: Book) -> None:
    path = book({"S": [["gas", 1994, 2005], ["CO2", "#REF!", 2], ["#N/A", 3, None]]})
    found = read_file(tmp_path, "excel", path, unpivot={"id": ["gas"]})
    assert found.column("_locator") == ["S!C2"]
    assert [(one["_locator"], one["reason"]) for one in found.rejected] == [
        ("S!B2", "B2 holds an error, #REF!"), ("S!B3", "A3 holds an error, #N/A")]  # fmt: skip


def test_formulas_without_saved_values_are_refused_with_their_place(tmp_path: Path, book: Book) -> None:
    path = book({"S": [["a", "b"], [1, "=A2*2"], [2, "=A3*2"]]})
    assert "2 formulas were saved without their values: B2, B3" in refusal(tmp_path, "excel", path)
    assert read_file(tmp_path, "excel", path, area="A:A").column("a") == ["1", "2"]


@pytest.mark.parametrize(("rows", "options", "reason"), [
    ([["a", "a"], [1, 2]], {}, "'a' of column 2 is already that of column 1"),
    ([["a", "b"]], {}, "no data rows"),
    ([["a"], [1]], {"sheet": "T"}, "there is no sheet 'T'"),
    ([["a"], [1]], {"unpivot": {"id": ["z"]}}, "there is no column 'z'"),
    ([["a"], [1]], {"area": "A-C"}, "is no area"),
    ([["a"], [1]], {"blocks": [{"headers": 1}]}, "did you mean 'header'?"),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_what_can_not_be_read_is_refused(
    tmp_path: Path, book: Book, rows: list[Any], options: dict[str, Any], reason: str
) -> None:
    assert reason in refusal(tmp_path, "excel", book({"S": rows}), **options)


@pytest.mark.parametrize(("content", "reason"), [
    (b"", "the file is empty"),
    (b"<html><table><tr><td>1</td></tr></table></html>", "an HTML page"),
    (b"PK\x03\x04" + b"\1" * 99, "a ZIP, as Office files are, too, that is cut off"),
    (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
])  # fmt: skip
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(content)
    assert reason in refusal(tmp_path, "excel", path)


def test_a_truncated_workbook_is_refused(tmp_path: Path, book: Book) -> None:
    path = book({"S": [["a"], *([n] for n in range(500))]})
    path.write_bytes(path.read_bytes()[:-200])
    said = refusal(tmp_path, "excel", path)
    assert "a ZIP, as Office files are, too, that is cut off or damaged" in said and "→ ask for the delivery again" in said
    assert "members" not in said


def test_columns_have_letters_both_ways() -> None:
    assert [letters(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert all(column_of(letters(n)) == n for n in range(2000))


def test_numbers_beyond_double_precision_are_not_made_up() -> None:
    assert [canonical(x) for x in (2.0, -0.5, 1e15, 123456789012345.0)] == ["2", "-0.5", "1000000000000000.0", "123456789012345"]


def test_many_numbers_are_written_as_few_are() -> None:
    some = random.Random(7)
    numbers = [some.uniform(-1, 1) * 10 ** some.randrange(-3, 14) for _ in range(20_000)] + [
        0.0,
        -0.0,
        1e-4,
        999999999999999.0,
        5.0,
    ]
    numbers = [one for one in numbers if not one or abs(one) >= 1e-4]
    for more in ([], [1e-5], [1e15], [float("inf")], [float("nan")]):
        assert texts([*numbers, *more]).to_pylist() == [canonical(one) for one in [*numbers, *more]]


def test_the_unfccc_profile_of_china_is_read(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/national_inventories/CHN_ghg_profile.xlsx"
    found = read_file(tmp_path, "excel", path, sheet="Data_by_sector", last_row=46, columns={"A": "item"},
                      unpivot={"id": ["item"], "name": "year", "value": "gg"})  # fmt: skip
    first = found.rows[0]
    assert (first["item"], first["year"]) == ("CO2 emissions without LULUCF / LUCF", "1994")
    assert first["_locator"] == "Data_by_sector!B3" and first["gg"].startswith("3073470")


def test_the_provincial_weights_are_read_with_merged_headers(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/china_provincial/Provincial_Weight%20Factor_MonPow_MonInd_YearGT.xlsx"
    found = read_file(tmp_path, "excel", path, sheets="Power|Industry", area="A:M", columns={"A": "province"},
                      blocks=[{"header": [1, 2], "last_row": 33}, {"header": [34, 35]}],
                      unpivot={"id": ["province"], "name": "month", "value": "weight"})  # fmt: skip
    assert found.read.rows == 2 * 2 * 31 * 12
    assert {month[:4] for month in found.column("month")} == {"2019", "2020"}


def test_the_ceads_workbooks_give_the_known_totals(tmp_path: Path, shared: Path) -> None:
    folder = shared / "data/china_provincial"
    total = "Scope 1 Total | Mt CO2"
    provinces = read_file(tmp_path, "excel", folder / "Emission_Inventories_for_30_Provinces_2010.xlsx",
                          sheets="(?!NOTE|[Ss]um).*", header=[1, 2], columns={"A": "sector"})  # fmt: skip
    nation = read_file(tmp_path, "excel", folder / "China_CO2_Inventory_1997-2019_(IPCC_Sectoral_Emissions).xlsx",
                       sheets=r"\d{4}", header=[1, 2], columns={"A": "sector"})  # fmt: skip
    rows = [row for row in provinces.rows if row["sector"] == "Total Consumption"]
    assert len(rows) == 30 and round(sum(float(row[total]) for row in rows), 1) == 8598.7
    year = [row for row in nation.rows if row["_sheet"] == "2010" and row["sector"] == "Total Consumption"]
    assert [round(float(row[total]), 1) for row in year] == [7904.5]
