"""Text of fixed width: columns by position; what stands outside of them, or is cut, is never taken for a value."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from jobs.readers.look import look
from jobs.readers.sniff import format_of
from tests.jobs.readers.reading import read_file, refusal

COLUMNS = {"date": [1, 6], "kwh": [8, 13], "note": [15, 20]}
TEXT = "260101   1.50 ok\n260102  12.25\n\n260103 -99.90 电量\n"


def _file(folder: Path, text: str | bytes, name: str = "a.txt") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_columns_are_where_the_option_says(tmp_path: Path) -> None:
    found = read_file(tmp_path, "fixed", _file(tmp_path, TEXT), columns=COLUMNS)
    assert [tuple(row.values()) for row in found.rows] == [
        ("260101", "1.50", "ok", 7, "line 1"), ("260102", "12.25", None, 7, "line 2"),
        ("260103", "-99.90", "电量", 7, "line 4")]  # fmt: skip
    assert found.read.rejected == 0 and found.read.columns == ("date", "kwh", "note")


def test_positions_may_be_bytes_of_gbk(tmp_path: Path) -> None:
    path = _file(tmp_path, "北京   12\n呼和浩特3\n".encode("gbk"))
    columns = {"city": [1, 7], "n": [8, 9]}
    odd = read_file(tmp_path, "fixed", path, columns={"city": [1, 8], "n": [9, 9]}, bytes=True, encoding="gbk")
    assert [(row["city"], row["n"]) for row in odd.rows] == [("北京   1", "2"), ("呼和浩特", "3")]
    cut = read_file(tmp_path, "fixed", path, columns=columns, bytes=True, encoding="gbk")
    assert [row["city"] for row in cut.rows] == ["北京"] and cut.rows[0]["n"] == "12"
    assert cut.rejected[0]["reason"] == "the edge of a column goes through a sign"
    said = refusal(tmp_path, "fixed", _file(tmp_path, TEXT.encode("utf-16")), columns=COLUMNS, bytes=True, encoding="utf-16")
    assert "laid out in characters\n  → leave out `bytes`" in said
    assert len(read_file(tmp_path, "fixed", _file(tmp_path, TEXT.encode("utf-16")), columns=COLUMNS, encoding="utf-16").rows) == 3


def test_what_does_not_stand_in_its_columns_is_set_aside(tmp_path: Path) -> None:
    text = TEXT + "2601041  1.50 ok\n260105   1.50 far too long\n260106\t 1.50 ok\n260107   1.50\0\n260108   1.5"
    found = read_file(tmp_path, "fixed", _file(tmp_path, text), columns=COLUMNS)
    assert [(row["_locator"], row["reason"]) for row in found.rejected] == [
        ("line 5", "something stands outside of the columns, at 7 to 7"),
        ("line 6", "something stands outside of the columns, at 21 to 26"), ("line 7", "a tab, which has no width"),
        ("line 8", "bytes of zero"), ("line 9", "the last line is cut off"),
    ]  # fmt: skip
    assert len(found.rows) == 3


def test_lines_above_comments_and_marks_are_passed_over(tmp_path: Path) -> None:
    path = _file(tmp_path, b"\xef\xbb\xbf" + ("title of it\r\n# 260101\r\n" + TEXT.replace("\n", "\r\n")).encode())
    found = read_file(tmp_path, "fixed", path, columns=COLUMNS, skip_rows=1, comment="#")
    assert found.column("date") == ["260101", "260102", "260103"] and found.rows[0]["_locator"] == "line 3"
    packed = _file(tmp_path, gzip.compress(TEXT.encode()), "b.txt.gz")
    assert len(read_file(tmp_path, "fixed", packed, columns=COLUMNS).rows) == 3


@pytest.mark.parametrize(("columns", "told"), [
    ({}, "the option 'columns' is missing\n  → say where they are: `columns: {date: [1, 6], kwh: [8, 15]}`"),
    ({"a": [0, 3]}, "a: [0, 3] is not its first and last position\n  → count from 1"), ({"a": [3, 2]}, "is not its first"),
    ({"a": 3}, "is not its first"), ({"a": [1, 4], "b": [4, 6]}, "a and b overlap\n  → check their positions"),
    ({"_locator": [1, 4]}, "which is a name of ours"), ({"a": [1, 4], "A": [5, 6]}, "are one to those who read them"),
])  # fmt: skip
def test_positions_that_can_not_be_are_refused(tmp_path: Path, columns: dict[str, object], told: str) -> None:
    assert told in refusal(tmp_path, "fixed", _file(tmp_path, TEXT), columns=columns)


def test_another_encoding_or_layout_is_told(tmp_path: Path) -> None:
    path = _file(tmp_path, ("电力工业统计 12\n" * 9).encode("gbk"))
    columns = {"name": [1, 6], "n": [8, 9]}
    assert "set the option `encoding: gb18030`" in refusal(tmp_path, "fixed", path, columns=columns)
    assert read_file(tmp_path, "fixed", path, columns=columns, encoding="gb18030").rows[0]["n"] == "12"
    said = refusal(tmp_path, "fixed", _file(tmp_path, TEXT), columns={"a": [1, 2]})
    assert "none of the 3 lines can be read; line 1" in said and "check the options `columns`" in said
    assert "no data rows" in refusal(tmp_path, "fixed", _file(tmp_path, "title\n"), columns=columns, skip_rows=1)


def test_the_layout_of_the_reference_data_is_proposed_and_every_line_fits(tmp_path: Path, shared: Path) -> None:
    path = shared / "data" / "atmosphere_science" / "bsd.picarro.1minute.248m.min.dat"
    _, read_as, given = look(path, "", {})
    assert read_as == "fixed" and given["skip_rows"] == 3 and list(given["columns"])[:6] == [
        "date", "time", "type", "port", "ch4 C", "ch4 stdev"]  # fmt: skip
    found = read_file(tmp_path, "fixed", path, **given)
    words = [line.split() for line in path.read_text().splitlines()[3:]]
    assert [list(row.values())[:-2] for row in found.rows] == words and found.read.rejected == 0
    path = path.with_name("co_pocn25_surface-flask_1_ccgg_event.txt")
    _, read_as, given = look(path, "", {})
    assert (read_as, given["comment"]) == ("fixed", "#") and "skip_rows" not in given
    found = read_file(tmp_path, "fixed", path, **given)
    words = [line.split() for line in path.read_text().splitlines() if not line.startswith("#")]
    assert [[value for value in list(row.values())[:-2] if value] for row in found.rows][-1][0] == words[-1][0] == "POC"
    assert len(found.rows) == len(words) and found.read.rejected == 0


def test_text_without_columns_is_told_from_such_with(tmp_path: Path) -> None:
    words = _file(tmp_path, "one word\nanother word or two\nand so it goes on\nwithout columns of any kind in it\n")
    assert format_of(words) == "csv"
    assert "no columns of blanks go through its lines\n  → say where" in str(_told(words))
    for text in ("a  b\n1  2\n3  4\n", "a;b  c\n1;2  3\n1;2  3\n1;2  3\n"):
        assert (format_of(_file(tmp_path, text)) == "fixed") == (";" not in text)


def _told(path: Path) -> Exception:
    with pytest.raises(Exception) as caught:
        look(path, "fixed", {})
    return caught.value
