"""Columns that have types already, as readers give them: whole numbers, doubles, and text for all else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.readers.parts import check_names, with_locators

T = TypeVar("T")


def given(schema: pa.Schema, where: str) -> pa.Schema:
    """Return the schema of the parts for a file's own; raise UserError for names that can't be."""
    check_names(schema.names, where)
    return with_locators([pa.field(field.name, _kind(field.type)) for field in schema], pa.string())


def batches(found: Iterable[pa.RecordBatch], schema: pa.Schema, delivery: int) -> Iterator[pa.Table]:
    """Yield batches in that schema; `_locator` is `row 7`, counted from 1."""
    number = 0
    for batch in found:
        yield as_found(batch, schema, delivery, places(number, batch.num_rows))
        number += batch.num_rows


def places(before: int, count: int) -> pa.Array:
    """Return `row 7` for each of some rows that follow so many others."""
    numbers = pa.array(np.arange(before + 1, before + count + 1)).cast(pa.string())
    return pc.binary_join_element_wise("row", numbers, " ")


def as_found(batch: pa.RecordBatch, schema: pa.Schema, delivery: int, locators: pa.Array) -> pa.Table:
    """Return a batch in that schema."""
    data: dict[str, Any] = {name: _column(batch.column(place), schema.field(name).type)
                            for place, name in enumerate(batch.schema.names)}  # fmt: skip
    data["_delivery"] = pa.repeat(pa.scalar(delivery, pa.int64()), batch.num_rows)
    data["_locator"] = locators
    return pa.table([data[name] for name in schema.names], schema=schema)


def ahead(found: Iterator[T]) -> Iterator[T]:
    """Yield the same, the next one made by a second thread while one is written."""
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(next, found, None)
        while (one := waiting.result()) is not None:
            waiting = beside.submit(next, found, None)
            yield one


def _kind(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(type_):
        return _kind(type_.value_type)
    if pa.types.is_integer(type_) and type_ != pa.uint64():
        return pa.int64()
    return pa.float64() if pa.types.is_floating(type_) else pa.string()


def _column(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if wanted != pa.string():
        return column.cast(wanted)
    if pa.types.is_nested(column.type):
        texts = [None if one is None else json.dumps(one, ensure_ascii=False, default=str) for one in column.to_pylist()]
        return pa.array(texts, pa.string())
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type) or pa.types.is_fixed_size_binary(column.type):
        return pa.array([None if one is None else one.hex() for one in column.to_pylist()], pa.string())
    text = _utc(column) if getattr(column.type, "tz", None) else column.cast(pa.string())
    # An empty field is NULL in every format.
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _utc(column: pa.Array) -> pa.Array:
    """Return instants, whatever the zone they are shown in, as text of UTC; Arrow's own writer takes fifteen times longer."""
    utc = column.cast(pa.timestamp(column.type.unit, "UTC")).cast(pa.timestamp(column.type.unit))
    return pc.binary_join_element_wise(utc.cast(pa.string()), "Z", "")
