"""Parquet: row group by row group, with the types that the file has."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.readers import Read, Request
from jobs.readers.arrow_text import ahead, batches, given
from jobs.readers.options import options
from jobs.readers.parts import Rejects, no_rows, write_parts
from schemas.errors import UserError

# Values at once: few columns go by many rows, which halves the cost; many columns by few, which bounds the memory.
VALUES = 2_000_000
FEWEST, MOST = 5_000, 200_000  # rows


@dataclass(frozen=True)
class Parquet:
    """Options of Parquet."""

    empty_ok: bool = False


def read(request: Request) -> Read:
    """Read every row; `_locator` is `row 7`, counted from 1. Numbers stay numbers, all else is text."""
    began = time.perf_counter()
    chosen = options(Parquet, request.options, request.name)
    with opened(request.path, request.name) as file, Rejects(request.out, request.delivery):
        schema = given(file.schema_arrow, request.name)
        found = file.iter_batches(batch_size=rows_at_once(len(schema.names)), use_threads=False)
        rows = write_parts(request.out, ahead(batches(found, schema, request.delivery)))
        if rows != file.metadata.num_rows:
            raise UserError(f"{rows} of {file.metadata.num_rows} rows are there", where=request.name,
                            remedy="ask for the delivery again")  # fmt: skip
    if not rows and not chosen.empty_ok:
        raise no_rows(request.name)
    return Read(rows, 0, tuple(schema.names[:-2]), {}, time.perf_counter() - began)


def probe(path: Path, given_options: Mapping[str, Any]) -> dict[str, Any]:
    """Say which columns there are, with their types, how many rows, and how the first ones look."""
    options(Parquet, given_options, path.name)
    with opened(path, path.name) as file:
        first = next(file.iter_batches(batch_size=5, use_threads=False), None)
        return {"rows": file.metadata.num_rows, "row_groups": file.metadata.num_row_groups,
                "columns": {field.name: str(field.type) for field in file.schema_arrow},
                "first_rows": [] if first is None else first.to_pylist()}  # fmt: skip


def rows_at_once(columns: int) -> int:
    """Return how many rows of so many columns are taken at once."""
    return min(MOST, max(FEWEST, VALUES // max(1, columns)))


def opened(path: Path, where: str) -> pq.ParquetFile:
    """Open a file whose pages are held against their checksums. Raise UserError where it is none."""
    try:
        return pq.ParquetFile(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"the file can't be opened: {str(error)[:200]}", where=where,
                        remedy="it is damaged or cut off; ask for the delivery again") from None  # fmt: skip
