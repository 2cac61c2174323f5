"""What the records of an old workbook (.xls) tell beside its values: errors, and rows and columns that are hidden."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jobs.readers.excel_sheet import Place, Sheet
from schemas.errors import UserError

# [MS-XLS] 2.3.2 and 2.5.10: kinds of records, and codes of errors.
BOUND_SHEET, EOF, FORMULA, BOOL_ERROR, ROW, COLUMNS, BOF = 0x85, 0x0A, 0x06, 0x205, 0x208, 0x7D, (0x809, 0x409, 0x209, 0x09)
ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}
CODE_PAGE, LABEL, RICH, STRING, FILE_PASS = 0x42, 0x204, 0xD6, 0x207, 0x2F
PAGES = {367: "ascii", 936: "gb18030", 1200: "utf-16-le", 10000: "mac_roman", 32768: "mac_roman", 32769: "cp1252"}
FREE = 0xFFFFFFFC  # [MS-CFB] 2.1: larger numbers of sectors are marks
MOST = 512 << 20


@dataclass(frozen=True)
class Old:
    """A sheet of an old workbook: its name where the file is older than Unicode, and what its records tell."""

    name: str | None
    sheet: Sheet


def structures(path: Path, where: str) -> list[Old]:
    """Return what the records of each sheet tell, in their order; raise UserError where the file is damaged.

    Before Excel 97 texts were bytes in the code page of the workbook ([MS-XLS] 2.4.52).
    """
    try:
        stream = _workbook(path.read_bytes()) if path.stat().st_size <= MOST else None
        if stream is None:
            raise ValueError("there is no workbook in it, or it is too large")
        globals_ = list(_records(stream, 0))
        if any(kind == FILE_PASS for kind, _ in globals_):
            raise UserError("the workbook is under a password", where=where, remedy="ask for one without")
        codec = _codec(globals_)
        sheets = [body for kind, body in globals_ if kind == BOUND_SHEET]
        names = [body[7 : 7 + body[6]].decode(codec) if codec else None for body in sheets]
        return [
            Old(name, _sheet(stream, struct.unpack_from("<I", body)[0], codec)) for name, body in zip(names, sheets, strict=True)
        ]
    except LookupError as error:
        raise UserError(f"the texts of the workbook are in a code page that is not known: {error}", where=where,
                        remedy="save it as xlsx in a spreadsheet program") from None  # fmt: skip
    except (struct.error, ValueError) as error:
        raise UserError(
            f"the workbook is damaged: {error}", where=where, remedy="ask for it again, as xlsx if possible"
        ) from None


def _codec(globals_: list[tuple[int, bytes]]) -> str:
    """Return the codec of texts before Excel 97, nothing where they are Unicode."""
    version = next((struct.unpack_from("<H", body)[0] for kind, body in globals_ if kind == 0x809), 0)
    if version >= 0x600:
        return ""
    page = next((struct.unpack_from("<H", body)[0] for kind, body in globals_ if kind == CODE_PAGE), 1252)
    return codecs.lookup(PAGES.get(page, f"cp{page}")).name


def _workbook(data: bytes) -> bytes | None:
    """Return the stream of the workbook, by way of the tables of sectors ([MS-CFB] 2.3 to 2.6)."""
    size, small_size = 1 << struct.unpack_from("<H", data, 30)[0], 1 << struct.unpack_from("<H", data, 32)[0]
    first_directory, _, cutoff, first_small, _, first_more, _ = struct.unpack_from("<7I", data, 48)
    listed = [sector for sector in struct.unpack_from("<109I", data, 76) if sector < FREE]
    while first_more < FREE and len(listed) * size <= len(data):
        *more, first_more = struct.unpack_from(f"<{size // 4}I", data, (first_more + 1) * size)
        listed += [sector for sector in more if sector < FREE]
    table = [one for sector in listed for one in struct.unpack_from(f"<{size // 4}I", data, (sector + 1) * size)]
    directory = _chain(data, table, first_directory, size, size)
    found: dict[str, tuple[int, int]] = {}
    for at in range(0, len(directory), 128):
        length = struct.unpack_from("<H", directory, at + 64)[0]
        name = directory[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
        found.setdefault(name, struct.unpack_from("<II", directory, at + 116))
    begin, length = found.get("Workbook") or found.get("Book") or (FREE, 0)
    if begin >= FREE:
        return None
    if length >= cutoff:
        return _chain(data, table, begin, size, size)[:length]
    small = _chain(data, table, first_small, size, size)
    numbers = list(struct.unpack(f"<{len(small) // 4}I", small))
    return _chain(_chain(data, table, found["Root Entry"][0], size, size), numbers, begin, small_size, 0)[:length]


def _chain(data: bytes, table: list[int], sector: int, size: int, offset: int) -> bytes:
    parts, seen = [], 0
    while sector < FREE:
        parts.append(data[offset + sector * size : offset + (sector + 1) * size])
        sector, seen = table[sector], seen + 1
        if seen > len(table):
            raise ValueError("its sectors go round in a circle")
    return b"".join(parts)


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield the records of one part of the stream, to its end; parts of charts lie within one another."""
    depth = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        depth += (kind in BOF) - (kind == EOF)
        yield kind, stream[at + 4 : at + 4 + length]
        if kind == EOF and depth <= 0:
            return
        at += 4 + length


def _sheet(stream: bytes, begin: int, codec: str) -> Sheet:
    errors, texts = dict[Place, str](), dict[Place, str]()
    computed: Place = (0, 0)
    rows, columns, depth = set[int](), set[int](), 0
    for kind, body in _records(stream, begin):
        depth += (kind in BOF) - (kind == EOF)
        if depth > 1:
            continue
        if kind == ROW and struct.unpack_from("<H", body, 12)[0] & 0x20:
            rows.add(struct.unpack_from("<H", body)[0])
        elif kind == COLUMNS and struct.unpack_from("<H", body, 8)[0] & 1:
            first, last = struct.unpack_from("<HH", body)
            columns |= set(range(first, min(last, 255) + 1))
        elif kind == BOOL_ERROR and body[7]:
            errors[struct.unpack_from("<HH", body)] = ERRORS.get(body[6], "error")
        elif kind == FORMULA:
            computed = struct.unpack_from("<HH", body)
            if body[12:14] == b"\xff\xff" and body[6] == 2:
                errors[computed] = ERRORS.get(body[8], "error")
        elif codec and kind in (LABEL, RICH):
            texts[struct.unpack_from("<HH", body)] = body[8 : 8 + struct.unpack_from("<H", body, 6)[0]].decode(codec)
        elif codec and kind == STRING:
            texts[computed] = body[2 : 2 + struct.unpack_from("<H", body)[0]].decode(codec)
    return Sheet(errors, texts=texts, hidden_rows=frozenset(rows), hidden_columns=frozenset(columns))
