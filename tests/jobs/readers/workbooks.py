"""Small workbooks for tests: made by openpyxl, and changed where it does not go."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl

SHEET = "xl/worksheets/sheet1.xml"
Rows = Sequence[Sequence[Any]]


def made(path: Path, sheets: Mapping[str, Rows], change: Callable[[openpyxl.Workbook], Any] | None = None) -> Path:
    """Write a workbook, after `change` had its way with it."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    if change:
        change(workbook)
    workbook.save(path)
    return path


def patched(path: Path, part: str, *pairs: tuple[str, str], add: Mapping[str, str] | None = None) -> Path:
    """Replace texts in a part of a package, and add parts; the checksums are those of the new bytes."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for old, new in pairs:
        assert old.encode() in parts[part], old
        parts[part] = parts[part].replace(old.encode(), new.encode())
    parts |= {name: text.encode() for name, text in (add or {}).items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


OFFICE = "urn:oasis:names:tc:opendocument:xmlns"
CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
OPEN = (
    f'<office:document-content xmlns:office="{OFFICE}:office:1.0" xmlns:table="{OFFICE}:table:1.0" '
    f'xmlns:text="{OFFICE}:text:1.0" xmlns:calcext="{CALC}"><office:body><office:spreadsheet>'
    "{}</office:spreadsheet></office:body></office:document-content>"
)


def open_document(path: Path, tables: str, manifest: str = "") -> Path:
    """Write an OpenDocument spreadsheet of the XML of its tables."""
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    entry = f'<m:file-entry m:full-path="/" m:media-type="{kind}"/>{manifest}'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{OFFICE}:manifest:1.0">{entry}</m:manifest>')
        archive.writestr("content.xml", OPEN.format(tables))
    return path


def record(kind: int, body: bytes) -> bytes:
    """Return one record of an old workbook."""
    return struct.pack("<HH", kind, len(body)) + body


def label(row: int, column: int, text: bytes) -> bytes:
    """Return a cell with a text, in the code page of the workbook (BIFF5)."""
    return record(0x204, struct.pack("<HHHH", row, column, 0, len(text)) + text)


def number(row: int, column: int, value: float) -> bytes:
    """Return a cell with a number."""
    return record(0x203, struct.pack("<HHHd", row, column, 0, value))


def old(path: Path, sheet: bytes, cells: bytes, code_page: int = 936, before: bytes = b"") -> Path:
    """Write an .xls as Excel 5 did: one sheet of the records of its cells, texts in a code page."""
    begin = record(0x809, struct.pack("<HHHH", 0x500, 5, 0, 0)) + record(0x42, struct.pack("<H", code_page)) + before
    bound = len(begin) + 4 + 7 + len(sheet) + 4
    stream = begin + record(0x85, struct.pack("<IHB", bound, 0, len(sheet)) + sheet) + record(0x0A, b"")
    stream += record(0x809, struct.pack("<HHHH", 0x500, 0x10, 0, 0)) + cells + record(0x0A, b"")
    stream = stream.ljust(-(-max(len(stream), 4096) // 512) * 512, b"\0")
    count = len(stream) // 512
    table = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, count + 2), 0xFFFFFFFE]
    head = bytes.fromhex("d0cf11e0a1b11ae1").ljust(24, b"\0") + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6).ljust(20, b"\0")
    head += struct.pack("<8I", 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack("<I", 0)
    folder = _entry("Root Entry", 5, 0xFFFFFFFE, 0, child=1) + _entry("Book", 2, 2, len(stream)) + bytes(256)
    path.write_bytes(head.ljust(512, b"\xff") + struct.pack(f"<{len(table)}I", *table).ljust(512, b"\xff") + folder + stream)
    return path


def _entry(name: str, kind: int, begin: int, length: int, child: int = 0xFFFFFFFF) -> bytes:
    text = name.encode("utf-16-le")
    links = struct.pack("<HBBIII", len(text) + 2, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
    return (text.ljust(64, b"\0") + links).ljust(116, b"\0") + struct.pack("<III", begin, length, 0)
