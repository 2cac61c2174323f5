"""Rows of a Parquet file written as rows of their table at once, typed and judged: for tables that take them as they stand.

As with grids (jobs/readers/direct.py), values that have types need no way through text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.readers import Request, guards
from jobs.readers.arrow_text import as_found, given, places
from jobs.readers.fitting import NotPlain
from jobs.readers.fitting_rows import broken, taken
from jobs.readers.options import options
from jobs.readers.parquet import Parquet, opened, rows_at_once
from jobs.readers.shares import FOUND, Files, Target, failing
from schemas import types
from schemas.errors import UserError

SUMMING: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "1GB", "threads": 1}


def write(request: Request, target: Target) -> dict[str, Any]:
    """Write a share of the rows; return rows and headers, or `plain: False`, and nothing that was written counts."""
    options(Parquet, request.options, request.name)
    try:
        with opened(request.path, request.name) as file, Files(request, target, _file) as files:
            writer = _Writer(file, request, target, files)
            rows = sum(writer.add(batch) for batch in writer.batches())
            if rows != writer.expected:
                raise UserError(f"{rows} of {writer.expected} rows are there", where=request.name,
                                remedy="ask for the delivery again")  # fmt: skip
    except NotPlain as why:
        return {"plain": False, "why": str(why)}
    return {"plain": True, "rows": rows, "columns": list(writer.found.names[:-2]), "distinct": False,
            "info": {"integrity": guards.grade("parquet", request.path, {})}}  # fmt: skip


class _Writer:
    def __init__(self, file: pq.ParquetFile, request: Request, target: Target, files: Files) -> None:
        self.found = given(file.schema_arrow, request.name)
        headers = {header for _, header, _ in target.columns}
        if not file.metadata.num_rows or not headers <= set(self.found.names[:-2]):
            raise NotPlain("no rows, or a column is not there")
        fields = [pa.field(name, types.arrow(type_)) for name, _, type_ in target.columns]
        self.schema = pa.schema([*fields, ("_delivery", pa.int64()), ("_locator", pa.string()), ("_rules", pa.int64())])
        self.file, self.request, self.target, self.files = file, request, target, files
        sizes = [file.metadata.row_group(at).num_rows for at in range(file.metadata.num_row_groups)]
        first, last = (len(sizes) * step // target.of for step in (target.share, target.share + 1))
        self.groups = list(range(first, last))
        self.number, self.expected = sum(sizes[:first]), sum(sizes[first:last])

    def batches(self) -> Iterator[pa.RecordBatch]:
        if not self.groups:
            return iter(())
        size = rows_at_once(len(self.found.names))
        return iter(self.file.iter_batches(batch_size=size, row_groups=self.groups, use_threads=False))

    def add(self, batch: pa.RecordBatch) -> int:
        values, unfit = {}, {}
        for name, header, type_ in self.target.columns:
            values[name], unfit[name] = taken(batch.column(batch.schema.get_field_index(header)), type_)
        fails = failing(self.target.checks, batch.num_rows, lambda rule, name, low, high:
                        unfit[name] if rule == "type" else broken(values[name], rule, low, high))  # fmt: skip
        place = places(self.number, batch.num_rows)
        delivery = pa.repeat(pa.scalar(self.request.delivery, pa.int64()), batch.num_rows)
        mask = pa.array(np.zeros(batch.num_rows, np.int64) if fails is None else fails)
        gone = self.files.judged(pa.record_batch([*values.values(), delivery, place, mask], schema=self.schema), fails)
        if gone is not None:
            chosen = pa.array(gone)
            self.files.put(FOUND, as_found(batch.filter(chosen), self.found, self.request.delivery, place.filter(chosen)))
        self.number += len(place)
        return len(place)


def _file(verdict: str, path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a file. A dictionary pays for texts alone, and not for places, which are all different."""
    texts = [field.name for field in schema if pa.types.is_string(field.type) and field.name != "_locator"]
    return pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=texts or False)


def totals(request: Request, sums: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return sums over a file as another engine counts them: `sums` has SQL by header for texts and for numbers."""
    with opened(request.path, request.name) as file:
        kinds = {field.name: field.type for field in file.schema_arrow}
    asked = [of["number" if _is_number(kinds[of["header"]]) else "text"] for of in sums.values()]
    with duckdb.connect(config=SUMMING) as duck:
        row = duck.execute(f"select {', '.join(asked)} from read_parquet(?)", [str(request.path)]).fetchone() or ()
    return {name: str(value) for name, value in zip(sums, row, strict=True)}


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
