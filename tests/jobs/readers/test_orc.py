"""ORC: every row with its number and type; a file that is not as its footer says is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import orc

from jobs.readers.sniff import ORC, format_of, media_type
from schemas.errors import UserError
from tests.jobs.readers.reading import read_file, refusal


def _file(folder: Path, table: pa.Table, **more: object) -> Path:
    path = folder / "a.orc"
    orc.write_table(table, path, **more)
    return path


def test_types_become_numbers_and_text(tmp_path: Path) -> None:
    table = pa.table({
        "n": pa.array([1, None], pa.int16()), "x": pa.array([0.1, None]), "t": ["", "电"],
        "d": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)), "day": [date(2026, 1, 2), None],
        "at": pa.array([datetime(2026, 1, 2, 3, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
        "yes": [True, None], "list": [[1, 2], None], "raw": [b"\x01\xff", None],
    })  # fmt: skip
    path = _file(tmp_path, table)
    first, second = read_file(tmp_path, "orc", path).rows
    assert first | {"at": ""} == {"n": 1, "x": 0.1, "t": None, "d": "1.50", "day": "2026-01-02", "at": "", "yes": "true",
                                  "list": "[1, 2]", "raw": "01ff", "_delivery": 7, "_locator": "row 1"}  # fmt: skip
    assert first["at"].startswith("2026-01-02 03:00:00") and second["t"] == "电" and second["_locator"] == "row 2"
    assert media_type(path, "a") == ORC and format_of(path) == "orc"


def test_rows_are_numbered_through_stripes(tmp_path: Path) -> None:
    table = pa.table({"n": range(120_000), "x": [n / 7 for n in range(120_000)], "t": [f"{n:09}" for n in range(120_000)]})
    found = read_file(tmp_path, "orc", _file(tmp_path, table, stripe_size=65536, batch_size=1024))
    assert found.column("n") == list(range(120_000)) and found.rows[-1]["_locator"] == "row 120000"


def test_flipped_bits_are_refused_where_the_footer_tells(tmp_path: Path) -> None:
    path = _file(tmp_path, pa.table({"n": [n * n for n in range(5000)], "t": [str(n) for n in range(5000)]}))
    whole = path.read_bytes()
    right = read_file(tmp_path, "orc", path).rows
    told = {"refused": 0, "texts": 0}
    for place in range(3, len(whole), 131):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            rows = read_file(tmp_path, "orc", path).rows
        except UserError as error:
            told["refused"] += 1
            assert "\n  → " in str(error)
            continue
        assert [row["n"] for row in rows] == [row["n"] for row in right]  # a number is never wrong
        told["texts"] += rows != right  # a letter may be: nothing in the format tells
    print(told)
    assert told["refused"] > 30
    path.write_bytes(whole[:-100])
    assert "orc was expected" in refusal(tmp_path, "orc", path)


@pytest.mark.parametrize("content", [b"ORC", b"ORC,a\n1,2\n"])
def test_what_is_no_orc_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.orc").write_bytes(content)
    assert "orc was expected" in refusal(tmp_path, "orc", tmp_path / "a.orc")


def test_no_rows_are_refused(tmp_path: Path) -> None:
    empty = _file(tmp_path, pa.table({"a": pa.array([], pa.int64())}))
    assert "no data rows" in refusal(tmp_path, "orc", empty)
    assert read_file(tmp_path, "orc", empty, empty_ok=True).rows == []
