"""Whether checksums guard the values of a delivery, which reading it compared: the grade `checked`, else `unchecked`."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

CHECKED, UNCHECKED = "checked", "unchecked"
# Each member of a gzip (RFC 1952) and of a zip carries the CRC-32 of its bytes; so do xlsx, xlsb, ods and docx, which are
# zips. A tar sums up its headers alone (POSIX.1-1988).
SUMMED = (b"\x1f\x8b", b"PK\x03\x04")
SNAPPY = "snappy"  # the one codec of Avro with a CRC-32 in each block
# Thrift's compact protocol, in which the pages of Parquet have their headers.
STOP, TRUE, FALSE, BYTE, VARINTS, DOUBLE, BINARY, LISTS, MAP, STRUCT = 0, 1, 2, 3, (4, 5, 6), 7, 8, (9, 10), 11, 12
SIZE, CRC = 3, 4  # fields of a page's header


def grade(format: str, path: Path, info: Mapping[str, Any]) -> str:
    """Return the grade of a delivery that was read whole."""
    with path.open("rb") as file:
        if file.read(4).startswith(SUMMED):
            return CHECKED
    if format == "avro":
        return CHECKED if info.get("codec") == SNAPPY else UNCHECKED
    if format in ("parquet", "messages"):
        return CHECKED if _every_page(path) else UNCHECKED
    return of_arrays(info.get("variables", ()))


def of_members(path: Path, grades: Iterable[str]) -> str:
    """Return the grade of an archive: its own sums guard all members, or each has sums of its own."""
    with path.open("rb") as file:
        own = file.read(4).startswith(SUMMED)
    return CHECKED if own or set(grades) == {CHECKED} else UNCHECKED


def of_arrays(variables: Iterable[Mapping[str, Any]]) -> str:
    """Return the grade of a file of arrays: that of those its table takes values from."""
    used = {row["integrity"] for row in variables if row["used"] and row["integrity"]}
    return CHECKED if used == {CHECKED} else UNCHECKED


def _every_page(path: Path) -> bool:
    """Tell whether every page of a Parquet file carries a checksum, which is a choice of who wrote it."""
    found = pq.read_metadata(path)
    columns = (
        found.row_group(group).column(number) for group in range(found.num_row_groups) for number in range(found.num_columns)
    )
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return found.num_row_groups > 0 and all(_every_page_of(data, column) for column in columns)
        except (IndexError, KeyError, ValueError, RecursionError):  # no header as the format has it
            return False


def _every_page_of(data: mmap.mmap, column: pq.ColumnChunkMetaData) -> bool:
    at = min(column.dictionary_page_offset or column.data_page_offset, column.data_page_offset)
    end = at + column.total_compressed_size
    while at < end:
        header, at = _struct(data, at)
        if CRC not in header or header[SIZE] < 0:
            return False
        at += header[SIZE]
    return True


def _struct(data: mmap.mmap, at: int) -> tuple[dict[int, int], int]:
    """Return the whole numbers of a struct by the numbers of their fields, and where it ends."""
    found: dict[int, int] = {}
    field = 0
    while (head := data[at]) != STOP:
        at, kind, step = at + 1, head & 15, head >> 4
        if step:
            field += step
        else:
            raw, at = _varint(data, at)
            field = raw >> 1 ^ -(raw & 1)
        if kind in VARINTS:
            raw, at = _varint(data, at)
            found[field] = raw >> 1 ^ -(raw & 1)
        else:
            at = _past(data, at, kind)
    return found, at + 1


def _past(data: mmap.mmap, at: int, kind: int) -> int:
    """Return where a value that is of no interest ends."""
    if kind in (TRUE, FALSE):
        return at
    if kind == BINARY:
        length, at = _varint(data, at)
        return at + length
    if kind == STRUCT:
        return _struct(data, at)[1]
    raise ValueError(f"a page of Parquet has no field of type {kind}")


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte = data[at]
        found |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return found, at
