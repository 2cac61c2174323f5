"""The beginning of a CSV delivery: whether it is one at all, its encoding, its delimiter, its columns."""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from jobs.readers.csv_footer import check_footer
from jobs.readers.encodings import canonical, fitting, is_wide
from jobs.readers.sniff import refuse_other
from jobs.readers.text import GZIP
from schemas.errors import UserError

DELIMITERS = ",;\t|"
SAMPLE = 1 << 20
RESERVED = ("_delivery", "_locator")


@dataclass(frozen=True)
class Csv:
    """Options of CSV. `columns` names them where there is no header; `skip_rows` are physical lines before it.

    With `units_row` the row below the header holds units; `footer` is a number of last lines or a pattern.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    skip_rows: int = 0
    header: bool = True
    columns: list[str] | None = None
    comment: str | None = None
    units_row: bool = False
    footer: int | str | None = None
    compression: str = "auto"
    empty_ok: bool = False


@dataclass(frozen=True)
class Head:
    """The columns, and where the data begin: byte offset in the first block, and physical line, 1-based.

    `marks` are rows that are none where they come again: the header, and the units of the columns.
    """

    columns: tuple[str, ...]
    encoding: str
    offset: int
    line: int
    marks: tuple[tuple[str, ...], ...] = ()
    units: dict[str, str] = field(default_factory=dict)


def check_options(given: Csv, path: Path, where: str) -> str:
    """Return the codec of the declared encoding; raise UserError for options that can't be."""
    if len(given.delimiter) != 1 or not given.delimiter.isascii() or given.delimiter in '"\r\n':
        raise UserError("option 'delimiter': one ASCII character", where=where, remedy="write it like ';' or '|'")
    if given.compression not in ("auto", "gzip", "none"):
        raise UserError("option 'compression' is none of its values", where=where, remedy="write auto, gzip or none")
    if given.units_row and not given.header:
        raise UserError("option 'units_row': it stands below a header, and there is none", where=where,
                        remedy="count it among `skip_rows` and declare `unit_from` for its columns")  # fmt: skip
    check_footer(given.footer, where)
    with path.open("rb") as file:
        packed = file.read(2) == GZIP
    if packed != (given.compression == "gzip") and given.compression != "auto":
        raise UserError(f"the option says `compression: {given.compression}`, and the file is not so", where=where,
                        remedy="leave the option out: the bytes say it")  # fmt: skip
    return canonical(given.encoding, where)


def check_begin(block: bytes, given: Csv, where: str) -> str:
    """Return the codec of the first block; raise UserError where it is empty, of another kind or another encoding."""
    if not block.strip(b"\r\n\t \0" + codecs.BOM_UTF8):
        raise UserError("the file is empty", where=where, remedy="ask for the delivery again")
    refuse_other(block, "csv", where)
    declared = canonical(given.encoding, where)
    encoding = "utf-8" if is_wide(declared) else declared
    _check_encoding(block[:SAMPLE], encoding, where)
    return encoding


def head(block: bytes, given: Csv, where: str) -> Head:
    """Read the head of a delivery from its first block; raise UserError if it is no CSV as declared."""
    encoding = check_begin(block, given, where)
    offset = len(codecs.BOM_UTF8) if block.startswith(codecs.BOM_UTF8) else 0
    offset, line = _skip(block, offset, given, encoding)
    lines = [text.decode(encoding, "replace") for text in block[offset : offset + SAMPLE].split(b"\n")[:100]]
    fields, taken = _fields(lines, given.delimiter)
    _check_delimiter(lines, fields, given.delimiter, where)
    columns = _names(fields, given, where)
    if not given.header:
        return Head(columns, encoding, offset, line)
    marks = (tuple(fields),) if len(fields) > 1 else ()
    offset, line = _passed(block, offset, taken), line + taken
    if not given.units_row:
        return Head(columns, encoding, offset, line, marks)
    units, more = _units(block, offset, given, encoding, columns, where)
    named = {name: unit for name, unit in zip(columns, units, strict=True) if unit}
    return Head(columns, encoding, _passed(block, offset, more), line + more, (*marks, tuple(units)), named)


def _passed(block: bytes, offset: int, lines: int) -> int:
    for _ in range(lines):
        offset = block.find(b"\n", offset) + 1 or len(block)  # a quote that never closes takes all there is
    return offset


def _units(
    block: bytes, offset: int, given: Csv, encoding: str, columns: tuple[str, ...], where: str
) -> tuple[list[str], int]:  # fmt: skip
    """Return the units of the columns and how many lines they take; raise UserError where they do not fit the header."""
    lines = [text.decode(encoding, "replace") for text in block[offset : offset + SAMPLE].split(b"\n")[:100]]
    units, taken = _fields(lines, given.delimiter)
    if len(units) != len(columns):
        raise UserError(f"the row of units has {len(units)} fields, the header {len(columns)}", where=where,
                        remedy="take the option `units_row` out if there is none")  # fmt: skip
    return [unit.strip() for unit in units], taken


def _skip(block: bytes, offset: int, given: Csv, encoding: str) -> tuple[int, int]:
    """Pass over the declared rows, then over blank lines and comments."""
    comment = given.comment.encode(encoding) if given.comment else None
    line = 1
    while (end := block.find(b"\n", offset)) >= 0:
        text = block[offset:end].strip()
        if line > given.skip_rows and text and not (comment and text.startswith(comment)):
            break
        offset, line = end + 1, line + 1
    return offset, line


def _fields(lines: list[str], delimiter: str) -> tuple[list[str], int]:
    reader = csv.reader((line + "\n" for line in lines), delimiter=delimiter)
    try:
        return next(reader, []), reader.line_num
    except csv.Error:
        return lines[0].removesuffix("\r").split(delimiter), 1


def _check_encoding(sample: bytes, encoding: str, where: str) -> None:
    """Raise UserError if the sample is in another encoding; a line that is merely damaged is left to its row."""
    if (mark := fitting(sample)).startswith(("utf-16", "utf-32")):
        raise UserError(f"the file is in {mark}", where=where, remedy=f"set the option `encoding: {mark}`")
    # In these two a line feed is never part of another character: where the whole decodes, each line does.
    if encoding in ("utf-8", "gb18030") and _decodes(sample, encoding):
        return
    lines = [line for line in sample.split(b"\n")[:-1] if not line.isascii()]
    bad = [line for line in lines if not _decodes(line, encoding)]
    if bad and (2 * len(bad) > len(lines)) and (len(bad) > 2 or bad[0] in sample.split(b"\n", 1)[0]):
        raise wrong_encoding(sample, encoding, where)


def wrong_encoding(sample: bytes, encoding: str, where: str) -> UserError:
    """Return the error that says which encoding fits; a mark at the beginning may be wrong, too."""
    fits = fitting(sample.removeprefix(codecs.BOM_UTF8))
    if fits == encoding:
        return UserError(f"most lines are not {encoding}, as the others are", where=where, remedy="ask for the delivery again")
    return UserError(f"the bytes are not {encoding}; {fits} fits", where=where, remedy=f"set the option `encoding: {fits}`")


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _check_delimiter(lines: list[str], fields: list[str], declared: str, where: str) -> None:
    """Raise UserError if the declared delimiter gives one column and another one gives as many in most lines."""
    if len(fields) > 1:
        return
    full = [line for line in islice(lines, 20) if line.strip()]
    for other in DELIMITERS:
        count = full[0].count(other) if full else 0
        if other != declared and count and 2 * sum(line.count(other) == count for line in full) > len(full):
            raise UserError(f"the delimiter {declared!r} gives one column; {other!r} gives {count + 1}", where=where,
                            remedy=f"set the option `delimiter: {other!r}`")  # fmt: skip


def _names(fields: list[str], given: Csv, where: str) -> tuple[str, ...]:
    if not given.header:
        if not given.columns:
            raise UserError(
                "option 'columns': a file without a header needs the names of its columns",
                where=where,
                remedy="write columns: [first, second, …]",
            )
        return check_names(given.columns, where)
    if given.columns:
        raise UserError("option 'columns': only for files without a header", where=where,
                        remedy="to replace the header say `header: false` and skip it with `skip_rows`")  # fmt: skip
    return check_names([name or f"column_{place}" for place, name in enumerate(fields, 1)], where)


def check_names(names: list[str], where: str) -> tuple[str, ...]:
    """Return the names; raise UserError for duplicates, also those that differ in case, which no engine tells apart."""
    seen: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if name in RESERVED:
            raise UserError(f"a column is named {name!r}, which is reserved", where=where,
                            remedy="name the columns: options header: false, skip_rows, columns")  # fmt: skip
        if name.casefold() in seen:
            raise UserError(
                f"the header {name!r} of column {place} is already that of column {seen[name.casefold()]}", where=where,
                remedy="name the columns in the contract: options header: false, skip_rows, columns",
            )  # fmt: skip
        seen[name.casefold()] = place
    return tuple(names)
