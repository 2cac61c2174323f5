"""What is in a CSV file and no row of it is told apart, counted and named; what a file wants is proposed."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonlake.probing import found_in
from jobs.readers import csv_plain, text
from jobs.readers.csv_footer import Footer, without_footer
from jobs.readers.encodings import fitting
from tests.jobs.readers.reading import Result, read_file, refusal


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def of(content: str | bytes, **options: Any) -> Result:
        path = tmp_path / "a.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_file(tmp_path, "csv", path, **options)

    return of


@pytest.fixture
def refused(tmp_path: Path) -> Any:
    def of(content: str, **options: Any) -> str:
        (tmp_path / "a.csv").write_text(content)
        return refusal(tmp_path, "csv", tmp_path / "a.csv", **options)

    return of


@pytest.fixture
def wanted(tmp_path: Path) -> Any:
    def of(content: str | bytes, **options: Any) -> dict[str, Any]:
        path = tmp_path / "a.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return found_in(path, "csv", options)[2]

    return of


TABLE = "a,b,c\n1,2,3\n4,5,6\n"


@pytest.mark.parametrize(("end", "rows", "cut"), [
    ("Total,5,6\n", 2, 1),
    ("\n\nSource: someone\n", 2, 3),
    ("Total,5,6\nmade by hand\n\n", 2, 3),
    ("Total,5,6\n7,8,9\n", 4, 0),  # what follows could be a row, so that this is no footer
    ("Total,5,6\n7,8,9\nTotal,12,15\n", 4, 1),
    ("7,8,9\n", 3, 0),
])  # fmt: skip
def test_a_footer_begins_where_its_pattern_matches_and_holds_no_row(read: Any, end: str, rows: int, cut: int) -> None:
    found = read(TABLE + end, footer="^(Total|Source)")
    assert (found.read.rows, found.read.info.get("footer", {}).get("lines", 0)) == (rows, cut)
    assert found.read.info["lines"] == (TABLE + end).count("\n")


def test_a_footer_is_named_with_its_place(read: Any) -> None:
    found = read(TABLE + ",,\nTotal,5,7\nSource: us\n", footer="^(Total|Source)")
    assert found.read.info["footer"] == {"lines": 3, "first": 4, "text": [",,", "Total,5,7", "Source: us"]}
    assert found.read.rejected == 0 and found.column("_locator") == [2, 3]


def test_a_number_of_last_lines_is_cut_and_blank_ones_are_not_counted(read: Any) -> None:
    found = read(TABLE + "7,8,9\n\nSum,1,1\n\n", footer=2)
    assert found.column("a") == ["1", "4"] and found.read.info["footer"]["lines"] == 4


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["1,2,3\n", "x\n", "\n", "Total,1,2\n", '"a\n']), max_size=30), st.integers(1, 9), st.integers(0, 5)
)
def test_a_footer_is_the_same_whatever_blocks_a_file_comes_in(lines: list[str], size: int, last: int) -> None:
    content = "".join(lines).encode()
    for footer in ("^Total", last):
        whole, parts = Footer(), Footer()
        at_once = b"".join(without_footer(iter([content]), footer, "utf-8", ",", 3, whole))
        stream = io.BytesIO(content)
        in_blocks = b"".join(without_footer(text.blocks(stream, size), footer, "utf-8", ",", 3, parts))
        assert (at_once, whole) == (in_blocks, parts)
        assert at_once.count(b"\n") + whole.lines == content.count(b"\n")


def test_the_footer_of_a_long_file_is_looked_for_at_its_end_alone(read: Any) -> None:
    body = "".join(f"{n},Total,{n}\n" for n in range(5000))
    found = read("a,b,c\nTotal,0,0\n" + body + "Total,1,1\n", footer="^Total")
    assert found.read.rows == 5001 and found.read.info["footer"]["first"] == 5003


def test_a_footer_that_can_not_be_is_refused(refused: Any) -> None:
    assert "no regular expression" in refused(TABLE, footer="^(Total") and "'^(Total|Source)'" in refused(TABLE, footer="(")
    assert "0 to 100" in refused(TABLE, footer=101)


@pytest.mark.parametrize("quote", ["", '"'])
def test_headers_that_come_again_are_no_rows(read: Any, quote: str) -> None:
    table = f"a,{quote}b{quote},中\n1,2,3\n"
    found = read(table + "\ufeff" + table + table)
    assert (found.read.rows, found.read.rejected) == (3, 0)
    assert found.read.info["repeated_headers"] == {"count": 2, "lines": [3, 5]} and found.column("_locator") == [2, 4, 6]


def test_headers_that_come_again_on_the_fast_way_are_told_by_whole_rows(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Any] = []
    write = csv_plain.write_plain
    monkeypatch.setattr("jobs.readers.csv.write_plain", lambda *given: taken.append(write(*given)) or taken[-1])
    found = read("a,b,c\n" + "1,2,3\n" * 9 + "a,b,c\nxa,b,cx\na,b,\n")
    assert taken == [[11]] and found.read.rows == 11 and found.column("a")[-2:] == ["xa", "a"]


def test_a_single_column_has_no_header_again(read: Any) -> None:
    assert read("a\n1\na\n").column("a") == ["1", "a"]


def test_a_row_of_units_is_no_row_and_is_kept(read: Any) -> None:
    found = read("日期,用电量,备注\n,万kWh,\n2026-01-01,5,x\n日期,用电量,备注\n,万kWh,\n2026-01-02,6,y\n", units_row=True)
    assert found.read.info["units"] == {"用电量": "万kWh"} and found.column("用电量") == ["5", "6"]
    assert found.read.info["repeated_headers"] == {"count": 2, "lines": [4, 5]} and found.column("_locator") == [3, 6]


def test_a_row_of_units_that_does_not_fit_is_refused(refused: Any) -> None:
    assert "2 fields, the header 3" in refused("a,b,c\nkg,t\n1,2,3\n", units_row=True)
    assert "`unit_from`" in refused("1,2\n", units_row=True, header=False, columns=["a", "b"])


def test_lines_may_end_as_on_an_old_macintosh(read: Any) -> None:
    found = read(b"a,b\r1,2\r3,4\r")
    assert found.column("b") == ["2", "4"] and found.column("_locator") == [2, 3]


@pytest.mark.parametrize(("content", "options"), [
    ("Emissions of 2026\n\na,b,c\n1,2,3\n4,5,6\n", {"skip_rows": 2}),
    ("sep=;\na;b;c\n1;2;3\n4;5;6\n", {"delimiter": ";", "skip_rows": 1}),
    ("# made by us\n# of our own\na,b,c\n1,2,3\n4,5,6\n", {"comment": "#"}),
    ("meter,use,day\n,kWh,\nm1,1.5,2026-01-01\nm2,2.5,2026-01-01\n", {"units_row": True}),
    ("表号,电量,煤\n-,(万千瓦时),t\nm1,1.5,3\nm2,2.5,4\n", {"units_row": True}),
    ("a,b,c\n1,2,3\n4,5,6\n合计,7,9\n", {"footer": "^(合计)"}),
    ("a,b,c\n1,2,3\n4,5,6\n\n注:单位为吨\n数据来源:统计局\n", {"footer": "^(注|数据来源)"}),
    ("a,b,c\n1,2,3\n4,5,6\n\n注\uff1a单位为吨\n", {"footer": "^(注)"}),
    ("表号,电量,煤\n-,\uff08万千瓦时\uff09,t\nm1,1.5,3\nm2,2.5,4\n", {"units_row": True}),
    ("a,a,b\n1,2,3\n4,5,6\n", {"header": False, "skip_rows": 1, "columns": ["a", "a (2)", "b"]}),
    ("Title\na,a,b\n1,2,3\n4,5,6\n", {"header": False, "skip_rows": 2, "columns": ["a", "a (2)", "b"]}),
    ("name,city\nTotal,Paris\nx,y\nTotal,Berlin\n", {}),  # a company, not a sum
    ("a,b,c\n1,2,3\n4,5\n", {}),  # a file that was cut off, not a footer
    ("a,b,c\nm,s,A\nx,y,z\n", {}),  # letters that are units, above what are no numbers
    ("a,b,c\n1,2,3\n", {}),
])  # fmt: skip
def test_what_a_file_wants_is_found(wanted: Any, content: str, options: dict[str, Any]) -> None:
    assert wanted(content) == options


def test_what_is_given_is_not_found_otherwise(wanted: Any) -> None:
    assert wanted("a,b,c\n1,2,3\n合计,2,3\n", footer=0) == {"footer": 0}


def test_a_footer_is_found_at_the_end_of_a_long_file(wanted: Any) -> None:
    assert wanted("a,b,c\n" + "1,2,3\n" * 400_000 + "Total,1,2\n") == {"footer": "^(Total)"}


@pytest.mark.parametrize(("encoding", "said"), [
    ("latin-1", "cp1252"), ("cp1252", "cp1252"), ("mac_roman", "mac_roman"), ("cp850", "cp850"),
])  # fmt: skip
def test_the_encodings_of_western_europe_are_told_apart(encoding: str, said: str) -> None:
    assert fitting("Straße;Größe\nMünchen;é\nà la carte;naïve\n".encode(encoding)) == said


@pytest.mark.parametrize(("encoding", "content"), [
    ("cp1251", "Выбросы,тонн\nМосква,12\n"), ("big5", "企業,用電量\n工廠,一\n臺北,電力公司\n"), ("gb18030", "户号,用电量\n"),
])  # fmt: skip
def test_other_encodings_are_not_taken_for_western_ones(encoding: str, content: str) -> None:
    assert fitting(content.encode(encoding)) == encoding


def test_a_file_of_an_old_macintosh_is_read_with_its_own_letters(tmp_path: Path, shared: Path) -> None:
    path = shared / "data" / "power_plants" / "EPRTR-plants.csv.gz"
    assert found_in(path, "", {})[2] == {"encoding": "mac_roman"}
    found = read_file(tmp_path, "csv", path, encoding="mac_roman")
    assert (found.read.rows, found.read.rejected) == (2161, 0)
    assert "Kraftwerk Dürnrohr" in found.column("FacilityName") and "Liège" in {*found.column("NUTSRegionGeoName")}


@pytest.mark.parametrize(("name", "rows", "rejected", "lines"), [
    ("codes/World-Bank-Population-Subnational.csv", 1865, 0, 5), ("power_plants/NGER_2012-2013.csv", 382, 0, 1),
    ("power_plants/NGER_2013-2014.csv", 420, 2, 1), ("power_plants/NGER_2014-2015.csv", 424, 0, 0),
])  # fmt: skip
def test_footers_of_real_files_are_found_and_cut(
    tmp_path: Path, shared: Path, name: str, rows: int, rejected: int, lines: int
) -> None:
    path = shared / "data" / name
    found = read_file(tmp_path, "csv", path, **found_in(path, "", {})[2])
    assert (found.read.rows, found.read.rejected, found.read.info.get("footer", {}).get("lines", 0)) == (rows, rejected, lines)


def test_titles_above_and_names_twice_in_a_real_file_are_told_apart(tmp_path: Path, shared: Path) -> None:
    path = shared / "data" / "facility_corporate" / "profit_and_emmissions_database.csv"
    found = read_file(tmp_path, "csv", path, **found_in(path, "", {})[2])
    assert found.read.rejected == 0 and found.read.rows == 179 and found.rows[0]["Company Name"] == "JPMorgan Chase"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))[2:]
    assert [row[7] for row in rows] == [value or "" for value in found.column("Scope 1 GHG emissions tons CO₂e (2)")]


def test_a_header_in_the_middle_of_a_real_file_is_no_row(tmp_path: Path, shared: Path) -> None:
    table = (shared / "data" / "atmosphere_science" / "co2_data.csv").read_bytes()
    (tmp_path / "two.csv").write_bytes(table + b"\n" + table)
    found = read_file(tmp_path, "csv", tmp_path / "two.csv")
    once = read_file(tmp_path, "csv", shared / "data" / "atmosphere_science" / "co2_data.csv")
    assert found.read.rows == 2 * once.read.rows and found.read.info["repeated_headers"]["count"] == 1
    assert found.column("co2_ppm") == 2 * once.column("co2_ppm")


def test_a_gb18030_file_equals_its_utf8_twin(tmp_path: Path, shared: Path) -> None:
    folder = shared / "data" / "codes"
    given = found_in(folder / "derived_gb18030__cities.csv", "", {})[2]
    found, twin = read_file(tmp_path, "csv", folder / "derived_gb18030__cities.csv", **given), read_file(
        tmp_path, "csv", folder / "cities.csv")  # fmt: skip
    assert given == {"encoding": "gb18030"} and found.rows == twin.rows and found.read.rows == 342
