"""Many small CSV files read at once: those that are proven plain are parsed together, all others each for itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice, repeat
from pathlib import Path

import numpy as np
import pyarrow as pa

from jobs.readers import Read, Request
from jobs.readers.csv import info, read_into
from jobs.readers.csv_head import Csv, check_options, head
from jobs.readers.csv_plain import Sink, lines_of, parsed, plain, write_part, write_rows
from jobs.readers.options import options
from jobs.readers.parts import Held, Rejects
from jobs.readers.text import BLOCK, blocks, opened
from schemas.errors import UserError


@dataclass(frozen=True)
class _Plain:
    """A file that is proven plain: its lines as UTF-8, how many, the first one's number, and what will be told of it."""

    request: Request
    text: bytes
    first: int
    lines: int
    delimiter: str
    read: Read


@dataclass
class _Place:
    """Where the rows of one set of columns go: those parsed already, and files still to be parsed, together."""

    folder: Path
    columns: tuple[str, ...]
    rejects: Rejects
    waiting: list[_Plain] = field(default_factory=list)
    tables: list[pa.Table] = field(default_factory=list)
    size: int = 0
    parts: int = 0


def read_together(requests: Sequence[Request], folder: Callable[[tuple[str, ...]], Path]) -> list[Read | UserError]:
    """Read small deliveries; rows of one set of columns go to the part files of one folder, which `folder` names.

    Each delivery ends as `csv.read` ends it, and a refused one leaves no row.
    """
    found: dict[int, Read | UserError] = {}
    places: dict[tuple[str, ...], _Place] = {}
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(2))

        def place(columns: tuple[str, ...]) -> _Place:
            if columns not in places:
                out = folder(columns)
                places[columns] = _Place(out, columns, stack.enter_context(Rejects(out, 0)))
            return places[columns]

        for request in requests:
            try:
                one = _plain(request)
                if one:
                    _wait(place(one.read.columns), one)
                else:
                    found[request.delivery] = _exact(request, pool, place)
            except UserError as error:
                found[request.delivery] = error
            for some in places.values():
                if some.size >= BLOCK:
                    found |= _written(some, pool)
        for some in places.values():
            found |= _written(some, pool)
    return [found[request.delivery] for request in requests]


def _plain(request: Request) -> _Plain | None:
    """Take a file of one block that is plain and no line of which repeats its header; None for any other."""
    began = time.perf_counter()
    given = options(Csv, request.options, request.name)
    encoding = check_options(given, request.path, request.name)
    with opened(request.path, encoding, request.name) as stream:
        block, *more = [*islice(blocks(stream), 2)] or [b""]
    top = head(block, given, request.name)
    text = None if more or given.footer else plain(block[top.offset :], top.encoding, given.comment)
    lines = lines_of(text, given.delimiter, len(top.columns)) if text else None
    if not text or not lines or any(given.delimiter.join(mark).encode() in text for mark in top.marks):
        return None
    read = Read(lines, 0, top.columns, info(given, top, top.line + lines, 1), time.perf_counter() - began)
    return _Plain(request, text, top.line, lines, given.delimiter, read)


def _wait(place: _Place, one: _Plain) -> None:
    place.waiting.append(one)
    place.size += len(one.text)


def _exact(request: Request, pool: ThreadPoolExecutor, place: Callable[[tuple[str, ...]], _Place]) -> Read:
    """Read a file for itself; raise UserError, nothing kept, if it can't be read."""
    held, tables = Held(request.delivery), list[pa.Table]()
    read = read_into(request, held, pool, repeat(tables.append))
    there = place(read.columns)
    there.rejects.take(held)
    there.tables += tables
    there.size += request.path.stat().st_size
    return read


def _written(place: _Place, pool: ThreadPoolExecutor) -> dict[int, Read | UserError]:
    """Parse what waits and write all rows as one part; where files are not what was proven, each is read for itself."""
    waiting, place.waiting = place.waiting, []
    found: dict[int, Read | UserError] = {}
    for delimiter in sorted({one.delimiter for one in waiting}):
        some = [one for one in waiting if one.delimiter == delimiter]
        if _together(some, place.columns, delimiter, place.tables.append):
            found |= {one.request.delivery: one.read for one in some}
            continue
        for one in some:
            try:
                found[one.request.delivery] = _exact(one.request, pool, lambda columns: place)
            except UserError as error:
                found[one.request.delivery] = error
    if place.tables:
        write_part(place.folder / f"part-{place.parts:05}.parquet", pa.concat_tables(place.tables))
        place.parts += 1
    place.tables, place.size = [], 0
    return found


def _together(some: Sequence[_Plain], columns: tuple[str, ...], delimiter: str, sink: Sink) -> bool:
    """Parse plain files as one text, for each ends in a line feed; tell whether the parser finds them so."""
    lines = np.array([one.lines for one in some])
    table = parsed(b"".join(one.text for one in some), int(lines.sum()), columns, delimiter)
    if table is None:
        return False
    starts = np.array([one.first for one in some]) - (lines.cumsum() - lines)
    numbers = np.arange(lines.sum()) + np.repeat(starts, lines)
    deliveries = np.repeat(np.array([one.request.delivery for one in some]), lines)
    write_rows(table, numbers, deliveries, sink)
    return True
