"""Parquet: every row with its number, numbers as numbers, all else as text; a damaged file is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.readers.sniff import PARQUET, media_type
from tests.jobs.readers.reading import read_file, refusal


def _file(folder: Path, table: pa.Table, **more: object) -> Path:
    path = folder / "a.parquet"
    pq.write_table(table, path, write_page_checksum=True, **more)
    return path


def test_types_become_numbers_and_text(tmp_path: Path) -> None:
    table = pa.table({
        "n": pa.array([1, None], pa.int16()), "x": pa.array([0.1, None], pa.float64()), "t": ["", "电"],
        "big": pa.array([2**64 - 1, 0], pa.uint64()), "d": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
        "day": [date(2026, 1, 2), None], "at": pa.array([datetime(2026, 1, 2, 3, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
        "yes": [True, None], "list": [[1, 2], None], "raw": [b"\x01\xff", None],
        "kind": pa.array(["a", "b"]).dictionary_encode(),
    })  # fmt: skip
    found = read_file(tmp_path, "parquet", _file(tmp_path, table))
    first, second = found.rows
    assert first == {
        "n": 1, "x": 0.1, "t": None, "big": "18446744073709551615", "d": "1.50", "day": "2026-01-02",
        "at": "2026-01-02 03:00:00.000000Z", "yes": "true", "list": "[1, 2]", "raw": "01ff", "kind": "a", "_delivery": 7,
        "_locator": "row 1",
    }  # fmt: skip
    assert second["t"] == "电" and second["_locator"] == "row 2" and second["n"] is None and second["list"] is None


def test_an_instant_is_told_in_utc_whatever_the_zone_that_it_is_shown_in(tmp_path: Path) -> None:
    at = [datetime(2026, 1, 2, 3, tzinfo=UTC), None]
    table = pa.table({zone: pa.array(at, pa.timestamp("ms", zone)) for zone in ("UTC", "Asia/Shanghai", "+05:30")})
    first, second = read_file(tmp_path, "parquet", _file(tmp_path, table)).rows
    assert {first[name] for name in table.column_names} == {"2026-01-02 03:00:00.000Z"}
    assert {second[name] for name in table.column_names} == {None}


def test_rows_are_numbered_through_batches_and_row_groups(tmp_path: Path) -> None:
    found = read_file(tmp_path, "parquet", _file(tmp_path, pa.table({"n": range(120_000)}), row_group_size=7_000))
    assert found.column("n") == list(range(120_000)) and found.rows[-1]["_locator"] == "row 120000"


def test_a_damaged_or_cut_file_is_refused_and_never_read_wrong(tmp_path: Path) -> None:
    path = _file(tmp_path, pa.table({"n": range(5000), "t": [str(n) for n in range(5000)]}), compression="none")
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert "check the `format`" in refusal(tmp_path, "parquet", path)
    refused = 0
    for place in range(4, len(whole) - 2000, 997):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        assert "\n  → " in refusal(tmp_path, "parquet", path)
        refused += 1
    print(f"{refused} flipped bits in pages, each refused")
    assert refused > 20


def test_two_columns_of_one_name_and_no_rows_are_refused(tmp_path: Path) -> None:
    twice = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert "the columns 'a' and 'a' are one" in refusal(tmp_path, "parquet", _file(tmp_path, twice))
    empty = _file(tmp_path, pa.table({"a": pa.array([], pa.int64())}))
    assert "no data rows" in refusal(tmp_path, "parquet", empty)
    assert read_file(tmp_path, "parquet", empty, empty_ok=True).rows == []


@pytest.mark.parametrize("content", [b"PAR1", b"a,b\n1,2\n"])
def test_what_is_no_parquet_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    assert "parquet was expected" in refusal(tmp_path, "parquet", tmp_path / "a.parquet")
    assert media_type(_file(tmp_path, pa.table({"a": [1]})), "a") == PARQUET
