from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.jobs.readers.reading import read_file, refusal
from tests.jobs.readers.workbooks import label, number, old, open_document, record


def text(value: str, more: str = "") -> str:
    return f'<table:table-cell office:value-type="string"{more}><text:p>{value}</text:p></table:table-cell>'


def figure(value: float, more: str = "") -> str:
    return f'<table:table-cell office:value-type="float" office:value="{value}"{more}><text:p>{value}</text:p></table:table-cell>'


def row(*cells: str, more: str = "") -> str:
    return f"<table:table-row{more}>{''.join(cells)}</table:table-row>"


def sheet(*rows: str, columns: str = "") -> str:
    return f'<table:table table:name="S">{columns}{"".join(rows)}</table:table>'


ERROR = ('<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value="" calcext:value-type="error">'
         "<text:p>#DIV/0!</text:p></table:table-cell>")  # fmt: skip
EMPTY = '<table:table-cell table:number-columns-repeated="{}"/>'


def test_repeated_cells_and_rows_of_an_open_document_are_read_and_empty_ones_cost_nothing(tmp_path: Path) -> None:
    many = row(EMPTY.format(16384), more=' table:number-rows-repeated="1048000"')
    tables = sheet(row(text("a"), text("b"), EMPTY.format(16000)), row(figure(1.5, ' table:number-columns-repeated="2"'),
                   more=' table:number-rows-repeated="3"'), many)  # fmt: skip
    found = read_file(tmp_path, "excel", open_document(tmp_path / "book.ods", tables))
    assert found.column("b") == ["1.5"] * 3 and found.column("_locator") == ["S!2", "S!3", "S!4"]


def test_a_cell_beyond_all_empty_ones_is_refused_not_waited_for(tmp_path: Path) -> None:
    tables = sheet(row(text("a")), row(EMPTY.format(16000), more=' table:number-rows-repeated="1000000"'),
                   row(EMPTY.format(16000), figure(1)))  # fmt: skip
    assert "Cell limit exceeded" in refusal(tmp_path, "excel", open_document(tmp_path / "book.ods", tables))


def test_errors_and_what_is_hidden_in_an_open_document_are_known(tmp_path: Path) -> None:
    hidden = '<table:table-column/><table:table-column table:visibility="collapse"/>'
    tables = sheet(row(text("a"), text("b")), row(figure(1), ERROR), row(figure(2), figure(3), more=' table:visibility="filter"'),
                   columns=hidden)  # fmt: skip
    found = read_file(tmp_path, "excel", open_document(tmp_path / "book.ods", tables))
    assert found.column("a") == ["2"] and found.rejected[0]["reason"] == "B2 holds an error, #DIV/0!"
    assert found.read.info["hidden"] == {"rows": {"S": ["3"]}, "columns": {"S": ["B"]}}


def test_merged_cells_of_an_open_document_hide_what_they_cover(tmp_path: Path) -> None:
    covered = '<table:covered-table-cell office:value-type="float" office:value="7"><text:p>7</text:p></table:covered-table-cell>'
    tables = sheet(
        row(text("a"), text("b")), row(text("x", ' table:number-rows-spanned="2"'), figure(1)), row(covered, figure(2))
    )
    path = open_document(tmp_path / "book.ods", tables)
    assert read_file(tmp_path, "excel", path).column("a") == ["x", None]
    assert read_file(tmp_path, "excel", path, spread=["a"]).column("a") == ["x", "x"]


def test_an_open_document_whose_text_does_not_end_is_refused(tmp_path: Path) -> None:
    path = open_document(tmp_path / "book.ods", sheet(row(text('a</text:p table:name="'))))
    assert "no XML as the format wants it" in refusal(tmp_path, "excel", path)


def test_an_open_document_under_a_password_is_refused(tmp_path: Path) -> None:
    entry = '<m:file-entry m:full-path="content.xml" m:media-type="text/xml"><m:encryption-data m:checksum="x"/></m:file-entry>'
    assert "under a password" in refusal(tmp_path, "excel", open_document(tmp_path / "book.ods", sheet(row(text("a"))), entry))


CELLS = label(0, 0, "站点".encode("gbk")) + label(0, 1, b"kwh") + label(1, 0, "北京".encode("gbk")) + number(1, 1, 1.5)


def test_an_old_workbook_is_read_in_its_chinese_code_page(tmp_path: Path) -> None:
    found = read_file(tmp_path, "excel", old(tmp_path / "book.xls", "用电".encode("gbk"), CELLS))
    assert found.rows == [{"站点": "北京", "kwh": "1.5", "_delivery": 7, "_locator": "用电!2"}]


def test_a_code_page_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, "excel", old(tmp_path / "book.xls", b"S", CELLS, code_page=9))
    assert "a code page that is not known: unknown encoding: cp9" in said and "save it as xlsx" in said


def test_an_old_workbook_under_a_password_is_refused(tmp_path: Path) -> None:
    path = old(tmp_path / "book.xls", b"S", CELLS, before=record(0x2F, bytes(6)))
    assert "the workbook is under a password\n  → ask for one without" in refusal(tmp_path, "excel", path)


def test_errors_and_what_is_hidden_in_an_old_workbook_are_known(tmp_path: Path) -> None:
    wrong = label(2, 0, b"x") + record(0x205, struct.pack("<HHHBB", 2, 1, 0, 0x2A, 1))
    computed = label(3, 0, b"y") + record(0x06, struct.pack("<HHH8BHIH", 3, 1, 0, 2, 0, 0x07, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0))
    hidden = record(0x208, struct.pack("<8H", 1, 0, 2, 0, 0, 0, 0x20, 0)) + record(0x7D, struct.pack("<6H", 1, 1, 0, 0, 1, 0))
    found = read_file(tmp_path, "excel", old(tmp_path / "book.xls", b"S", hidden + CELLS + wrong + computed))
    assert found.read.rows == 1 and found.read.info["hidden"] == {"rows": {"S": ["2"]}, "columns": {"S": ["B"]}}
    assert [one["reason"] for one in found.rejected] == ["B3 holds an error, #N/A", "B4 holds an error, #DIV/0!"]


def test_the_hidden_columns_of_the_british_factors_are_named_in_both_editions(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/emission_factors/conversion-factors-2021-flat-file-automatic-processing.xls"
    found = read_file(tmp_path, "excel", path, sheet="Factors by Category", header=5)
    assert found.read.info["hidden"] == {"columns": {"Factors by Category": ["G", "J"]}}


@pytest.mark.parametrize("sectors", ["circle", "cut"])
def test_an_old_workbook_whose_sectors_are_wrong_is_refused(tmp_path: Path, sectors: str) -> None:
    path = old(tmp_path / "book.xls", b"S", CELLS)
    data = bytearray(path.read_bytes())
    if sectors == "circle":
        data[512 + 8 : 512 + 12] = struct.pack("<I", 2)
    path.write_bytes(data if sectors == "circle" else data[:700])
    assert "\n  → " in refusal(tmp_path, "excel", path)
