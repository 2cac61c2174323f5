"""HTML: the rows of one table as they are seen, spans resolved; what is cut off, hidden or of another width is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.readers.html_page import tables
from jobs.readers.look import look
from jobs.readers.sniff import HTML, XML, media_type
from schemas.errors import UserError
from tests.jobs.readers.reading import Result, read_file, refusal


def _file(folder: Path, text: str | bytes) -> Path:
    path = folder / "a.html"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def _read(folder: Path, body: str, **options: object) -> Result:
    return read_file(folder, "html", _file(folder, f"<html><body>{body}</body></html>"), **options)


def _cells(found: Result) -> list[list[str | None]]:
    return [list(row.values())[:-2] for row in found.rows]


def test_the_page_of_the_reference_data_is_read(tmp_path: Path, shared: Path) -> None:
    path = shared / "data" / "electricity_timeseries" / "historical.html"
    found = read_file(tmp_path, "html", path)
    text = path.read_text(encoding="utf-8")
    assert (
        found.read.columns == ("일시", "기타", "가스", "신재생", "석탄", "원자력") and len(found.rows) == text.count("<tr>") - 1
    )
    assert list(found.rows[0].values()) == [
        "2023년 09월 01일 00시 00분",
        "1,653",
        "13,845",
        "3,591",
        "22,909",
        "21,038",
        7,
        "table 1 row 2",
    ]
    assert found.rows[-1]["원자력"] == "21,028" and found.read.rejected == 0


def test_spans_fill_every_place_they_cover(tmp_path: Path) -> None:
    table = """<table><thead><tr><th rowspan=2>省<th colspan=2>电量</tr><tr><th>一月<th>二月</tr></thead>
      <tr><td rowspan="2">京<td>1<td>2<tr><td>3<td>4<tr><td>沪<td colspan=2>5<tfoot><tr><td>计<td>9<td>11</table>"""
    found = _read(tmp_path, table)
    assert found.read.columns == ("省", "电量 一月", "电量 二月")
    assert _cells(found) == [["京", "1", "2"], ["京", "3", "4"], ["沪", "5", "5"]]
    assert [row["_locator"] for row in found.rows] == [f"table 1 row {number}" for number in (3, 4, 5)]
    zero = _read(tmp_path, "<table><tr><th>a<th>b<tr><td rowspan=0>x<td>1<tr><td>2<tr><td>3</table>")
    assert _cells(zero) == [["x", "1"], ["x", "2"], ["x", "3"]]
    past = _read(tmp_path, "<table><thead><tr><th rowspan=9>a<th>b</thead><tbody><tr><td rowspan=7>x<td>1</tbody>"
                           "<tbody><tr><td>y<td>2</table>")  # fmt: skip
    assert _cells(past) == [["x", "1"], ["y", "2"]]  # a span ends with its section


@pytest.mark.parametrize(("cell", "found"), [
    ("1,653", "1,653"), ("10<sup>6</sup>", "10^6"), ("12<sub>3</sub>", "12_3"), ("CO<sub>2</sub>", "CO2"), ("12<br>5", "12 5"),
    ("<p>12</p><p>5</p>", "12 5"), ("1<b>2</b>3", "123"), ("&nbsp; 7&nbsp;", "7"), ("1&lt;2 &amp; &#30005;", "1<2 & 电"),
    ("", None),
    ("<span style='display: none'>0012</span>12", "12"), ("<!-- 9 -->8<script>7</script>", "8"),
    ("<table><tr><td>9</table>5", "5"),
    ("<img alt=x>", None),
])  # fmt: skip
def test_a_cell_is_the_text_that_is_seen(tmp_path: Path, cell: str, found: str | None) -> None:
    assert _cells(_read(tmp_path, f"<table><tr><th>a<th>b<tr><td>{cell}</td><td>z</table>", table=1)) == [[found, "z"]]


def test_rows_that_do_not_fit_are_set_aside_with_reason(tmp_path: Path) -> None:
    table = """<table><tr><th>a<th>b<th>c<tr><td>1<td>2<td>3<tr><td>4<td>5<tr><td colspan=3>亚洲<tr><td>1<td>2<td>3<td>4
      <tr style="display:none"><td>7<td>8<td>9<tr><td>x<td rowspan=2>y<td>z<tr><td colspan=2>1<td>2<tr></table>"""
    found = _read(tmp_path, table)
    assert _cells(found) == [["1", "2", "3"], ["x", "y", "z"]]
    assert [(row["_locator"], row["reason"]) for row in found.rejected] == [
        ("table 1 row 3", "2 cells where the header has 3"), ("table 1 row 4", "one cell across the row"),
        ("table 1 row 5", "4 cells where the header has 3"), ("table 1 row 6", "a hidden row"),
        ("table 1 row 8", "two cells want the same place"),
    ]  # fmt: skip


def test_what_a_foot_sums_up_and_tables_in_cells_are_told(tmp_path: Path) -> None:
    foot = "<table><thead><tr><th>a<th>b<tfoot><tr><td>Total<td>3<tbody><tr><td>x<td>1<tr><td>y<td>2</table>"
    found = _read(tmp_path, foot)
    assert _cells(found) == [["x", "1"], ["y", "2"]]
    assert [(row["reason"], row["raw"]) for row in found.rejected] == [
        ("a row of the foot, which sums up its columns", "Total | 3")
    ]
    within = "<table><tr><th>a<th>b<tr><td>x<td><table><tr><td>9</table><tr><td>y<td>2</table>"
    found = _read(tmp_path, within, table=1)
    assert _cells(found) == [["y", "2"]]
    assert [row["reason"] for row in found.rejected] == ["a cell holds nothing but a table of its own"]


TWO = "<table id=t1><caption>甲</caption><tr><td>a<td>b<tr><td>1<td>2</table>" + (
    "<table><tr><th>c<tr><td>3<tr><td>4<tr><td>5<tr><td>6</table>"
)


def test_one_of_several_tables_is_chosen_by_number_id_or_caption(tmp_path: Path) -> None:
    for which in (1, "t1", "甲"):
        assert _cells(_read(tmp_path, TWO, table=which, header=1)) == [["1", "2"]]
    assert _read(tmp_path, TWO, table=2).rows[0]["_locator"] == "table 2 row 2"
    path = _file(tmp_path, TWO)
    assert "the page has 2 tables\n  → say which by the option `table`: 1 (甲), 2" in refusal(tmp_path, "html", path)
    assert "there is no table 3\n  → the page has 1 (甲), 2" in refusal(tmp_path, "html", path, table=3)
    assert "does not say which rows are its header\n  → say how many" in refusal(tmp_path, "html", path, table=1)
    assert "option 'header': the table has 2 rows" in refusal(tmp_path, "html", path, table=1, header=7)
    named = _read(tmp_path, TWO, table=1, header=0, columns=["x", "y"])
    assert named.rows[0]["x"] == "a" and len(named.rows) == 2
    assert look(path, "", {"table": 1})[2] == {"table": 1, "header": 1}
    assert look(path, "", {})[0]["tables"] == {"table 2": {"table": 2}, "table 1 甲": {"table": 1, "header": 1}}


def test_columns_of_one_name_want_names(tmp_path: Path) -> None:
    path = _file(tmp_path, "<html><table><tr><th>a<th>a<tr><td>1<td>2</table>")
    assert "are one to those who read them\n  → name the 2 columns by the option `columns`" in refusal(tmp_path, "html", path)
    assert _cells(read_file(tmp_path, "html", path, columns=["a", "b"])) == [["1", "2"]]
    assert look(path, "", {})[2] == {"columns": ["a", "a_2"]}


PAGE = "<html><head><meta charset='{}'></head><table><tr><th>电<tr><td>é</table>"


def test_a_page_is_read_as_it_says_it_is(tmp_path: Path) -> None:
    for name in ("utf-8", "gb18030", "utf-16"):
        encoded = PAGE.format(name).encode(name)
        assert read_file(tmp_path, "html", _file(tmp_path, encoded)).rows[0]["电"] == "é"
    latin = PAGE.replace("电", "€").format("iso-8859-1").encode("cp1252")
    assert read_file(tmp_path, "html", _file(tmp_path, latin)).rows[0]["€"] == "é"
    wrong = _file(tmp_path, PAGE.format("utf-8").encode("gb18030") + "电力工业统计资料".encode("gb18030"))
    assert "the bytes are not utf-8, as the page says" in refusal(tmp_path, "html", wrong)
    assert "set the option `encoding: gb18030`" in refusal(tmp_path, "html", wrong)
    assert read_file(tmp_path, "html", wrong, encoding="gb18030").rows[0]["电"] == "é"
    assert look(wrong, "", {})[2] == {"encoding": "gb18030"}
    for name in ("unicode_escape", "rot13", "utf-7", "lotus"):
        assert "encoding" in refusal(tmp_path, "html", _file(tmp_path, PAGE.format(name).encode()))


@pytest.mark.parametrize(("text", "told"), [
    ("<html><table><tr><th>a<tr><td>1", "the page is cut off: a table has no end\n  → ask for the delivery again"),
    ("<html><table><tr><th>a<tr><td>1<!-- </table>", "the page is cut off: a table has no end"),
    ("<html><body>login</body></html>", "the page has no table\n  → the source may have answered with an error page or a login"),
    ("<html><frameset><frame src=x></frameset></html>", "a set of frames, which are not fetched\n  → save the frame"),
    ("<html><table><tr><th>a</table>", "has no rows below its header"), ("<html>\0" + "x" * 99, "bytes of zero"),
    ("<html><table><tr><th>_locator<tr><td>1</table>", "which is a name of ours"),
    ("a,b\n1,2\n", "html was expected"),
])  # fmt: skip
def test_what_is_no_page_with_a_table_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(tmp_path, "html", _file(tmp_path, text))


def test_nothing_is_fetched_and_no_entity_is_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    text = f"""<!DOCTYPE html [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]><html><link href="file://{tmp_path}/secret">
      <table><tr><th>a<th>b<tr><td>&x;<td><iframe src="file://{tmp_path}/secret"></iframe></table>"""
    assert "secret" not in str(read_file(tmp_path, "html", _file(tmp_path, text)).rows)


def test_deep_pages_and_wide_spans_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = _file(tmp_path, "<html><table><tr><th>a<th>b<tr><td>" + "<b>" * 50_000 + "1<td>2</table>")
    assert "\n  → " in refusal(tmp_path, "html", deep)
    wide = _file(tmp_path, "<html><table><tr><th>a<th>b" + "<tr><td colspan=999999999 rowspan=65000>x" * 40 + "</table>")
    monkeypatch.setattr("jobs.readers.html_page.CELLS", 100_000)
    with pytest.raises(UserError, match=r"table 1: more than 100,000 cells\n.*ask for the table as CSV"):
        tables(wide, None, "a.html")


def test_tables_of_html_are_told_from_xml(tmp_path: Path) -> None:
    for text, kind in (
        ("<table><tr><td>1</td></tr></table>", HTML), ("<table class='x'>\n <thead><tr></tr></thead></table>", HTML),
        ("<table><row><a>1</a></row></table>", XML), ("<table name='x'/>", XML),
        ("<?xml version='1.0'?><table><row/></table>", XML),
        ("<!DOCTYPE html><p>", HTML),
    ):  # fmt: skip
        assert media_type(_file(tmp_path, text), "a") == kind, text
