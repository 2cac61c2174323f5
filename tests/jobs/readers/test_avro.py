"""Avro: every record with its number and types; a block that is not used up by its records is refused."""

from __future__ import annotations

import io
import zlib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pytest

from jobs.readers.sniff import AVRO, format_of, media_type
from schemas.errors import UserError
from tests.jobs.readers.reading import read_file, refusal


def _file(folder: Path, fields: dict[str, Any], rows: list[dict[str, Any]], **more: Any) -> Path:
    schema = {"type": "record", "name": "r", "fields": [{"name": name, "type": kind} for name, kind in fields.items()]}
    path = folder / "a.avro"
    with path.open("wb") as file:
        fastavro.writer(file, schema, rows, **more)
    return path


def test_types_become_numbers_and_text(tmp_path: Path) -> None:
    fields = {
        "n": ["null", "int"], "x": "double", "t": "string", "yes": "boolean", "raw": "bytes", "mixed": ["int", "string"],
        "d": {"type": "bytes", "logicalType": "decimal", "precision": 40, "scale": 2},
        "day": {"type": "int", "logicalType": "date"},
        "at": ["null", {"type": "long", "logicalType": "timestamp-micros"}], "list": {"type": "array", "items": "double"},
        "kind": {"type": "enum", "name": "k", "symbols": ["A", "B"]}, "odd": {"type": "long", "logicalType": "of-ours"},
    }  # fmt: skip
    row = {"n": 1, "x": 0.1, "t": "电", "yes": True, "raw": b"\x01\xff", "mixed": 5, "d": Decimal("12345678901234567890.50"),
           "day": date(2026, 1, 2), "at": datetime(2026, 1, 2, 3, tzinfo=UTC), "list": [1.5], "kind": "B", "odd": 7}  # fmt: skip
    path = _file(tmp_path, fields, [row, row | {"n": None, "at": None, "t": "", "mixed": "x"}])
    first, second = read_file(tmp_path, "avro", path).rows
    assert first == {
        "n": 1, "x": 0.1, "t": "电", "yes": "true", "raw": "01ff", "mixed": "5", "d": "12345678901234567890.50",
        "day": "2026-01-02", "at": "2026-01-02 03:00:00.000000Z", "list": "[1.5]", "kind": "B", "odd": 7, "_delivery": 7,
        "_locator": "row 1",
    }  # fmt: skip
    assert (second["n"], second["t"], second["mixed"], second["at"], second["_locator"]) == (None, None, "x", None, "row 2")
    assert media_type(path, "a") == AVRO and format_of(path) == "avro"


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz", "lz4"])
def test_rows_are_numbered_through_blocks(tmp_path: Path, codec: str) -> None:
    rows = [{"n": n} for n in range(20_000)]
    found = read_file(tmp_path, "avro", _file(tmp_path, {"n": "long"}, rows, codec=codec, sync_interval=1000))
    assert found.column("n") == list(range(20_000)) and found.rows[-1]["_locator"] == "row 20000"


def _recoded(plain: bytes, codec: bytes, pack: Any) -> bytes:
    """Return a file of one block in another codec."""
    head, sync, body = plain[:-1], plain[-16:], plain[plain.index(plain[-16:]) + 16 :]
    start = plain[: plain.index(sync) + 16].replace(b"\x08null", bytes([2 * len(codec)]) + codec)
    assert head and body[:1] == b"\x06"  # three records
    size = 1 + (body[1] > 127)
    packed = pack(body[1 + size : -16])
    length = bytes([(2 * len(packed)) & 127 | 128, (2 * len(packed)) >> 7])
    return start + body[:1] + length + packed + sync


def test_snappy_with_its_checksum_and_zstandard(tmp_path: Path) -> None:
    path = _file(tmp_path, {"t": "string"}, [{"t": "abc" * 5}, {"t": "b" * 9}, {"t": "c"}])
    plain = path.read_bytes()

    def snappy(data: bytes) -> bytes:
        return pa.Codec("snappy").compress(data, asbytes=True) + zlib.crc32(data).to_bytes(4, "big")

    for codec, pack in ((b"snappy", snappy), (b"zstandard", lambda data: pa.Codec("zstd").compress(data, asbytes=True))):
        path.write_bytes(_recoded(plain, codec, pack))
        assert read_file(tmp_path, "avro", path).column("t") == ["abc" * 5, "b" * 9, "c"]
    path.write_bytes(_recoded(plain, b"snappy", lambda data: snappy(data)[:-1] + b"\0"))
    assert "the checksum of a block is wrong" in refusal(tmp_path, "avro", path)
    path.write_bytes(_recoded(plain, b"lzo", snappy))
    assert "the codec 'lzo' is not known\n  → known: null" in refusal(tmp_path, "avro", path)


def test_what_is_cut_or_says_another_number_of_records_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, {"n": "long", "t": "string"}, [{"n": n, "t": str(n)} for n in range(60)], sync_interval=100)
    whole = path.read_bytes()
    sync = whole[-16:]
    start = whole.index(sync) + 16
    told = set()
    for cut in (1, 10, 17, 200):
        path.write_bytes(whole[:-cut])
        told.add(refusal(tmp_path, "avro", path).split(": ", 1)[1].split("\n")[0])
    assert told == {"the file is cut off"}
    for fewer in (2, 4):
        path.write_bytes(whole[:start] + bytes([whole[start] - fewer]) + whole[start + 1 :])
        assert "holds more than its" in refusal(tmp_path, "avro", path)
    path.write_bytes(whole[:start] + bytes([whole[start] + 2]) + whole[start + 1 :])
    assert "damaged or cut off" in refusal(tmp_path, "avro", path)


def test_records_of_no_bytes_are_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, {"n": "null"}, [{"n": None}])
    whole = path.read_bytes()
    start = whole.index(whole[-16:]) + 16
    path.write_bytes(whole[:start] + b"\xfe\xff\xff\xff\xff\x7f" + whole[start + 1 :])
    assert "says that 0 bytes are" in refusal(tmp_path, "avro", path)


def test_flipped_bits_never_crash(tmp_path: Path) -> None:
    path = _file(tmp_path, {"n": "long", "t": "string"}, [{"n": n, "t": str(n)} for n in range(60)], codec="deflate")
    whole = path.read_bytes()
    refused = 0
    for place in range(4, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x08]) + whole[place + 1 :])
        try:
            read_file(tmp_path, "avro", path)
        except UserError as error:
            refused += 1
            assert "\n  → " in str(error) and "the reader" not in str(error)
    assert refused > 20


def test_values_that_are_no_records_and_none_at_all(tmp_path: Path) -> None:
    file = io.BytesIO()
    fastavro.writer(file, {"type": "array", "items": "long"}, [[1]])
    (tmp_path / "b.avro").write_bytes(file.getvalue())
    assert "its values are no records" in refusal(tmp_path, "avro", tmp_path / "b.avro")
    assert "no data rows" in refusal(tmp_path, "avro", _file(tmp_path, {"n": "long"}, []))
    assert read_file(tmp_path, "avro", _file(tmp_path, {"n": "long"}, []), empty_ok=True).rows == []
