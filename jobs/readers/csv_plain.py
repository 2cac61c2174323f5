"""The fast way to read CSV: blocks that are proven to hold nothing but lines of as many fields as there are columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from jobs.readers.csv_around import apart
from jobs.readers.encodings import to_utf8
from jobs.readers.parts import COMPRESSION, OURS

# Compared at this size the bytes stay in the cache of a core (6.8 GB/s; bytes.count 1.3 GB/s).
STRIDE = 1 << 18
PIECE = 1 << 20  # is parsed at once; no line is longer
# Encodings in which no byte below 0x30 and none of `:;<=>?` is ever part of another character (GB 18030-2005, 4.3).
BYTEWISE = ("gb18030",)
Sink = Callable[[pa.Table], object]  # takes rows with their locators


def bytewise(encoding: str, delimiter: str) -> bool:
    """Tell whether lines and fields can be told apart before they are decoded."""
    return encoding in BYTEWISE and (delimiter < "0" or ":" <= delimiter <= "?")


def plain(block: bytes, encoding: str, comment: str | None, *, as_is: bool = False) -> bytes | None:
    """Return the block as UTF-8 (or `as_is`) with line feeds, None if anything in it needs the exact way."""
    if b'"' in block or b"\0" in block or (comment and _has_comment(block, comment.encode(encoding))):
        return None
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
        if b"\r" in block:
            return None
    return block if as_is else to_utf8(block, encoding)


def _has_comment(block: bytes, comment: bytes) -> bool:
    return block.startswith(comment) or b"\n" + comment in block


def lines_of(block: bytes, delimiter: str, width: int) -> int | None:
    """Return the number of lines if delimiters and lines are in proportion and no line exceeds 512 kB, else None.

    Too many fields in a line are an error of the parser, so this proportion leaves none with too few.
    """
    bytes_, lines, delimiters = np.frombuffer(block, np.uint8), 0, 0
    for start in range(0, len(bytes_), STRIDE):
        piece = bytes_[start : start + STRIDE]
        ends = int(np.count_nonzero(piece == 10))
        if not ends:
            return None
        lines += ends
        delimiters += int(np.count_nonzero(piece == ord(delimiter)))
    blank = width == 1 and (block.startswith(b"\n") or b"\n\n" in block)
    return lines if delimiters == (width - 1) * lines and not blank else None


def write_plain(block: bytes, lines: int, first: int, columns: tuple[str, ...], delimiter: str, delivery: int,
                sink: Sink, marks: tuple[tuple[str, ...], ...] = (), encoding: str = "utf-8") -> list[int] | None:  # fmt: skip
    """Parse a proven block, hand its rows on and return the lines that repeat a mark, such as the header, left out of it.

    Return None, nothing handed on, if the parser finds that it is not so, or the fields are not in the encoding.
    """
    table = parsed(block, lines, columns, delimiter, encoding)
    if table is None:
        return None
    numbers = np.arange(first, first + lines)
    if not _may_repeat(block, table, delimiter, marks, encoding):
        write_rows(table, numbers, delivery, sink)
        return []
    again = apart(pl.DataFrame(table), marks).to_numpy()
    if not again.all():
        write_rows(table.filter(pa.array(~again)), numbers[~again], delivery, sink)
    found: list[int] = numbers[again].tolist()
    return found


def _may_repeat(block: bytes, table: pa.Table, delimiter: str, marks: tuple[tuple[str, ...], ...], encoding: str) -> bool:
    """Tell whether some line may repeat a mark; what is not decoded yet is looked for by its first cell."""
    if encoding == "utf-8":
        return any(delimiter.join(mark).encode() in block for mark in marks)
    first = pa.array({cell for mark in marks for cell in (mark[0], f"\ufeff{mark[0]}")}, pa.string())
    looked = pc.fill_null(table.column(0), "")
    return bool(marks) and bool(pc.any(pc.is_in(looked, value_set=first)).as_py())


def parsed(block: bytes, lines: int, columns: tuple[str, ...], delimiter: str, encoding: str = "utf-8") -> pa.Table | None:
    """Return the fields of a proven block as texts, None if the parser finds that it is not so or they do not decode."""
    types = dict.fromkeys(columns, pa.string() if encoding == "utf-8" else pa.binary())
    try:
        table = csv.read_csv(
            pa.BufferReader(block),
            csv.ReadOptions(column_names=list(columns), use_threads=False, block_size=PIECE),
            csv.ParseOptions(delimiter=delimiter, quote_char=False, double_quote=False, escape_char=False,
                             newlines_in_values=False, ignore_empty_lines=False),
            csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True, check_utf8=False),
        )  # fmt: skip
        if table.num_rows != lines:
            return None
        return table if encoding == "utf-8" else pa.table([_decoded(column, encoding) for column in table.columns], list(columns))
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None


def _decoded(column: pa.ChunkedArray, encoding: str) -> pa.ChunkedArray:
    """Return bytes as texts, each different value decoded once. Raise UnicodeDecodeError."""
    return pa.chunked_array([_texts(chunk, encoding) for chunk in column.chunks], pa.string())


def _texts(chunk: pa.BinaryArray, encoding: str) -> pa.Array:
    values = chunk.buffers()[2]
    if values is None or values.to_pybytes().isascii():
        return chunk.view(pa.string())
    distinct = chunk.dictionary_encode()
    # Together, which is faster than one by one: a field has no line feed in it, and none is part of another character.
    texts = b"\n".join(distinct.dictionary.to_pylist()).decode(encoding).split("\n")
    return pa.array(texts, pa.string()).take(distinct.indices)


def write_rows(table: pa.Table, lines: np.ndarray, delivery: int | np.ndarray, sink: Sink) -> None:
    """Hand on rows with their lines and their deliveries; both ways end here, so parts have one schema."""
    whose = (
        pa.repeat(pa.scalar(delivery, pa.int64()), len(lines)) if isinstance(delivery, int) else pa.array(delivery, pa.int64())
    )
    sink(table.append_column(OURS[0], whose).append_column(OURS[1], pa.array(lines, pa.int64())))


def write_part(path: Path, table: pa.Table) -> None:
    """Write rows as a part file."""
    repeated: list[str] | bool = [name for name in table.column_names if name not in OURS] or False
    pq.write_table(table, path, compression=COMPRESSION, write_statistics=False, use_dictionary=repeated)
