"""Avro: block by block, with the types of the schema in the file."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa

from jobs.readers import Read, Request
from jobs.readers.arrow_text import batches, given
from jobs.readers.avro_codecs import CODECS
from jobs.readers.avro_types import columns_of, values
from jobs.readers.options import options
from jobs.readers.parts import Rejects, no_rows, write_parts
from schemas.errors import UserError

SYNC = 16
# Records of no bytes could be as many as a number says; a thousand of them to a byte are no data.
PER_BYTE = 1000
DAMAGED = "it is damaged or cut off; ask for the delivery again"
WRONG = (ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, ArithmeticError, zlib.error, OSError,
         StopIteration, RecursionError, pa.ArrowException, json.JSONDecodeError)  # fmt: skip


@dataclass(frozen=True)
class Avro:
    """Options of Avro."""

    empty_ok: bool = False


def read(request: Request) -> Read:
    """Read every record; `_locator` is `row 7`, counted from 1. Numbers stay numbers, what nests is JSON text."""
    began = time.perf_counter()
    chosen = options(Avro, request.options, request.name)
    with _opened(request.path, request.name) as file, Rejects(request.out, request.delivery):
        own = columns_of(file.writer_schema, request.name)
        schema = given(own, request.name)
        found = _blocks(file, own, request.name)
        rows = write_parts(request.out, batches(found, schema, request.delivery))
    if not rows and not chosen.empty_ok:
        raise no_rows(request.name)
    return Read(rows, 0, tuple(schema.names[:-2]), {"codec": file.codec}, time.perf_counter() - began)


def probe(path: Path, given_options: Mapping[str, Any]) -> dict[str, Any]:
    """Say which columns there are, with their types, and how the first ones look."""
    options(Avro, given_options, path.name)
    with _opened(path, path.name) as file:
        own = columns_of(file.writer_schema, path.name)
        first = next(_blocks(file, own, path.name), None)
        return {"codec": file.codec, "columns": {field.name: str(field.type) for field in own},
                "first_rows": [] if first is None else first.slice(0, 5).to_pylist()}  # fmt: skip


def _blocks(file: Any, own: pa.Schema, where: str) -> Iterator[pa.RecordBatch]:
    """Yield the blocks; each must be used up by just the records that it says it has, for Avro has no checksums."""
    for number, block in enumerate(file, 1):
        size = len(block.bytes_.getbuffer())
        if not 0 <= block.num_records <= PER_BYTE * (size + 1):
            raise UserError(f"block {number} says that {size} bytes are {block.num_records} records", where=where, remedy=DAMAGED)
        records = list(block)
        if block.bytes_.tell() != size:
            raise UserError(f"block {number} holds more than its {len(records)} records", where=where, remedy=DAMAGED)
        yield pa.record_batch([values(records, field) for field in own], schema=own)


@contextmanager
def _opened(path: Path, where: str) -> Iterator[Any]:
    try:
        with path.open("rb") as stream:
            file = fastavro.block_reader(stream)
            _check_end(path, file, where)
            yield file
    except WRONG as error:
        raise UserError(f"the file can't be read: {type(error).__name__}: {str(error)[:200]}", where=where,
                        remedy=DAMAGED) from None  # fmt: skip


def _check_end(path: Path, file: Any, where: str) -> None:
    """Raise UserError where the file does not end as a block does: the library takes the rest for no block at all."""
    if file.codec not in CODECS:
        raise UserError(f"the codec {file.codec!r} is not known", where=where,
                        remedy=f"known: {', '.join(CODECS)}; ask for another")  # fmt: skip
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - SYNC))
        if stream.read() != file._header["sync"]:
            raise UserError("the file is cut off", where=where, remedy="ask for the delivery again")
