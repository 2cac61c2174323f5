from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jobs.readers import Read, Request, csv, read_many, read_together
from schemas.errors import UserError

HEADS = st.sampled_from(["a,b,c", "a,b,c", "a,b,c", "c,b,a", "a", "", '"a",b,c', "\ufeffa,b,c"])
ODD = ["1,2", "1,2,3,4", "a,b,c", '"q,",2,3', '"open,1,2', "", "1", "nul\0,,", ",,"]
LINES = st.lists(st.sampled_from(["1,2,3", "x,,中", *ODD]), max_size=5)


def _requests(folder: Path, contents: Sequence[bytes], options: dict[str, Any]) -> list[Request]:
    found = []
    for number, content in enumerate(contents, 1):
        path, out = folder / f"{number}.csv", folder / f"out{number}"
        path.write_bytes(content)
        out.mkdir()
        found.append(Request(path, out, number, path.name, options))
    return found


def _rows(folders: Sequence[Path], name: str) -> list[tuple[Any, ...]]:
    tables = [pq.ParquetFile(path).read() for folder in folders for path in sorted(folder.glob(f"{name}.parquet"))]
    return sorted((tuple(sorted(row.items())) for table in tables for row in table.to_pylist()), key=repr)


def _ended(results: Sequence[Read | UserError]) -> list[Any]:
    told = ("encoding", "delimiter", "lines", "units", "footer", "repeated_headers")
    return [(one.rows, one.rejected, one.columns, {key: one.info.get(key) for key in told}) if isinstance(one, Read) else str(one)
            for one in results]  # fmt: skip


def _both(contents: Sequence[bytes], **options: Any) -> tuple[list[Any], list[Any]]:
    """Return how files end, and their rows and rejects, when each is read for itself and when all are read together."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        requests = _requests(folder, contents, options)
        single = read_many("csv", requests)
        good = [one.out for one, result in zip(requests, single, strict=True) if isinstance(result, Read)]
        places: list[Path] = []

        def place(columns: tuple[str, ...]) -> Path:
            places.append(folder / f"together{len(places)}")
            places[-1].mkdir()
            return places[-1]

        many = read_together("csv", requests, place)
        return ([_ended(single), _rows(good, "part-*"), _rows(good, "rejected")],
                [_ended(many), _rows(places, "part-*"), _rows(places, "rejected")])  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(HEADS, LINES, st.booleans()), min_size=1, max_size=6), st.sampled_from([64, 1 << 24]))
@example([("", ['"open,1,2'], False)], 1 << 24)
@example([("a,b,c", ["1,2", "1,2,3,4"], True), ("a,b,c", ["1,2,3"], True)], 1 << 24)
def test_files_that_are_read_together_end_as_each_for_itself(files: list[tuple[str, list[str], bool]], size: int) -> None:
    contents = [("\n".join([head, *lines]) + "\n" * closed).encode() for head, lines, closed in files]
    with mock.patch("jobs.readers.csv_together.BLOCK", size):
        single, together = _both(contents)
    assert together == single


@pytest.mark.parametrize(
    ("contents", "options"),
    [
        (["a,b\r\n中,1\r\n".encode("gbk"), "a,b\n国,2\n".encode("gbk"), b"a,b\n\xff\xff,2\n"], {"encoding": "gbk"}),
        (["a,b\n中,1\n".encode("utf-16"), "a,b\n".encode("utf-16")], {"encoding": "utf-16"}),
        ([b"a,b\nm,t\n1,2\n", b"a,b\nm,t\nm,t\n3,4\n", b"a,b\nm\n1,2\n"], {"units_row": True}),
        ([b"a,b\n1,2\ntotal 1\n", b"a,b\n3,4\n"], {"footer": "^total"}),
        ([b"# x\na;b\n1;2\n", b"a;b\n# y\n1;2\n", b"a,b\n1,2\n"], {"delimiter": ";", "comment": "#"}),
        ([b"a,b\n", b"", b"%PDF-1.4\n"], {"empty_ok": True}),
        ([b"1,2\n3,4\n", b"5,6\n"], {"header": False, "columns": ["x", "y"]}),
        ([b"a,b\n1,2\n"], {"nonsense": 1}),
    ],
)  # fmt: skip
def test_options_mean_the_same_to_files_that_are_read_together(contents: list[bytes], options: dict[str, Any]) -> None:
    single, together = _both(contents, **options)
    assert together == single


def test_plain_files_are_parsed_together_and_never_each_for_itself() -> None:
    refuse = mock.patch("jobs.readers.csv_together.read_into", side_effect=AssertionError("read for itself"))
    with refuse, tempfile.TemporaryDirectory() as name:
        requests = _requests(Path(name), [b"a,b\n1,2\n", "a,b\n中,3\n4,5".encode()], {})
        found = read_together("csv", requests, lambda columns: Path(name))
        parts = list(Path(name).glob("part-*.parquet"))
        assert [one.rows for one in found if isinstance(one, Read)] == [1, 2] and len(parts) == 1
        assert pq.read_table(parts[0]).to_pydict() == {"a": ["1", "中", "4"], "b": ["2", "3", "5"],
                                                       "_delivery": [1, 2, 2], "_locator": [2, 2, 3]}  # fmt: skip


def test_a_file_that_is_refused_half_way_leaves_no_row() -> None:
    wrong = b"a,b\n" + b"1,2\n" * 3 + b"\xff,\xfe\n" * 1500
    with mock.patch.object(csv.blocks, "__defaults__", (16,)):
        single, together = _both([wrong, b"a,b\n7,8\n"])
    assert together == single
    assert "the bytes are not utf-8" in together[0][0] and [dict(row)["_delivery"] for row in together[1]] == [2]
