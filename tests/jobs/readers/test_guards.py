"""The grade of integrity of a delivery says the truth: where it is `checked`, no flipped bit of a value goes unseen."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
import zlib
from pathlib import Path

import fastavro
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from jobs.readers import guards
from schemas.errors import UserError
from tests.jobs.readers.reading import read_file
from tests.jobs.readers.test_avro import _recoded

ROWS = [f"m{number},{number}" for number in range(300)]
CSV = "meter,kwh\n" + "\n".join(ROWS) + "\n"
TABLE = pa.table({"meter": [row.split(",")[0] for row in ROWS], "kwh": [float(row.split(",")[1]) for row in ROWS]})


def _avro(path: Path, codec: str) -> Path:
    fields = [{"name": "meter", "type": "string"}, {"name": "kwh", "type": "double"}]
    own, rows = ("null", TABLE.to_pylist()[:3]) if codec == "snappy" else (codec, TABLE.to_pylist())
    with path.open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "r", "fields": fields}, rows, codec=own)
    if codec == "snappy":  # the library wants a package of its own for it
        path.write_bytes(_recoded(path.read_bytes(), b"snappy", _snappy))
    return path


def _snappy(data: bytes) -> bytes:
    return pa.Codec("snappy").compress(data, asbytes=True) + zlib.crc32(data).to_bytes(4, "big")


def _archive(path: Path, name: str, content: bytes) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as file:
            (member := tarfile.TarInfo(name)).size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def _made(folder: Path, name: str) -> tuple[str, Path]:
    """Return the format and the file of a case."""
    path = folder / name
    if name == "plain.csv":
        path.write_text(CSV)
    elif name == "packed.csv.gz":
        path.write_bytes(gzip.compress(CSV.encode()))
    elif name.startswith("sums"):
        pq.write_table(TABLE, path, write_page_checksum=True, use_dictionary=["meter"], data_page_size=500)
    elif name == "bare.parquet":
        pq.write_table(TABLE, path)
    elif name == "a.orc":
        orc.write_table(TABLE, path)
    elif path.suffix == ".avro":
        _avro(path, path.stem)
    elif path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in [("meter", "kwh"), *(tuple(row.values()) for row in TABLE.to_pylist())]:
            book.active.append(row)
        book.save(path)
    else:
        member = "a.csv.gz" if "inner" in name else "a.csv"
        _archive(path, member, gzip.compress(CSV.encode()) if "inner" in name else CSV.encode())
    formats = {".parquet": "parquet", ".orc": "orc", ".avro": "avro", ".xlsx": "excel"}
    return formats.get(path.suffix, "csv"), path


@pytest.mark.parametrize(("name", "grade"), [
    ("plain.csv", "unchecked"), ("packed.csv.gz", "checked"), ("sums.parquet", "checked"), ("bare.parquet", "unchecked"),
    ("a.orc", "unchecked"), ("null.avro", "unchecked"), ("deflate.avro", "unchecked"), ("snappy.avro", "checked"),
    ("a.xlsx", "checked"), ("a.zip", "checked"), ("a.tar", "unchecked"), ("a.tar.gz", "checked"), ("inner.tar", "checked"),
])  # fmt: skip
def test_each_format_has_the_grade_that_its_bytes_deserve(tmp_path: Path, name: str, grade: str) -> None:
    format, path = _made(tmp_path, name)
    options = {"members": "*"} if path.name in ("a.zip", "a.tar", "a.tar.gz", "inner.tar") else {}
    found = read_file(tmp_path, format, path, **options)
    assert (found.read.rows, found.read.info["integrity"]) == (3 if name == "snappy.avro" else 300, grade)


@pytest.mark.parametrize("name", ["packed.csv.gz", "sums.parquet", "snappy.avro", "a.xlsx"])
def test_of_what_is_checked_a_flipped_bit_in_the_middle_is_refused(tmp_path: Path, name: str) -> None:
    format, path = _made(tmp_path, name)
    content = bytearray(path.read_bytes())
    at = len(content) // 2
    if format == "excel":  # in the part of the sheet, for parts that nothing is read from may be damaged
        with zipfile.ZipFile(path) as book:
            one = book.getinfo("xl/worksheets/sheet1.xml")
        at = one.header_offset + 30 + len(one.filename) + one.compress_size // 2
    content[at] ^= 4
    path.write_bytes(content)
    with pytest.raises(UserError):
        read_file(tmp_path, format, path)


def test_pages_of_which_one_lacks_its_sum_are_unchecked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, path = _made(tmp_path, "sums.parquet")
    seen = []
    whole = guards._struct

    def last_without(data: object, at: int) -> tuple[dict[int, int], int]:
        header, end = whole(data, at)  # type: ignore[arg-type]
        seen.append(at)
        return ({key: value for key, value in header.items() if key != guards.CRC} if len(seen) == pages else header), end

    pages = 0
    monkeypatch.setattr(guards, "_struct", last_without)
    assert guards.grade("parquet", path, {}) == "checked"
    pages = len(seen)
    assert pages > 4
    seen.clear()
    assert guards.grade("parquet", path, {}) == "unchecked"
