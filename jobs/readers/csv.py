"""CSV: blocks that are proven plain go through Polars, all others record by record, with one result."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from jobs.readers import Read, Request
from jobs.readers.csv_head import SAMPLE, Csv, Head, check_options, head, wrong_encoding
from jobs.readers.csv_plain import lines_of, plain, write_frame, write_plain
from jobs.readers.csv_records import Dialect, records
from jobs.readers.options import options
from jobs.readers.parts import Rejects
from jobs.readers.text import blocks, opened
from schemas.errors import UserError


@dataclass
class _State:
    """What one reading carries from block to block."""

    request: Request
    columns: tuple[str, ...]
    dialect: Dialect
    rejects: Rejects
    line: int
    rows: int = 0
    parts: int = 0
    decoded: int = 0
    undecodable: int = 0
    sample: bytes = b""
    stray: int = 0
    pending: deque[tuple[Future[bool], bytes, int, int]] = field(default_factory=deque)

    def part(self) -> Path:
        """Return the path of the next part file."""
        self.parts += 1
        return self.request.out / f"part-{self.parts - 1:05}.parquet"


def read(request: Request) -> Read:
    """Read a CSV delivery; `_locator` is the physical line, 1-based. Raise UserError with the reason if it is none."""
    began = time.perf_counter()
    given = options(Csv, request.options, request.name)
    encoding = check_options(given, request.path, request.name)
    with opened(request.path, encoding, request.name) as stream:
        every = blocks(stream)
        first = next(every, b"")
        top = head(first, given, request.name)
        dialect = Dialect(given.delimiter, top.encoding, given.comment, len(top.columns))
        with Rejects(request.out, request.delivery) as rejects:
            state = _State(request, top.columns, dialect, rejects, top.line)
            _read_blocks(chain([first[top.offset :]], every), state)
    _check_encoding(state, at_end=True)
    _check_rows(state, given)
    return Read(state.rows, rejects.count, top.columns, _info(given, top, state), time.perf_counter() - began)


def probe(path: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Say what is inside: encoding, delimiter, columns, first rows as found."""
    chosen = options(Csv, given, path.name)
    encoding = check_options(chosen, path, path.name)
    with opened(path, encoding, path.name) as stream:
        block = next(blocks(stream, SAMPLE), b"")
    top = head(block, chosen, path.name)
    dialect = Dialect(chosen.delimiter, top.encoding, chosen.comment, len(top.columns))
    rows = records(block[top.offset :], top.line, dialect, last=True).rows[:5]
    return {"encoding": encoding, "delimiter": chosen.delimiter, "columns": list(top.columns), "first_rows": rows}


def _info(given: Csv, top: Head, state: _State) -> dict[str, Any]:
    return {"encoding": top.encoding, "delimiter": given.delimiter, "lines": state.line - 1, "parts": state.parts}


def _read_blocks(every: Iterator[bytes], state: _State) -> None:
    """Check and count a block here while the one before it is parsed in a second thread."""
    rest = b""
    with ThreadPoolExecutor(2) as pool:
        for block in filter(None, every):
            if rest or not _submit(block, state, pool):
                rest = _exact(rest + block, state, last=False)
                _check_encoding(state, at_end=False)
            _settle(state, keep=2)
        _settle(state, keep=0)
    if rest:
        _exact(rest, state, last=True)


def _submit(block: bytes, state: _State, pool: ThreadPoolExecutor) -> bool:
    dialect = state.dialect
    text = plain(block, dialect.encoding, dialect.comment)
    lines = lines_of(text, dialect.delimiter, dialect.width) if text is not None else None
    if text is None or lines is None:
        return False
    future = pool.submit(write_plain, text, lines, state.line, state.columns, dialect.delimiter,
                         state.request.delivery, state.part())  # fmt: skip
    state.pending.append((future, block, state.line, lines))
    state.line += lines
    state.decoded += 0 if block.isascii() else lines
    return True


def _settle(state: _State, keep: int) -> None:
    """Wait until no more than `keep` blocks are being parsed; what the parser refused is read exactly."""
    while len(state.pending) > keep:
        future, block, first, lines = state.pending.popleft()
        if future.result():
            state.rows += lines
        else:
            _take(block, first, state, last=True)


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
    if found.rows:
        columns = {name: [value or None for value in values]
                   for name, values in zip(state.columns, zip(*found.rows, strict=True), strict=True)}  # fmt: skip
        frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String()))
        write_frame(frame, pl.Series(found.lines, dtype=pl.Int64), state.request.delivery, state.part())
        state.rows += len(found.rows)
    return found.rest


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
