from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import example, given, settings
from hypothesis import strategies as st

from jobs.readers import csv_plain, text
from jobs.readers.memory import give_back
from schemas.errors import UserError
from tests.jobs.readers.reading import Result, read_file

NAMES = ["a", "b", "c"]
FIELD = st.text(st.sampled_from(" ab1.-;|\t中é\u3000\u2028\x0b\x85#'"), max_size=4)
ODD = st.sampled_from(['"q"', '"a,b"', '"l1\nl2"', '"open', "nul\0", 'mid"dle', '""', "lone\rcr", '"x"y'])
PLAIN_ROW = st.lists(FIELD, min_size=3, max_size=3)
ANY_ROW = st.one_of(PLAIN_ROW, PLAIN_ROW, st.lists(st.one_of(FIELD, FIELD, ODD), max_size=5))


def _read(content: bytes, block: int, plain: Any = csv_plain.plain, **options: Any) -> Result | str:
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(text.blocks, "__defaults__", (block,)),
        mock.patch("jobs.readers.csv.plain", plain),
    ):
        path = Path(folder) / "x.csv"
        path.write_bytes(content)
        try:
            return read_file(Path(folder), "csv", path, header=False, columns=NAMES, **options)
        except UserError as error:
            return str(error)


def _content(found: Result | str) -> Any:
    if isinstance(found, str):
        return found
    return found.rows, sorted(found.rejected, key=lambda row: int(row["_locator"]))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(PLAIN_ROW, ANY_ROW), min_size=1, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans())
@example([["1"], ["2", "3", "4", "5", "6"]], "\n", True)
@example([["1", "2", "3", "4", "5"], ["6"]], "\n", True)
@example([["1", "2", "3"], [], ["4", "5", "6", "7", "8"]], "\n", False)
def test_both_ways_give_the_same(table: list[list[str]], end: str, closed: bool) -> None:
    content = (end.join(",".join(row) for row in table) + end * closed).encode()
    fast = _read(content, 1 << 20)
    exact = _read(content, 1 << 20, plain=lambda *_, **__: None)
    assert _content(fast) == _content(exact)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.text(max_size=5).filter(lambda x: "\0" not in x), min_size=3, max_size=3), min_size=1, max_size=9),
       st.integers(1, 40))  # fmt: skip
def test_what_the_csv_module_writes_is_read_back_in_blocks_of_any_size(table: list[list[str]], block: int) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows(table)
    content = ("-,-,-\n" + file.getvalue()).encode("utf-8", "ignore")
    expected = [[value.encode("utf-8", "ignore").decode() or None for value in row] for row in table]
    found = _read(content, block)
    assert isinstance(found, Result) and found.rejected == []
    assert [[row[name] for name in NAMES] for row in found.rows] == [["-", "-", "-"], *expected]


def test_plain_tables_take_the_fast_way() -> None:
    with mock.patch("jobs.readers.csv.records", side_effect=AssertionError("the exact way was taken")):
        found = _read("a,中,1\r\nb,,2\r\n".encode() * 100, 1 << 10)
    assert isinstance(found, Result) and found.read.rows == 200 and found.read.info["parts"] > 1


def test_lines_that_make_up_for_each_other_are_not_plain_to_the_parser() -> None:
    block = b"1\n2,3,4,5,6\n"
    assert csv_plain.lines_of(block, ",", 3) == 2
    taken: list[object] = []
    assert csv_plain.write_plain(block, 2, 1, ("a", "b", "c"), ",", 7, taken.append) is None
    assert not taken


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.text(st.sampled_from("a1;|\t中镕丂é€𠀀\u3000"), max_size=4), min_size=3, max_size=3),
             min_size=1, max_size=9),
    st.sampled_from(",;|"), st.binary(max_size=3),
)  # fmt: skip
def test_both_ways_give_the_same_in_gb18030(table: list[list[str]], delimiter: str, odd: bytes) -> None:
    rows = [delimiter.join(cell.replace(delimiter, "") for cell in row) for row in table]
    content = "\n".join([*rows, ""]).encode("gb18030") + odd.replace(b"\0", b"") + b"\n"
    fast = _read(content, 1 << 20, encoding="gb18030", delimiter=delimiter)
    exact = _read(content, 1 << 20, plain=lambda *_, **__: None, encoding="gb18030", delimiter=delimiter)
    assert _content(fast) == _content(exact)


def test_memory_is_given_back_after_a_file_of_many_blocks() -> None:
    with mock.patch("jobs.readers.csv.give_back") as back:
        assert isinstance(_read(b"a,b,1\n" * 100, 1 << 10), Result) and not back.called
        assert isinstance(_read(b"a,b,1\n" * 1000, 1 << 10), Result) and back.called
    give_back()
    assert isinstance(_read(b"a,b,1\n" * 1000, 1 << 10), Result)
