"""Text of fixed width: columns by their positions in each line, in characters or bytes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs.readers import Read, Request
from jobs.readers.encodings import canonical, fitting, is_wide
from jobs.readers.fixed_layout import layout
from jobs.readers.options import options
from jobs.readers.parts import Rejects, check_names, with_locators, write_parts
from jobs.readers.text import blocks, opened
from schemas.errors import UserError

SAMPLE = 1 << 20
SHOWN = 5
BATCH = 50_000
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Fixed:
    """Options of text of fixed width.

    `columns` are names with their first and last position, counted from 1: `{date: [1, 6], kwh: [8, 15]}`; in characters,
    or in bytes where `bytes` says so, as files of GBK are often laid out. `skip_rows` are lines before the data.
    """

    columns: dict[str, Any] = field(default_factory=dict)
    bytes: bool = False
    encoding: str = "utf-8"
    skip_rows: int = 0
    comment: str | None = None
    empty_ok: bool = False


@dataclass
class _Lines:
    """The rows of a text and what is set aside, with the number of the line in work."""

    given: Fixed
    codec: str
    places: list[tuple[int, int]]
    gaps: list[tuple[int, int]]
    rejects: Rejects
    number: int = 0
    undecodable: int = 0
    sample: bytes = b""


def read(request: Request) -> Read:
    """Read the lines; `_locator` is `line 12`. A line that says something outside of all columns is set aside."""
    began = time.perf_counter()
    given = options(Fixed, request.options, request.name)
    places = _places(given, request.name)
    codec = canonical(given.encoding, request.name)
    if given.bytes and is_wide(codec):
        raise UserError("option 'bytes': a text of two bytes a sign is laid out in characters", where=request.name,
                        remedy="leave out `bytes`, and count characters")  # fmt: skip
    names = check_names(list(given.columns), request.name)
    schema = with_locators([pa.field(name, pa.string()) for name in names], pa.string())
    with Rejects(request.out, request.delivery) as rejects, opened(request.path, codec, request.name) as stream:
        lines = _Lines(given, "utf-8" if is_wide(codec) else codec, places, _gaps(places), rejects)
        rows = write_parts(request.out, _batches(_rows(lines, blocks(stream), request.path), schema, request.delivery))
    if lines.undecodable > max(2, rows):
        raise UserError(f"the bytes are not {given.encoding}; {fitting(lines.sample)} fits", where=request.name,
                        remedy=f"set the option `encoding: {fitting(lines.sample)}`")  # fmt: skip
    if not rows and rejects.count:
        raise UserError(f"none of the {rejects.count} lines can be read; {rejects.first}", where=request.name,
                        remedy="check the options `columns`, `skip_rows` and `bytes`")  # fmt: skip
    if not rows and not given.empty_ok:
        raise UserError("no data rows", where=request.name, remedy="set the option `empty_ok: true` to allow it")
    return Read(rows, rejects.count, tuple(names), {"lines": lines.number}, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say how the first lines look; without `columns`, propose those that blanks show."""
    chosen = options(Fixed, given, path.name)
    codec = canonical(chosen.encoding, path.name)
    with opened(path, codec, path.name) as stream:
        sample = next(blocks(stream, SAMPLE), b"").removeprefix(BOM)
    try:
        text = sample.decode("utf-8" if is_wide(codec) else codec)
    except UnicodeDecodeError:
        raise UserError(f"the bytes are not {chosen.encoding}; {fitting(sample)} fits", where=path.name,
                        remedy=f"set the option `encoding: {fitting(sample)}`") from None  # fmt: skip
    if not chosen.columns:
        found = layout(text)
        if not found:
            raise UserError("no columns of blanks go through its lines", where=path.name,
                            remedy="say where the columns are: `columns: {date: [1, 6], kwh: [8, 15]}`")  # fmt: skip
        return {"options": found | dict(given)}
    lines = [line for line in text.splitlines()[chosen.skip_rows :]
             if line.strip() and not (chosen.comment and line.startswith(chosen.comment))]  # fmt: skip
    places = _places(chosen, path.name)
    rows = [[line[first:last].strip() or None for first, last in places] for line in lines[:SHOWN]]
    return {"columns": list(chosen.columns), "first_lines": lines[:SHOWN], "first_rows": rows}


def _places(given: Fixed, where: str) -> list[tuple[int, int]]:
    """Return the columns as slices; raise UserError for positions that can't be."""
    if not given.columns:
        raise UserError("the option 'columns' is missing", where=where,
                        remedy="say where they are: `columns: {date: [1, 6], kwh: [8, 15]}`; `probe` proposes them")  # fmt: skip
    found = []
    for name, at in given.columns.items():
        if not isinstance(at, list) or len(at) != 2 or any(type(one) is not int for one in at) or not 1 <= at[0] <= at[1]:
            raise UserError(f"option 'columns': {name}: {at!r} is not its first and last position", where=where,
                            remedy="count from 1, e.g. [1, 6]")  # fmt: skip
        found.append((at[0] - 1, at[1]))
    ordered = sorted(zip(found, given.columns, strict=True))
    for ((_, end), one), ((start, _), other) in pairwise(ordered):
        if start < end:
            raise UserError(f"option 'columns': {one} and {other} overlap", where=where, remedy="check their positions")
    return found


def _gaps(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what lies between the columns; nothing that is there may be lost."""
    ordered = sorted(places)
    starts = [0, *(end for _, end in ordered)]
    return [(start, end) for start, end in zip(starts, [first for first, _ in ordered], strict=False) if start < end]


def _rows(lines: _Lines, every: Iterator[bytes], path: Path) -> Iterator[tuple[str, list[str | None]]]:
    whole = _ends_with_line(path)
    before: bytes | None = None
    for block in every:
        for raw in block.removeprefix(BOM if lines.number == 0 else b"").removesuffix(b"\n").split(b"\n"):
            if before is not None:
                yield from _row(lines, before, last=False)
            before = raw
    if before is not None:
        yield from _row(lines, before, last=not whole)


def _ends_with_line(path: Path) -> bool:
    """Tell whether a file ends with the end of a line; a packed one, or one of two bytes a sign, is taken to."""
    with path.open("rb") as file:
        packed = file.read(2) in (b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff")
        file.seek(max(0, path.stat().st_size - 1))
        return packed or file.read(1) == b"\n"


def _row(lines: _Lines, raw: bytes, *, last: bool) -> Iterator[tuple[str, list[str | None]]]:
    lines.number += 1
    raw = raw.removesuffix(b"\r")
    text, fields = raw.decode(lines.codec, "replace"), []
    comment = lines.given.comment
    if lines.number <= lines.given.skip_rows or not text.strip() or (comment and text.startswith(comment)):
        return
    try:
        raw.decode(lines.codec)
        line: str | bytes = raw if lines.given.bytes else text
        reason = _reason(lines, line, last=last)
        fields = [] if reason else [_field(line[first:end], lines.codec) for first, end in lines.places]
    except UnicodeDecodeError as error:
        cut = error.object != raw
        lines.undecodable += not cut
        lines.sample = lines.sample or raw
        reason = "the edge of a column goes through a sign" if cut else f"the bytes are not {lines.given.encoding}"
    if reason:
        lines.rejects.add(f"line {lines.number}", reason, text)
    else:
        yield f"line {lines.number}", fields


def _field(part: str | bytes, codec: str) -> str | None:
    return (part if isinstance(part, str) else part.decode(codec)).strip() or None


def _reason(lines: _Lines, line: str | bytes, *, last: bool) -> str:
    """Say why a line can't be read, nothing if it can."""
    tab, zero, blank = (b"\t", b"\0", b"") if isinstance(line, bytes) else ("\t", "\0", "")
    if tab in line:  # type: ignore[operator]
        return "a tab, which has no width"
    if zero in line:  # type: ignore[operator]
        return "bytes of zero"
    ends = max(end for _, end in lines.places)
    for first, end in (*lines.gaps, (ends, len(line))):
        if line[first:end].strip() != blank:
            return f"something stands outside of the columns, at {first + 1} to {end}"
    if last and len(line) < ends:
        return "the last line is cut off"
    return ""


def _batches(rows: Iterator[tuple[str, list[str | None]]], schema: pa.Schema, delivery: int) -> Iterator[pa.Table]:
    places: list[str] = []
    columns: list[list[str | None]] = [[] for _ in schema.names[:-2]]
    for place, fields in rows:
        places.append(place)
        for column, value in zip(columns, fields, strict=True):
            column.append(value)
        if len(places) == BATCH:
            yield _table(columns, places, schema, delivery)
            places, columns = [], [[] for _ in schema.names[:-2]]
    if places:
        yield _table(columns, places, schema, delivery)


def _table(columns: list[list[str | None]], places: list[str], schema: pa.Schema, delivery: int) -> pa.Table:
    data = [*(pa.array(column, pa.string()) for column in columns), pa.array([delivery] * len(places), pa.int64()), places]
    return pa.table(dict(zip(schema.names, data, strict=True)), schema=schema)
