"""ORC: stripe by stripe, with the types that the file has."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import orc

from jobs.readers import Read, Request
from jobs.readers.arrow_text import batches, given
from jobs.readers.options import options
from jobs.readers.orc_sums import announced, check
from jobs.readers.parts import Rejects, no_rows, write_parts
from schemas.errors import UserError


@dataclass(frozen=True)
class Orc:
    """Options of ORC."""

    empty_ok: bool = False


def read(request: Request) -> Read:
    """Read every row; `_locator` is `row 7`, counted from 1. Numbers stay numbers, all else is text."""
    began = time.perf_counter()
    chosen = options(Orc, request.options, request.name)
    with _opened(request.path, request.name) as file, Rejects(request.out, request.delivery):
        schema = given(file.schema, request.name)
        rows = write_parts(request.out, batches(_stripes(file, request), schema, request.delivery))
        if rows != file.nrows:
            raise UserError(f"{rows} of {file.nrows} rows are there", where=request.name, remedy="ask for the delivery again")
    if not rows and not chosen.empty_ok:
        raise no_rows(request.name)
    return Read(rows, 0, tuple(schema.names[:-2]), {}, time.perf_counter() - began)


def probe(path: Path, given_options: Mapping[str, Any]) -> dict[str, Any]:
    """Say which columns there are, with their types, how many rows, and how the first ones look."""
    options(Orc, given_options, path.name)
    with _opened(path, path.name) as file:
        first = file.read_stripe(0).slice(0, 5).to_pylist() if file.nstripes else []
        return {"rows": file.nrows, "stripes": file.nstripes, "columns": {field.name: str(field.type) for field in file.schema},
                "first_rows": first}  # fmt: skip


def _stripes(file: orc.ORCFile, request: Request) -> Iterator[pa.RecordBatch]:
    """Yield the stripes, each compared with what the file itself says of its columns: ORC has no checksums."""
    sums = announced(file.reader.serialized_file_tail(), file.schema)
    for number in range(file.nstripes):
        batch = file.read_stripe(number)
        batch.validate(full=True)
        for name, one in sums.items():
            one.add(batch.column(name))
        yield batch
    check(sums, request.name)


@contextmanager
def _opened(path: Path, where: str) -> Iterator[orc.ORCFile]:
    try:
        yield orc.ORCFile(path)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"the file can't be read: {str(error)[:200]}", where=where,
                        remedy="it is damaged or cut off; ask for the delivery again") from None  # fmt: skip
