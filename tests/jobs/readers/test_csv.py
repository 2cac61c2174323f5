from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from jobs.readers import csv_records, sniff, text
from schemas.errors import UserError
from tests.jobs.readers.reading import Result, read_file, refusal

PACKED = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(999)), mtime=0)


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def of(content: bytes, **options: Any) -> Result:
        path = tmp_path / "meters.csv"
        path.write_bytes(content)
        return read_file(tmp_path, "csv", path, **options)

    return of


@pytest.fixture
def refused(tmp_path: Path) -> Any:
    def of(content: bytes, **options: Any) -> str:
        path = tmp_path / "meters.csv"
        path.write_bytes(content)
        return refusal(tmp_path, "csv", path, **options)

    return of


def test_rows_carry_delivery_and_physical_line(read: Any) -> None:
    found = read(b"meter,kwh\na,1\nb,\n")
    assert found.rows == [
        {"meter": "a", "kwh": "1", "_delivery": 7, "_locator": 2},
        {"meter": "b", "kwh": None, "_delivery": 7, "_locator": 3},
    ]
    assert found.read.columns == ("meter", "kwh") and found.rejected == []


def test_line_breaks_in_quotes_count_as_lines(read: Any) -> None:
    found = read(b'meter,note\na,"two\nlines"\n\nb,"said ""no"""\n')
    assert [(row["note"], row["_locator"]) for row in found.rows] == [("two\nlines", 2), ('said "no"', 5)]


def test_malformed_rows_are_set_aside_with_reason_and_text(read: Any) -> None:
    found = read(b"a,b\n1,2\n3\n4,5,6\n7,\x008\n9,\xff\n10,11\n")
    assert found.column("_locator") == [2, 7]
    told = [(row["_locator"], row["reason"], row["raw"]) for row in found.rejected]
    assert told == [
        ("3", "1 field, expected 2", "3"),
        ("4", "3 fields, expected 2", "4,5,6"),
        ("5", "NUL byte", "7,␀8"),
        ("6", "the bytes are not utf-8", "9,�"),
    ]
    assert found.read.rejected == 4 and {row["_delivery"] for row in found.rejected} == {7}


def test_a_stray_quote_costs_one_row(read: Any) -> None:
    found = read(b'a,b\n1,2\n3,"4\n5,6\n7,8\n')
    assert found.column("_locator") == [2, 4, 5]
    assert [(row["_locator"], row["reason"]) for row in found.rejected] == [("3", "a quote that does not close")]


def test_quotes_that_pair_over_lines_without_fitting_cost_one_row_each(read: Any) -> None:
    found = read(b'a,b\n1,"2\n3,4\n5,"6\n7,8\n')
    assert found.column("_locator") == [3, 5]
    assert [row["_locator"] for row in found.rejected] == ["2", "4"]


def test_a_file_of_stray_quotes_is_read_line_by_line(read: Any) -> None:
    lines = csv_records.PATIENCE * 3
    found = read(b"a,b,c\n1,2,3\n" + b'a","b","c\n' * lines)
    assert found.read.rows == 1 and found.read.rejected == lines


def test_a_field_of_10_mb_is_set_aside_and_the_rest_is_read(read: Any) -> None:
    found = read(b"a,b\n1,2\n3," + b"x" * 10_000_000 + b'\n5,"' + b"y" * 2_000_000 + b'"\n7,8\n')
    assert found.column("_locator") == [2, 5]
    assert [row["reason"] for row in found.rejected] == ["a field larger than 1 MB"] * 2
    assert max(len(row["raw"]) for row in found.rejected) == 4096


def test_a_line_longer_than_the_limit_does_not_fill_the_memory(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "LINE_LIMIT", 1 << 20)
    monkeypatch.setattr(csv_records, "LINE_LIMIT", 1 << 20)
    found = read(b"a,b\n1,2\n" + b"x," * (10 << 20) + b"\n5,6\n")
    assert found.column("_locator") == [2, 4]
    assert found.read.rejected == 1


def test_records_over_the_border_of_blocks_stay_whole(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text.blocks, "__defaults__", (16,))
    found = read(b"a,b\n" + b'1,"x\ny\nz"\n' * 50 + b"2,3\n" * 50)
    assert found.column("_locator") == [2 + 3 * n for n in range(50)] + [152 + n for n in range(50)]
    assert set(found.column("b")) == {"x\ny\nz", "3"}


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "gb2312", "big5", "utf-16", "utf-8-sig"])
def test_declared_encodings_are_read(read: Any, encoding: str) -> None:
    text_ = "企業,用電量\n工廠,1\n" if encoding == "big5" else "企业,用电量\n工厂,1\n"
    found = read(text_.encode(encoding), encoding=encoding)
    assert [list(row.values()) for row in found.rows] == [[text_.split()[1].split(",")[0], "1", 7, 2]]


def test_gbk_rows_that_do_not_decode_are_set_aside_alone(read: Any) -> None:
    found = read("户号,名\n1,甲\n2,".encode("gbk") + b"\xff\xff\n" + "3,丙\n".encode("gbk"), encoding="gbk")
    assert found.column("名") == ["甲", "丙"]
    assert [row["reason"] for row in found.rejected] == ["the bytes are not gb18030"]


def test_a_wrong_encoding_names_the_one_that_fits(refused: Any) -> None:
    assert "gb18030 fits" in refused("户号,用电量\n1,2\n".encode("gbk"))
    assert "gb18030 fits" in refused(b"id,name\n" + "1,上海电力公司\n".encode("gbk") * 3)
    assert "utf-16" in refused("户号,用电量\n1,2\n".encode("utf-16"))


def test_chinese_far_behind_an_ascii_head_in_the_wrong_encoding_is_refused(refused: Any) -> None:
    assert "gb18030 fits" in refused(b"id,name\n" + b"1,a\n" * 300_000 + "1,上海电力公司\n".encode("gbk") * 50)


def test_one_damaged_byte_does_not_make_a_wrong_encoding(read: Any) -> None:
    found = read(b"id,name\n" + b"1,a\n" * 50 + b"2,\xe4\xb8\n" + b"3,c\n" * 50)
    assert (found.read.rows, found.read.rejected) == (100, 1)


def test_chinese_that_came_to_harm_is_no_western_text(refused: Any) -> None:
    said = refused("编号,名称\n1,钢铁".encode("gbk") + b"\xff\xff\n2,abc\n")
    assert "gb18030 fits" in said and "encoding: gb18030" in said


def test_a_mark_of_another_encoding_is_not_believed(refused: Any) -> None:
    said = refused(b"\xef\xbb\xbf" + "户号,用电量\n1,2\n".encode("gbk"))
    assert "gb18030 fits" in said and "encoding: gb18030" in said


def test_utf_16_that_is_cut_within_a_sign_is_to_come_again(read: Any) -> None:
    with pytest.raises(UserError, match="not utf-16: truncated data") as caught:
        read("户号,用电量\n1,2\n".encode("utf-16") + b"\x00", encoding="utf-16")
    assert "ask for the delivery again" in str(caught.value)


def test_a_probe_finds_the_encoding_of_a_small_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,name\n1,Köln\n2,Zürich\n".encode("cp1252"))
    assert sniff.probe("csv", path, {}) == {"options": {"encoding": "cp1252"}}
    path.write_bytes(b"id,name\n" + b"1,a\n" * 50 + b"2,\xe4\xb8\n")  # one byte came to harm
    assert sniff.probe("csv", path, {})["encoding"] == "utf-8"


def test_a_wrong_delimiter_names_the_one_that_fits(refused: Any) -> None:
    said = refused(b"a;b;c\n1;2;3\n4;5;6\n")
    assert "';' gives 3" in said and "delimiter: ';'" in said


@pytest.mark.parametrize(("content", "reason"), [
    (b"", "is empty"),
    (b"\xef\xbb\xbf\n\n", "is empty"),
    (b"a,b\n", "no data rows"),
    (b"a,b,a\n1,2,3\n", "'a' of column 3 is already that of column 1"),
    (b"CO2,co2\n1,2\n", "already that of column 1"),
    (b"a,_locator\n1,2\n", "reserved"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "pointer of Git LFS"),
    (b"<!DOCTYPE html>\n<html><body>Login</body></html>\n", "an HTML page"),
    (b"PK\x03\x04" + b"\0" * 60, "ZIP archive"),
    (b"a,b\n1\n2,3,4\n", "none of the 2 rows can be read; line 2: 1 field, expected 2"),
    (PACKED[:-30], "gzip file is cut off"),
    (PACKED[:-5] + bytes(5), "gzip file is damaged"),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_what_is_no_csv_is_refused_with_its_reason(refused: Any, content: bytes, reason: str) -> None:
    said = refused(content)
    assert reason in said and said.startswith("meters.csv")


@pytest.mark.parametrize(("options", "reason"), [
    ({"delimeter": ";"}, "did you mean 'delimiter'?"),
    ({"skip_rows": "2"}, "option 'skip_rows'"),
    ({"delimiter": ";;"}, "one ASCII character"),
    ({"encoding": "utf-9"}, "no encoding 'utf-9'"),
    ({"compression": "gzip"}, "the file is not so"),
    ({"columns": ["x", "y"]}, "only for files without a header"),
    ({"header": False}, "needs the names"),
])  # fmt: skip
def test_options_that_can_not_be_are_refused(refused: Any, options: dict[str, Any], reason: str) -> None:
    assert reason in refused(b"a,b\n1,2\n", **options)


def test_header_only_is_read_where_it_is_allowed(read: Any) -> None:
    found = read(b"a,b\n", empty_ok=True)
    assert (found.read.rows, found.read.columns, found.rows) == (0, ("a", "b"), [])


def test_gzip_is_told_by_its_bytes(read: Any) -> None:
    assert read(gzip.compress(b"a,b\n1,2\n")).column("b") == ["2"]


def test_rows_above_the_header_and_comments_are_passed_over(read: Any) -> None:
    found = read(b"Report 2026\n\n# made up\na,b\n1,2\n# end\n3,4\n", skip_rows=1, comment="#")
    assert found.column("_locator") == [5, 7] and found.read.columns == ("a", "b")


def test_a_file_without_header_takes_its_names_from_the_contract(read: Any) -> None:
    found = read(b"1|2\r\n3|4", header=False, columns=["x", "y"], delimiter="|")
    assert [(row["x"], row["y"], row["_locator"]) for row in found.rows] == [("1", "2", 1), ("3", "4", 2)]


def test_columns_without_a_name_are_numbered(read: Any) -> None:
    assert read(b",a\n0,1\n").read.columns == ("column_1", "a")


def test_a_single_column_passes_over_blank_lines(read: Any) -> None:
    assert read(b"a\n1\n\n2\n").column("_locator") == [2, 4]


def test_the_real_table_of_owid_is_read_whole(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/country_emissions/owid-co2-data_2020-08-07.csv.gz"
    found = read_file(tmp_path, "csv", path)
    assert found.read.rejected == 0 and found.read.rows > 20_000 and {"country", "year", "co2"} <= {*found.read.columns}
