"""Rows of tables in PDF: which, from where, joined over pages, and how sure they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.readers.reading import Result, read_file, refusal
from tests.jobs.readers.test_documents import _pdf, _text

ZH, EN = "documents_pdf_zh", "documents_pdf_en"


def _one(shared: Path, folder: str, begin: str) -> Path:
    return next((shared / "data" / folder).glob(f"{begin}*.pdf"))


def _rows(found: Result, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in found.rows]


def _grid(xs: list[int], ys: list[int]) -> bytes:
    """Draw the lines of a grid."""
    drawn = [b"%d %d m %d %d l S" % (x, ys[0], x, ys[-1]) for x in xs]
    return b"\n".join([*drawn, *(b"%d %d m %d %d l S" % (xs[0], y, xs[-1], y) for y in ys)]) + b"\n"


def test_merged_cells_stand_for_every_row_that_they_span(tmp_path: Path, shared: Path) -> None:
    found = read_file(tmp_path, "pdf", _one(shared, ZH, "405"), tables={"pages": 7})
    assert found.read.columns[:4] == ("类型", "类型 #2", "装机容量(万千瓦)/等级", "单位综合供电量碳排放基准(吨二氧化碳/万千瓦时)")
    rows = [tuple(row.values())[:4] for row in found.rows]
    assert rows[0] == ("燃气", "燃气", "F", "3.863") and rows[4] == ("燃煤", "超超临界", "60", "7.918")
    assert rows[8] == ("燃煤", "中压", "1.2", "11.843") and len(rows) == 9


def test_a_row_says_its_page_and_box_each_cell_its_own_and_the_table_its_heading(tmp_path: Path, shared: Path) -> None:
    found = read_file(tmp_path, "pdf", _one(shared, ZH, "405"), tables={"heading": "表 1"})
    row = found.rows[0]
    assert row["_locator"] == "page 7 (84,434,511,457)" and row["_page"] == "7" and "表 1" in row["_heading"]
    boxes = json.loads(row["_cells"])
    assert boxes["装机容量(万千瓦)/等级"][1] >= 433 and boxes["类型"][3] > boxes["装机容量(万千瓦)/等级"][3], (
        "the merged one is higher"
    )
    assert (row["_confidence"], row["_doubt"]) == ("1.00", None)


def test_a_table_over_twelve_pages_is_one_and_its_header_stands_once(tmp_path: Path, shared: Path) -> None:
    found = read_file(tmp_path, "pdf", _one(shared, ZH, "555"), tables={}, header=2)
    numbers = list(dict.fromkeys(found.column("序号")))
    assert numbers == [str(number) for number in range(1, 32)] and len(found.rows) == 39
    assert found.read.info["tables"] == 1 and {row["_page"] for row in found.rows} == {str(page) for page in range(1, 13)}
    assert _rows(found, "序号", "典型项目 | CO2减排量（年）")[1] == ("2", "93.93t")
    apart = read_file(tmp_path, "pdf", _one(shared, ZH, "555"), tables={}, header=2, join=False)
    assert apart.read.info["tables"] == 12 and len(apart.rows) == 39


def test_a_part_without_header_on_the_next_page_belongs_to_the_table(tmp_path: Path, shared: Path) -> None:
    found = read_file(tmp_path, "pdf", _one(shared, ZH, "408"), tables={"pages": "10-11"})
    assert _rows(found, "熟料生产线类别", "_page")[-1] == ("白水泥熟料生产线", "11")
    assert found.column("基准值（吨二氧化碳/吨）") == ["0.884", "0.909", "0.950", "1.108"]


def test_a_row_that_may_be_cut_by_the_end_of_a_page_is_doubted_on_both(tmp_path: Path, shared: Path) -> None:
    found = read_file(tmp_path, "pdf", _one(shared, ZH, "408"), tables={"header": "产品类别"})
    doubted = [(row["产品类别"], row["_doubt"]) for row in found.rows if row["_doubt"]]
    assert doubted == [
        (text, "low confidence 0.50: the row may go on over the end of a page") for text in ("文化用纸（未涂", "布）")
    ]


def test_a_table_of_another_header_on_the_next_page_is_another(tmp_path: Path) -> None:
    def page(head: str, *rows: tuple[str, str]) -> bytes:
        cells = [("fuel", head), *rows]
        texts = [(10, 45 + 100 * at, 280 - 30 * row, text) for row, one in enumerate(cells) for at, text in enumerate(one)]
        return _grid([40, 140, 240], [300 - 30 * row for row in range(len(cells), -1, -1)]) + _text(*texts)

    pages = page("t", ("coal", "12"), ("gas", "13")), page("kt", ("oil", "14"), ("coke", "15"))
    message = refusal(tmp_path, "pdf", _pdf(tmp_path / "a.pdf", *pages), tables={})
    assert "table 2 on page 2 has the columns fuel, kt, table 1 has fuel, t" in message and "`tables`" in message
    years = page("2020", ("coal", "12")), page("2021", ("coal", "13"))
    message = refusal(tmp_path, "pdf", _pdf(tmp_path / "c.pdf", *years), tables={})
    assert "table 2 on page 2 has the columns fuel, 2021, table 1 has fuel, 2020" in message
    again = pages[0], page("t", ("oil", "14"))
    assert [row["t"] for row in read_file(tmp_path, "pdf", _pdf(tmp_path / "b.pdf", *again), tables={}).rows] == [
        "12",
        "13",
        "14",
    ]


def test_rows_between_two_lines_are_told_apart_by_their_text(tmp_path: Path, shared: Path) -> None:
    found = read_file(tmp_path, "pdf", _one(shared, EN, "nics"), tables={})
    by_state = {row["State / Territory"]: row for row in found.rows}
    assert len(by_state) == 56 and by_state["Kentucky"]["Permit"] == "264,140" and by_state["Guam"]["Totals"] == "171"
    assert by_state["Utah"]["Returned/Disposition | Handgun"] == "140", "names side by side under a wide header are told apart"
    assert {row["_confidence"] for row in found.rows} == {"0.90", "1.00"}
    assert "a title or a note" in found.rejected[-1]["reason"] and found.rejected[-1]["raw"].startswith("*Refers to frames")


def test_columns_without_outer_lines_are_not_lost(tmp_path: Path, shared: Path) -> None:
    found = read_file(tmp_path, "pdf", _one(shared, EN, "2305"), tables={}, header=2)
    assert found.read.columns[:3] == ("# enc-layers", "# dec-layers", "Language")
    assert found.column("Inference time (secs)") == ["2.73", "5.39", "1.97", "3.77", "1.91", "3.81", "1.22", "2"]
    assert _rows(found, "# enc-layers", "# dec-layers", "TEDs | all")[6:] == [("4", "2", "0.942"), ("4", "2", "0.931")]


def test_a_number_that_stands_for_several_rows_goes_to_review(tmp_path: Path, shared: Path) -> None:
    found = read_file(tmp_path, "pdf", _one(shared, ZH, "408"), tables={"pages": 22})
    assert {row["_confidence"] for row in found.rows} == {"0.75"}
    assert found.rows[0]["_doubt"] == "low confidence 0.75: one number stands for several rows or columns"
    kept = read_file(tmp_path, "pdf", _one(shared, ZH, "408"), tables={"pages": 22}, confidence=0.75)
    assert {row["_doubt"] for row in kept.rows} == {None}


def test_a_number_with_a_blank_inside_goes_to_review(tmp_path: Path, shared: Path) -> None:
    found = read_file(
        tmp_path, "pdf", _one(shared, ZH, "407"), tables={"heading": "附表 ?9"}, header=0, columns=["单位产品能耗", "系数"]
    )
    told = {row["系数"]: row["_confidence"] for row in found.rows}
    assert told == {
        "1": "1.00",
        "0.9 9": "0.50",
        "0.9 8": "0.50",
        "0.60": "1.00",
        "0.99": "1.00",
        "0.98": "1.00",
        "0.6 0": "0.50",
    }


def test_the_header_may_stand_below_other_rows(tmp_path: Path, shared: Path) -> None:
    found = read_file(tmp_path, "pdf", _one(shared, ZH, "163"), tables={"header": "树种.*WD"}, header="树种.*WD")
    assert _rows(found, "树种（组）", "WDj", "树种（组） #2", "WDj #2")[0] == ("柏木", "0.478", "泡桐", "0.443")
    assert len(found.rows) == 13 and found.rejected[0]["raw"].startswith("数据来源")


def test_columns_guessed_from_alignment_go_to_review(tmp_path: Path) -> None:
    lines = [(10, 40, 300, "fuel"), (10, 140, 300, "mass"), (10, 40, 285, "coal"), (10, 140, 285, "12"), (10, 40, 270, "coke"),
             (10, 140, 270, "14"), (10, 40, 255, "gas"), (10, 140, 255, "15")]  # fmt: skip
    path = _pdf(tmp_path / "a.pdf", _text(*lines))
    assert "no table" in refusal(tmp_path, "pdf", path, tables={}) and "ruled: false" in refusal(tmp_path, "pdf", path, tables={})
    found = read_file(tmp_path, "pdf", path, tables={"ruled": False})
    assert _rows(found, "fuel", "mass") == [("coal", "12"), ("coke", "14"), ("gas", "15")]
    assert all("columns guessed from alignment, no lines" in row["_doubt"] for row in found.rows)


def test_a_raised_figure_is_no_part_of_the_number(tmp_path: Path) -> None:
    ys = [240, 270, 300]
    raised = b"BT /F 10 Tf 145 250 Td (12) Tj /F 6 Tf 11.2 4 Td (3) Tj ET\n"
    path = _pdf(
        tmp_path / "a.pdf",
        _grid([40, 140, 240], ys) + _text((10, 45, 280, "fuel"), (10, 145, 280, "t"), (10, 45, 250, "coal")) + raised,
    )
    found = read_file(tmp_path, "pdf", path, tables={})
    assert (
        found.rows[0]["t"] == "12³" and found.rows[0]["_doubt"] == "low confidence 0.50: raised or lowered signs beside a number"
    )


def test_a_figure_drawn_twice_to_be_bold_counts_once_and_text_over_text_is_doubted(tmp_path: Path) -> None:
    head = [(0, 0, "fuel"), (0, 1, "t"), (1, 0, "coal"), (2, 0, "gas")]
    bold = _text((10, 145, 250, "12"), (10, 145, 250, "12"), (10, 145, 220, "57"), (10, 145, 220, "99"))
    stream = (
        _grid([40, 140, 240], [210, 240, 270, 300])
        + _text(*((10, 45 + 100 * c, 280 - 30 * r, text) for r, c, text in head))
        + bold
    )
    found = read_file(tmp_path, "pdf", _pdf(tmp_path / "b.pdf", stream), tables={})
    assert found.rows[0]["t"] == "12" and found.rows[0]["_doubt"] is None
    assert found.rows[1]["_doubt"] == "low confidence 0.30: text over text"


def test_text_that_runs_over_a_border_is_doubted(tmp_path: Path) -> None:
    stream = _grid([40, 140, 240], [240, 270, 300]) + _text((10, 45, 280, "fuel"), (10, 145, 280, "t"), (10, 128, 250, "123456"))
    found = read_file(tmp_path, "pdf", _pdf(tmp_path / "a.pdf", stream), tables={})
    assert "text runs over the border of a cell" in found.rows[0]["_doubt"]


def test_a_number_broken_over_lines_is_not_two(tmp_path: Path) -> None:
    stream = _grid([40, 140, 240], [230, 270, 300]) + _text((10, 45, 280, "fuel"), (10, 145, 280, "t"), (10, 45, 255, "coal"),
                                                            (10, 145, 255, "123456"), (10, 145, 240, "78"))  # fmt: skip
    found = read_file(tmp_path, "pdf", _pdf(tmp_path / "a.pdf", stream), tables={})
    assert [(row["t"], row["_doubt"]) for row in found.rows] == [
        ("123456 78", "low confidence 0.50: a number with a blank inside")
    ]


def test_a_figure_with_two_glyphs_in_the_map_of_its_font_is_doubted(tmp_path: Path) -> None:
    cmap = b"1 beginbfrange\n<31> <31> <0031>\nendbfrange\n2 beginbfchar\n<37> <0031>\n<38> <0038>\nendbfchar\n"
    extra = b"<</Length %d>>stream\n%s\nendstream" % (len(cmap), cmap)
    stream = _grid([40, 140, 240], [240, 270, 300]) + _text(
        (10, 45, 280, "fuel"), (10, 145, 280, "t"), (10, 45, 250, "coal"), (10, 145, 250, "17")
    )
    path = _pdf(tmp_path / "b.pdf", stream, extra=extra)
    path.write_bytes(path.read_bytes().replace(b"/BaseFont/Helvetica>>", b"/BaseFont/Helvetica/ToUnicode 5 0 R>>"))
    found = read_file(tmp_path, "pdf", path, tables={})
    assert "maps to Unicode contradict" in found.rows[0]["_doubt"]


@pytest.mark.parametrize(("given", "message", "remedy"), [
    ({"tables": {"pages": "7-"}}, "option 'tables': pages '7-'", "write them like 1-3,5"),
    ({"tables": {"numbers": [99]}}, "no table is the one", "1: page 7, 类型"),
    ({"tables": {"page": 7}}, "unknown option 'page'", "did you mean 'pages'?"),
    ({"tables": {"heading": "("}}, "is no regular expression", ""),
    ({"tables": {}}, "has the columns", "choose tables of one kind"),
    ({"tables": {"pages": 7}, "columns": ["a"]}, "1 names for the 4 columns", "the first row is 类型"),
    ({"tables": {"pages": 7}, "header": "Fuel"}, "fits the header 'Fuel'", "its first row is 类型"),
    ({"tables": {"pages": 7}, "confidence": 8}, "not from 0 to 1", ""),
    ({"tables": {"pages": 7}, "header": -1}, "-1 rows", "0 where the table has no header"),
])  # fmt: skip
def test_what_the_options_can_not_mean_is_said(
    tmp_path: Path, shared: Path, given: dict[str, Any], message: str, remedy: str
) -> None:
    told = refusal(tmp_path, "pdf", _one(shared, ZH, "405"), **given)
    assert message in told and remedy in told


def test_scanned_pages_are_set_aside_and_a_scan_is_refused(tmp_path: Path, shared: Path) -> None:
    told = refusal(tmp_path, "pdf", _one(shared, EN, "ocr_test"), tables={})
    assert "no table can be read (scanned: page 1)" in told and "ask for a document with text" in told
    found = read_file(tmp_path, "pdf", _one(shared, EN, "federal"), tables={"header": "Cost per product"})
    assert [one["_locator"] for one in found.rejected] == ["page 8", "page 9"]
    assert "is scanned: a picture without text" in found.rejected[0]["reason"]
