"""The exact way to read CSV: record by record with the physical line of each, malformed rows told apart."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field

from jobs.readers.text import LINE_LIMIT

FIELD_LIMIT = 1 << 20
# A quoted field may hold line breaks. After so many quotes that never close in RECORD_LINES lines, or whose record
# does not fit, quotes are taken to end on their line: a file of stray quotes is read in linear time.
RECORD_LINES = 1000
PATIENCE = 100


@dataclass(frozen=True)
class Dialect:
    """What the exact way needs to know of a file; `width` is its number of columns."""

    delimiter: str
    encoding: str
    comment: str | None
    width: int


@dataclass
class Records:
    """Records with their lines, malformed rows as (line, reason, raw), and the open record at the end as `rest`.

    `decoded` and `undecodable` count lines that are not ASCII; `sample` holds some of the latter.
    """

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    bad: list[tuple[int, str, str]] = field(default_factory=list)
    rest: bytes = b""
    decoded: int = 0
    undecodable: int = 0
    sample: bytes = b""
    stray: int = 0


@dataclass(frozen=True)
class _Block:
    raw: list[bytes]
    texts: list[str | None]
    first: int
    dialect: Dialect
    last: bool


def records(block: bytes, first: int, dialect: Dialect, *, last: bool, stray: int = 0) -> Records:
    """Read a block of whole lines that begins at physical line `first`, 1-based.

    A record whose quotes are open at the end of the block is left over as `rest`, unless the block is the last one.
    A record over several lines that does not fit is no record: only its first line is set aside and reading goes on
    with the next, so that one stray quote costs one row and not all lines up to the next quote.
    """
    csv.field_size_limit(FIELD_LIMIT)
    raw = block.removesuffix(b"\n").split(b"\n")
    found = Records(stray=stray)
    one = _Block(raw, _decode(raw, dialect.encoding, found), first, dialect, last)
    at = 0
    while at < len(raw):
        taken = _record(one, at, found)
        if not taken:
            found.rest = b"\n".join(raw[at:]) + b"\n"
            break
        at += taken
    return found


def _decode(raw: list[bytes], encoding: str, found: Records) -> list[str | None]:
    texts: list[str | None] = []
    for line in raw:
        try:
            texts.append(line.decode(encoding).removesuffix("\r"))
            found.decoded += not line.isascii()
        except UnicodeDecodeError:
            texts.append(None)
            found.undecodable += 1
            if len(line) < 1000 and len(found.sample) < 1 << 16:
                found.sample += line + b"\n"
    return texts


def _record(block: _Block, at: int, found: Records) -> int:
    """Take one record; return how many lines it had, 0 if the block ends within it."""
    text, dialect = block.texts[at], block.dialect
    if text == "" or (text and dialect.comment and text.startswith(dialect.comment)):
        return 1
    reason = _unreadable(text, block.raw[at], dialect)
    if reason or text is None:
        _reject(block, at, reason, found)
        return 1
    if '"' in text:
        return _quoted(block, at, found)
    _take(text.split(dialect.delimiter), 1, block, at, found)
    return 1


def _unreadable(text: str | None, raw: bytes, dialect: Dialect) -> str:
    if text is None:
        return f"the bytes are not {dialect.encoding}"
    if "\0" in text:
        return "NUL byte"
    return f"line longer than {LINE_LIMIT >> 20} MB" if len(raw) >= LINE_LIMIT else ""


def _quoted(block: _Block, at: int, found: Records) -> int:
    lines = RECORD_LINES if found.stray < PATIENCE else 1
    reader = csv.reader(_following(block, at, lines), delimiter=block.dialect.delimiter, strict=True)
    try:
        fields = next(reader)
    except csv.Error as error:
        open_ = "unexpected end of data" in str(error)
        if open_ and not block.last and reader.line_num == len(block.raw) - at and lines > 1:
            return 0
        found.stray += open_
        _reject(block, at, "a quote that does not close" if open_ else _said(str(error)), found)
        return 1
    return _take(fields, reader.line_num, block, at, found)


def _following(block: _Block, at: int, lines: int) -> Iterator[str]:
    """Yield the lines of a record as far as it may go, its line breaks as found."""
    size = 0
    for index in range(at, min(at + lines, len(block.raw))):
        text, raw = block.texts[index], block.raw[index]
        size += len(raw)
        if text is None or "\0" in text or size >= LINE_LIMIT:
            return
        yield text + ("\r\n" if raw.endswith(b"\r") else "\n")


def _take(fields: list[str], taken: int, block: _Block, at: int, found: Records) -> int:
    reason = _misfit(fields, block.dialect.width)
    if not reason:
        found.rows.append(fields)
        found.lines.append(block.first + at)
        return taken
    if taken > 1:
        found.stray += 1
        reason += f" when its quotes are followed to line {block.first + at + taken - 1}"
    _reject(block, at, reason, found)
    return 1


def _misfit(fields: list[str], width: int) -> str:
    if len(fields) != width:
        return f"{len(fields)} field{'s' * (len(fields) != 1)}, expected {width}"
    return _TOO_LARGE if any(len(one) > FIELD_LIMIT for one in fields) else ""


_TOO_LARGE = f"a field larger than {FIELD_LIMIT >> 20} MB"


def _said(error: str) -> str:
    return _TOO_LARGE if "field limit" in error else f"quotes: {error}"


def _reject(block: _Block, at: int, reason: str, found: Records) -> None:
    raw = block.raw[at][:16384].decode(block.dialect.encoding, "replace").replace("\0", "␀")
    found.bad.append((block.first + at, reason, raw))
