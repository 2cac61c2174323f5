"""CSV: blocks that are proven plain go through Polars, all others record by record, with one result."""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from jobs.readers import Read, Request
from jobs.readers.csv_around import Repeated, bare
from jobs.readers.csv_footer import FOOTER_LINES, Footer, without_footer
from jobs.readers.csv_head import SAMPLE, Csv, Head, check_begin, check_options, head, wrong_encoding
from jobs.readers.csv_plain import Sink, bytewise, lines_of, plain, write_part, write_plain, write_rows
from jobs.readers.csv_records import Dialect, Records, records
from jobs.readers.encodings import fitting_instead
from jobs.readers.memory import give_back
from jobs.readers.options import options
from jobs.readers.parts import Held, Rejects
from jobs.readers.text import blocks, opened
from schemas.errors import UserError

END = 1 << 16


@dataclass
class _State:
    """What one reading carries from block to block."""

    request: Request
    columns: tuple[str, ...]
    dialect: Dialect
    rejects: Rejects | Held
    line: int
    pool: ThreadPoolExecutor
    sinks: Iterator[Sink]
    marks: tuple[tuple[str, ...], ...] = ()
    rows: int = 0
    parts: int = 0
    decoded: int = 0
    undecodable: int = 0
    sample: bytes = b""
    stray: int = 0
    repeated: Repeated = field(default_factory=Repeated)
    footer: Footer = field(default_factory=Footer)
    pending: deque[tuple[Future[list[int] | None], bytes, int, int]] = field(default_factory=deque)

    def part(self) -> Sink:
        """Return what takes the next part."""
        self.parts += 1
        return next(self.sinks)


def read(request: Request) -> Read:
    """Read a CSV delivery; `_locator` is the physical line, 1-based. Raise UserError with the reason if it is none."""
    parts = (partial(write_part, request.out / f"part-{number:05}.parquet") for number in count())
    with Rejects(request.out, request.delivery) as rejects, ThreadPoolExecutor(2) as pool:
        found = read_into(request, rejects, pool, parts)
    if found.info["parts"] > 1:
        give_back()
    return found


def read_into(request: Request, rejects: Rejects | Held, pool: ThreadPoolExecutor, sinks: Iterator[Sink]) -> Read:
    """Read a delivery, each part of it to the next sink. Raise UserError as `read` does."""
    began = time.perf_counter()
    given = options(Csv, request.options, request.name)
    encoding = check_options(given, request.path, request.name)
    with opened(request.path, encoding, request.name) as stream:
        every = blocks(stream)
        first = next(every, b"")
        top = head(first, given, request.name)
        dialect = Dialect(given.delimiter, top.encoding, given.comment, len(top.columns))
        state = _State(request, top.columns, dialect, rejects, top.line, pool, sinks, top.marks)
        _read_blocks(_body(chain([first[top.offset :]], every), given, state), state)
    _check_encoding(state, at_end=True)
    _check_rows(state, given)
    told = info(given, top, state.line, state.parts, state.repeated, state.footer)
    return Read(state.rows, rejects.count, top.columns, told, time.perf_counter() - began)


def probe(path: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Say what is inside: encoding, delimiter, columns, first rows as found, what stands around them.

    Where the file wants options that are not given, these are said, as `options`, and nothing else.
    """
    from jobs.readers.csv_look import look  # units are looked up by a library that takes a while to begin

    chosen = options(Csv, given, path.name)
    encoding = check_options(chosen, path, path.name)
    with opened(path, encoding, path.name) as stream:
        block = next(blocks(stream, SAMPLE), b"")
        codec = check_begin(block, chosen, path.name)
        end = block if len(block) < SAMPLE else _end(stream, path)
    if "encoding" not in given and (fits := fitting_instead(block[:SAMPLE], codec)):
        return {"options": {"encoding": fits}}
    begin = block[:SAMPLE].decode(codec, "replace").removeprefix("\ufeff")
    lacking = look(begin, end.decode(codec, "replace").splitlines()[-FOOTER_LINES:], chosen)
    if wanted := {name: value for name, value in lacking.items() if name not in given}:
        return {"options": wanted}
    top = head(block, chosen, path.name)
    dialect = Dialect(chosen.delimiter, top.encoding, chosen.comment, len(top.columns))
    rows = records(block[top.offset :], top.line, dialect, last=True).rows
    again = sum((bare(row[0]), *row[1:]) in top.marks for row in rows)
    told = {"encoding": encoding, "delimiter": chosen.delimiter, "columns": list(top.columns), "first_rows": rows[:5]}
    return told | ({"units": top.units} if top.units else {}) | ({"repeated_headers": again} if again else {})


def _end(stream: BinaryIO, path: Path) -> bytes:
    """Return the last bytes of a file, by a jump to them where it is neither packed nor recoded."""
    if isinstance(raw := getattr(stream, "raw", None), io.FileIO):
        stream.seek(max(raw.tell(), path.stat().st_size - END))
    end = b""
    while chunk := stream.read(1 << 20):
        end = (end + chunk)[-END:]
    return end.partition(b"\n")[2]


def info(given: Csv, top: Head, line: int, parts: int, repeated: Repeated | None = None, footer: Footer | None = None) -> Any:
    """Say what a file was found to be; `line` is the number of the first line after its rows."""
    footer = footer or Footer()
    lines = line - 1 + footer.lines
    found = {"encoding": top.encoding, "delimiter": given.delimiter, "lines": lines, "parts": parts}
    return found | _around(top, repeated or Repeated(), footer, line)


def _around(top: Head, repeated: Repeated, footer: Footer, line: int) -> dict[str, Any]:
    """Name what is in the file and no row of it."""
    told: dict[str, Any] = {"units": top.units} if top.units else {}
    if repeated.count:
        told["repeated_headers"] = {"count": repeated.count, "lines": repeated.lines}
    if footer.lines:
        told["footer"] = {"lines": footer.lines, "first": line, "text": footer.text}
    return told


def _body(every: Iterator[bytes], given: Csv, state: _State) -> Iterator[bytes]:
    if not given.footer:
        return every
    return without_footer(every, given.footer, state.dialect.encoding, given.delimiter, len(state.columns), state.footer)


def _read_blocks(every: Iterator[bytes], state: _State) -> None:
    """Check and count a block here while the one before it is parsed in a second thread."""
    rest = b""
    for block in filter(None, every):
        if rest or not _submit(block, state):
            rest = _exact(rest + block, state, last=False)
            _check_encoding(state, at_end=False)
        _settle(state, keep=2)
    _settle(state, keep=0)
    if rest:
        _exact(rest, state, last=True)


def _submit(block: bytes, state: _State) -> bool:
    dialect = state.dialect
    as_is = bytewise(dialect.encoding, dialect.delimiter)
    text = plain(block, dialect.encoding, dialect.comment, as_is=as_is)
    lines = lines_of(text, dialect.delimiter, dialect.width) if text is not None else None
    if text is None or lines is None:
        return False
    future = state.pool.submit(write_plain, text, lines, state.line, state.columns, dialect.delimiter,
                         state.request.delivery, state.part(), state.marks, dialect.encoding if as_is else "utf-8")  # fmt: skip
    state.pending.append((future, block, state.line, lines))
    state.line += lines
    state.decoded += 0 if block.isascii() else lines
    return True


def _settle(state: _State, keep: int) -> None:
    """Wait until no more than `keep` blocks are being parsed; what the parser refused is read exactly."""
    while len(state.pending) > keep:
        future, block, first, lines = state.pending.popleft()
        again = future.result()
        if again is None:
            state.decoded -= 0 if block.isascii() else lines  # each is counted as it is read
            _take(block, first, state, last=True)
            _check_encoding(state, at_end=False)
        else:
            state.repeated.add(again)
            state.rows += lines - len(again)


def _exact(block: bytes, state: _State, *, last: bool) -> bytes:
    rest = _take(block, state.line, state, last=last)
    state.line += block.count(b"\n") - rest.count(b"\n")
    return rest


def _take(block: bytes, first: int, state: _State, *, last: bool) -> bytes:
    """Read a block exactly, write its rows and rejects, and return the record that it ends in."""
    found = records(block, first, state.dialect, last=last, stray=state.stray)
    state.stray, state.decoded = found.stray, state.decoded + found.decoded
    state.undecodable += found.undecodable
    state.sample = state.sample or found.sample
    for line, reason, raw in found.bad:
        state.rejects.add(str(line), reason, raw)
    _set_apart(found, state)
    if found.rows:
        columns = [pa.array([value or None for value in values], pa.string()) for values in zip(*found.rows, strict=True)]
        table = pa.table(columns, list(state.columns))
        write_rows(table, np.array(found.lines), state.request.delivery, state.part())
        state.rows += len(found.rows)
    return found.rest


def _set_apart(found: Records, state: _State) -> None:
    """Take rows that repeat the header or the row of units out of what was found."""
    if not state.marks:
        return
    first = {mark[0] for mark in state.marks}
    again = [at for at, row in enumerate(found.rows) if bare(row[0]) in first and (bare(row[0]), *row[1:]) in state.marks]
    if again:
        state.repeated.add([found.lines[at] for at in again])
        gone = set(again)
        found.rows = [row for at, row in enumerate(found.rows) if at not in gone]
        found.lines = [line for at, line in enumerate(found.lines) if at not in gone]


def _check_encoding(state: _State, *, at_end: bool) -> None:
    """Damaged rows are set aside one by one; a file of which most does not decode is declared wrongly."""
    bad = state.undecodable
    if bad > state.decoded and (bad > 1000 or (at_end and (bad > 2 or bad > state.rows))):
        raise wrong_encoding(state.sample, state.dialect.encoding, state.request.name)


def _check_rows(state: _State, given: Csv) -> None:
    if state.rows:
        return
    if state.rejects.count:
        raise UserError(f"none of the {state.rejects.count} rows can be read; line {state.rejects.first}",
                        where=state.request.name, remedy="check the options delimiter, skip_rows and header")  # fmt: skip
    if not given.empty_ok:
        raise UserError("no data rows", where=state.request.name, remedy="set the option `empty_ok: true` to allow it")
