"""Records of formats that nest: one row each, what is in them by dotted names, in two passes over the file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from jobs.readers import Read, Request
from jobs.readers.json_stream import text, written
from jobs.readers.parts import Rejects, with_locators, write_parts
from schemas.errors import UserError

BATCH = 20_000
VALUE = "value"
WIDEST = 2000
FIRST = 5


@dataclass(frozen=True)
class Record:
    """A record: its place in the delivery, what the way to it says, its value, and a key of it that stands twice."""

    place: str
    way: Mapping[str, Any]
    value: Any
    repeated: str = ""


Opened = Callable[[], AbstractContextManager[Iterator[Record]]]


def read_records(request: Request, opened: Opened, *, empty_ok: bool) -> Read:
    """Read all records into parts: once for the columns of all, once for their rows."""
    began = time.perf_counter()
    columns = _columns(opened, request.name)
    schema = with_locators([pa.field(name, pa.string()) for name in columns], pa.string())
    with Rejects(request.out, request.delivery) as rejects, opened() as records:
        rows = write_parts(request.out, _batches(records, columns, schema, request.delivery, rejects))
    if not rows and not rejects.count and not empty_ok:
        raise UserError("no records", where=request.name, remedy="look at the option `records`; `carbonlake probe` helps")
    return Read(rows, rejects.count, tuple(columns), {}, time.perf_counter() - began)


def shown(opened: Opened, where: str) -> dict[str, Any]:
    """Return the columns of all records, and the first rows."""
    with opened() as records:
        first = [_row(one) for one in islice(records, FIRST)]
    return {"columns": _columns(opened, where), "first_rows": first}


def _columns(opened: Opened, where: str) -> list[str]:
    """Return every column of every record in the order of their first sight."""
    found: dict[str, None] = {}
    with opened() as records:
        for one in records:
            found |= dict.fromkeys(_row(one))
            if len(found) > WIDEST:
                raise UserError(f"more than {WIDEST} columns", where=f"{where}, {one.place}",
                                remedy="keys that are values want `*` in the option `records`")  # fmt: skip
    return list(found)


def _row(record: Record) -> dict[str, str | None]:
    row: dict[str, str | None] = {name: text(value) for name, value in record.way.items()}
    _spread(record.value, "", row)
    return row


def _spread(value: Any, prefix: str, row: dict[str, str | None]) -> None:
    """Put a record's values into a row: objects by dotted names, an array that is a record by the numbers of its places."""
    if isinstance(value, dict) and (value or not prefix):
        for key, one in value.items():
            _spread(one, f"{prefix}.{key}" if prefix else key, row)
    elif isinstance(value, list) and not prefix:
        row.update({str(number): text(one) for number, one in enumerate(value)})
    else:
        row[prefix or VALUE] = text(value)


def _batches(
    records: Iterator[Record], columns: list[str], schema: pa.Schema, delivery: int, rejects: Rejects
) -> Iterator[pa.Table]:  # fmt: skip
    while some := list(islice(records, BATCH)):
        rows, places = [], []
        for one in some:
            row = _row(one)
            if reason := _reason(one, row):
                rejects.add(one.place, reason, ascii(written(one.value)))
                continue
            rows.append(row)
            places.append(one.place)
        data: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name in columns}
        data |= {"_delivery": [delivery] * len(rows), "_locator": places}
        yield pa.table({name: pa.array(data[name], schema.field(name).type) for name in schema.names}, schema)


def _reason(record: Record, row: Mapping[str, str | None]) -> str:
    """Say what is wrong with a record, nothing if it can be read."""
    if record.repeated:
        return f"the key {record.repeated!r} stands twice"
    try:
        "".join(value for value in row.values() if value).encode()
    except UnicodeEncodeError:
        return "half of a pair of code points (a lone surrogate)"
    return ""
