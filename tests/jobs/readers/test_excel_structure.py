from __future__ import annotations

import datetime
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.readers.reading import read_file, refusal
from tests.jobs.readers.workbooks import SHEET, Rows, made, patched

ROWS = [["site", "kwh", "note"], ["a", 1, "x"], ["b", 2, "y"], ["c", 3, "z"]]


@pytest.fixture
def hidden(tmp_path: Path) -> Path:
    def hide(workbook: Any) -> None:
        workbook["S"].row_dimensions[3].hidden = True
        workbook["S"].column_dimensions["C"].hidden = True
        workbook["T"].sheet_state, workbook["U"].sheet_state = "hidden", "veryHidden"

    return made(tmp_path / "book.xlsx", {"S": ROWS, "T": ROWS, "U": ROWS}, hide)


def test_what_is_hidden_is_read_and_named(tmp_path: Path, hidden: Path) -> None:
    found = read_file(tmp_path, "excel", hidden, sheets=".")
    assert found.column("site") == ["a", "b", "c"] * 3 and found.rows[1]["note"] == "y"
    assert found.read.info["hidden"] == {
        "sheets": {"T": "hidden", "U": "very hidden"},
        "rows": {"S": ["3"]},
        "columns": {"S": ["C"]},
    }


def test_what_is_hidden_is_left_where_declared_and_still_named(tmp_path: Path, hidden: Path) -> None:
    found = read_file(tmp_path, "excel", hidden, sheets=".", hidden="leave")
    assert found.column("site") == ["a", "c"] and found.read.columns == ("_sheet", "site", "kwh")
    assert found.read.info["sheets"] == ["S"] and found.read.info["hidden"]["sheets"] == {"T": "hidden", "U": "very hidden"}


def test_a_hidden_sheet_asked_for_by_name_is_read(tmp_path: Path, hidden: Path) -> None:
    assert read_file(tmp_path, "excel", hidden, sheet="U", hidden="leave").read.rows == 3


def test_the_hidden_chart_data_of_a_profile_is_named(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/national_inventories/CHN_ghg_profile.xlsx"
    found = read_file(tmp_path, "excel", path, sheet="Data_by_sector", last_row=46, columns={"A": "item"})
    assert found.read.info["hidden"] == {"sheets": {"ChartData": "very hidden"}}


def test_a_sheet_of_charts_alone_has_no_table(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/documents_office/xlsx_03_chartsheet.xlsx"
    assert "sheet 'Duck Chart': there is no table" in refusal(tmp_path, "excel", path, sheet="Duck Chart")
    made(tmp_path / "book.xlsx", {"S": ROWS}, lambda workbook: workbook.create_chartsheet("Chart", 0))
    assert read_file(tmp_path, "excel", tmp_path / "book.xlsx").read.info["sheets"] == ["S"]


def merged(path: Path, rows: Rows, *areas: str, under: tuple[str, Any] | None = None) -> Path:
    def merge(workbook: Any) -> None:
        for area in areas:
            workbook["S"].merge_cells(area)

    return made(path, {"S": rows}, merge)


def test_a_merged_cell_has_its_value_at_its_top_left(tmp_path: Path) -> None:
    path = merged(tmp_path / "book.xlsx", [["region", "kwh"], ["N", 1], [None, 2], ["S", 3]], "A2:A3")
    assert read_file(tmp_path, "excel", path).column("region") == ["N", None, "S"]


def test_merged_cells_hold_for_all_rows_they_span_where_declared(tmp_path: Path) -> None:
    path = merged(tmp_path / "book.xlsx", [["region", "kwh", "x"], ["N", 5, 1], [None, None, 2], ["S", 3, 3]], "A2:A3", "B2:B3")
    found = read_file(tmp_path, "excel", path, spread=["region"])
    assert found.column("region") == ["N", "N", "S"] and found.column("kwh") == ["5", None, "3"]
    assert "there is no column 'area'" in refusal(tmp_path, "excel", path, spread=["area"])


def test_a_value_that_a_merge_covers_is_no_value(tmp_path: Path) -> None:
    path = made(tmp_path / "book.xlsx", {"S": [["a", "b"], ["x", 1], ["y", 99]]})
    patched(path, SHEET, ("</sheetData>", '</sheetData><mergeCells count="1"><mergeCell ref="B2:B3"/></mergeCells>'))
    assert read_file(tmp_path, "excel", path).column("b") == ["1", None]


def test_units_have_a_row_of_their_own(tmp_path: Path) -> None:
    path = made(tmp_path / "book.xlsx", {"S": [["site", "use"], [None, "kWh"], ["a", 1]]})
    for row in (True, 2):
        found = read_file(tmp_path, "excel", path, units_row=row)
        assert found.column("site") == ["a"] and found.read.info["units"] == {"use": "kWh"}


def test_units_of_wide_columns_are_that_of_the_values_or_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "book.xlsx", {"S": [["gas", 1994, 2005], [None, "Gg", "Gg"], ["CO2", 1, 2]]})
    found = read_file(tmp_path, "excel", path, units_row=True, unpivot={"id": ["gas"]})
    assert found.read.info["units"] == {"value": "Gg"} and found.column("value") == ["1", "2"]
    made(path, {"S": [["gas", 1994, 2005], [None, "Gg", "kt"], ["CO2", 1, 2]]})
    said = refusal(tmp_path, "excel", path, units_row=True, unpivot={"id": ["gas"]})
    assert "several units: Gg, kt" in said and "without unpivot" in said


def test_sheets_of_different_units_are_not_stacked(tmp_path: Path) -> None:
    path = made(tmp_path / "book.xlsx", {"A": [["x", "y"], [None, "t"], [1, 2]], "B": [["x", "y"], [None, "kt"], [1, 2]]})
    assert "its units differ from those of sheet 'A': {'y': 'kt'}" in refusal(tmp_path, "excel", path, sheets=".", units_row=True)


@pytest.mark.parametrize(
    "note", ["注：a 为估算值", "Note: b is estimated", "数据来源：国家统计局", "* provisional", "1) without losses"]
)
def test_footnotes_are_set_apart_and_kept(tmp_path: Path, note: str) -> None:
    path = made(tmp_path / "book.xlsx", {"S": [["site", "kwh"], ["a", 1], ["b", 2], [], [note], ["second line of it"]]})
    found = read_file(tmp_path, "excel", path)
    assert found.column("site") == ["a", "b"]
    assert found.read.info["footnotes"] == [{"place": "S!A5", "text": note}, {"place": "S!A6", "text": "second line of it"}]
    assert len(read_file(tmp_path, "excel", path, footnotes=False).rows) == 4


@pytest.mark.parametrize("name", ["Notting Hill", "注册地", "Source Street", "3 Main Street"])
def test_a_last_row_with_a_name_alone_is_no_footnote(tmp_path: Path, name: str) -> None:
    path = made(tmp_path / "book.xlsx", {"S": [["site", "kwh"], ["a", 1], [name, None]]})
    assert read_file(tmp_path, "excel", path).column("site") == ["a", name]


def dated(path: Path, numbers: list[float], format_: str = "yyyy-mm-dd", mac: bool = False) -> Path:
    def format_all(workbook: Any) -> None:
        for n in range(len(numbers)):
            workbook["S"].cell(n + 2, 1).number_format = format_

    made(path, {"S": [["day", "n"], *([number, n] for n, number in enumerate(numbers))]}, format_all)
    if mac:
        patched(path, "xl/workbook.xml", ("<workbookPr/>", '<workbookPr date1904="1"/>'))
    return path


def test_the_day_that_never_was_is_set_aside(tmp_path: Path) -> None:
    found = read_file(tmp_path, "excel", dated(tmp_path / "book.xlsx", [59, 60, 61, 60.5, -3]))
    assert found.column("day") == ["1900-02-28", "1900-03-01"]
    assert [one["reason"] for one in found.rejected] == [
        "A3 holds 60, which is no date: it would be 29 February 1900",
        "A5 holds 60.5, which is no date: it would be 29 February 1900",
        "A6 holds -3, which is no date: it is before the first day there is",
    ]


def test_days_are_counted_from_1904_where_the_workbook_says_so(tmp_path: Path) -> None:
    found = read_file(tmp_path, "excel", dated(tmp_path / "book.xlsx", [0, 60, 45000], mac=True))
    assert found.column("day") == ["1904-01-01", "1904-03-01", "2027-03-16"]
    assert found.read.info["date_system"] == 1904


@pytest.mark.parametrize(("format_", "text"), [
    ("yyyy-mm-dd hh:mm", "2023-03-15T12:00:00"), ('yyyy"年"m"月"', "2023-03-15T12:00:00"), ("General", "45000.5"),
    ('"日"0.0', "45000.5"), ("[Red]0", "45000.5"), ("[h]:mm", "1080012:00:00"),
])  # fmt: skip
def test_the_number_format_tells_dates_from_numbers(tmp_path: Path, format_: str, text: str) -> None:
    assert read_file(tmp_path, "excel", dated(tmp_path / "book.xlsx", [45000.5], format_)).column("day") == [text]


def test_texts_keep_their_letters_and_numbers_as_text_their_zeros(tmp_path: Path) -> None:
    path = made(tmp_path / "book.xlsx", {"S": [["a", "b"], ["@", True], ["007", False], ["line\nbreak", None]]})
    patched(
        path, SHEET, ("<is><t>@</t></is>", "<is><r><t>CO</t></r><r><t>2</t></r><rPh sb='0' eb='1'><t>phonetic</t></rPh></is>")
    )
    found = read_file(tmp_path, "excel", path)
    assert found.column("a") == ["CO2", "007", "line\nbreak"] and found.column("b") == ["true", "false", None]


def test_a_long_number_keeps_every_digit(tmp_path: Path) -> None:
    path = made(tmp_path / "book.xlsx", {"S": [["id", "b"], [1, 1], [0.1, 2]]})
    patched(path, SHEET, ('<c r="A2" t="n"><v>1</v>', '<c r="A2"><v>911101234567890123</v>'))
    assert read_file(tmp_path, "excel", path).column("id") == ["911101234567890123", "0.1"]


def test_the_strict_variant_is_read(tmp_path: Path) -> None:
    path = made(tmp_path / "book.xlsx", {"S": [["a", "day"], [1, datetime.date(2024, 1, 5)], ["=1+1", None]]})
    main, relations = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "officeDocument/2006/relationships"
    strict = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    patched(path, SHEET, (main, strict), ("<f>1+1</f><v></v>", "<f>1+1</f><v>3</v>"))
    patched(path, "xl/workbook.xml", (main, strict), (f"http://schemas.openxmlformats.org/{relations}",
                                                      "http://purl.oclc.org/ooxml/officeDocument/relationships"))  # fmt: skip
    patched(path, "xl/styles.xml", (main, strict))
    patched(path, "xl/_rels/workbook.xml.rels", (f"http://schemas.openxmlformats.org/{relations}",
                                                 "http://purl.oclc.org/ooxml/officeDocument/relationships"))  # fmt: skip
    found = read_file(tmp_path, "excel", path)
    assert found.rows[0]["day"] == "2024-01-05" and found.rejected[0]["reason"] == "A3 is stale: =1+1 gives 2.0, saved is 3.0"


def test_formulas_outside_of_cells_are_no_trap(tmp_path: Path) -> None:
    path = made(tmp_path / "book.xlsx", {"S": [["a"], [1]]})
    patched(path, SHEET, ("</sheetData>", f"</sheetData>{'<f>1</f>' * 20_000}"))
    assert read_file(tmp_path, "excel", path).column("a") == ["1"]


def test_prefixes_and_places_left_out_are_understood(tmp_path: Path) -> None:
    path = made(tmp_path / "book.xlsx", {"S": [["a", "b"], [1, 2]]})
    with zipfile.ZipFile(path) as archive:
        old = archive.read(SHEET).decode()
    rows = ('<x:row><x:c t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c><x:c t="inlineStr"><x:is><x:t>b</x:t></x:is></x:c></x:row>'
            '<x:row><x:c><x:v>1</x:v></x:c><x:c t="e"><x:v>#N/A</x:v></x:c></x:row>')  # fmt: skip
    new = f'<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>{rows}</x:sheetData></x:worksheet>'
    found = read_file(tmp_path, "excel", patched(path, SHEET, (old, new)))
    assert found.rejected[0]["reason"] == "B2 holds an error, #N/A"


def test_a_byte_that_was_flipped_is_seen_by_the_checksum(tmp_path: Path) -> None:
    path = made(tmp_path / "book.xlsx", {"S": [["a"], *([n] for n in range(50))]})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    path.write_bytes(path.read_bytes().replace(b"<v>17</v>", b"<v>71</v>"))
    assert "the workbook is damaged: Bad CRC-32" in refusal(tmp_path, "excel", path)


@pytest.mark.parametrize(("part", "text", "reason"), [
    (SHEET, '<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>', "a document type"),
    (SHEET, "<worksheet", "can't be read"),
    ("xl/WORKBOOK.xml", "<workbook/>", "has a part twice"),
])  # fmt: skip
def test_a_package_that_no_program_writes_is_refused(tmp_path: Path, part: str, text: str, reason: str) -> None:
    path = made(tmp_path / "book.xlsx", {"S": [["a"], [1]]})
    assert reason in refusal(tmp_path, "excel", patched(path, "xl/workbook.xml", add={part: text}))


def test_macros_and_workbooks_that_are_linked_to_are_named(tmp_path: Path, shared: Path) -> None:
    path = patched(made(tmp_path / "book.xlsm", {"S": [["a"], [1]]}), SHEET, add={"xl/vbaProject.bin": "Sub Auto_Open()"})
    assert read_file(tmp_path, "excel", path).read.info["macros"] == "there are macros; they are never run"
    linked = shared / "data/china_provincial/Provincial_Weight%20Factor_MonPow_MonInd_YearGT.xlsx"
    found = read_file(tmp_path, "excel", linked, sheet="Power", area="A:M", header=[1, 2], columns={"A": "province"}, last_row=33)
    assert found.read.info["external_links"] == ["m01.csv", "m02.csv"]
    assert found.read.info["formulas"] == {"count": 870, "computed": 746, "stale": 0}
