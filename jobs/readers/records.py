"""Records of formats that nest: one row each, what is in them by dotted names, in two passes over the file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pyarrow as pa

from jobs.readers import Read, Request
from jobs.readers.json_stream import text, written
from jobs.readers.parts import Rejects, check_names, with_locators, write_parts
from schemas.errors import UserError

BATCH = 20_000
VALUE = "value"
TEXT = "#text"  # what an element of XML says beside its attributes and children
WIDEST = 2000
FIRST = 5


@dataclass(frozen=True)
class Record:
    """A record: its place in the delivery, what the way to it says, its value; a key that stands twice, with the text."""

    place: str
    way: Mapping[str, Any]
    value: Any
    repeated: str = ""
    raw: str = ""


@dataclass
class _Row:
    """A record as a row; `objects` are the columns that hold others, `twice` is one that two values want."""

    fields: dict[str, str | None] = field(default_factory=dict)
    objects: set[str] = field(default_factory=set)
    twice: str = ""

    def put(self, name: str, value: str | None) -> None:
        """Fill a column."""
        self.twice = self.twice or (name if name in self.fields else "")
        self.fields[name] = value


Opened = Callable[[], AbstractContextManager[Iterator[Record]]]
Narrower = Callable[[list[str]], str]


def by_hand(columns: list[str]) -> str:
    """Say what to do about a record with too many columns."""
    return "name records that hold less in the option `records`"


def read_records(request: Request, opened: Opened, *, empty_ok: bool, narrower: Narrower = by_hand) -> Read:
    """Read all records into parts: once for the columns of all, once for their rows.

    `narrower` says, of the columns of a record that has too many, what to do about them.
    """
    began = time.perf_counter()
    columns, objects = _columns(opened, request.name, narrower)
    schema = with_locators([pa.field(name, pa.string()) for name in columns], pa.string())
    with Rejects(request.out, request.delivery) as rejects, opened() as records:
        rows = write_parts(request.out, _batches(records, schema, objects, request.delivery, rejects))
    if not rows and not rejects.count and not empty_ok:
        raise UserError("no records", where=request.name,
                        remedy="look at the option `records`, or allow it by `empty_ok: true`")  # fmt: skip
    return Read(rows, rejects.count, tuple(columns), {}, time.perf_counter() - began)


def shown(opened: Opened, where: str, narrower: Narrower = by_hand) -> dict[str, Any]:
    """Return the columns of all records, and the first rows."""
    with opened() as records:
        first = [_row(one).fields for one in islice(records, FIRST)]
    return {"columns": _columns(opened, where, narrower)[0], "first_rows": first}


def _columns(opened: Opened, where: str, narrower: Narrower) -> tuple[list[str], set[str]]:
    """Return every column of every record in the order of their first sight, and which hold others."""
    found: dict[str, None] = {}
    objects: set[str] = set()
    with opened() as records:
        for one in records:
            row = _row(one)
            found |= dict.fromkeys(row.fields)
            objects |= row.objects
            if len(found) > WIDEST:
                raise UserError(f"more than {WIDEST} columns", where=f"{where}, {one.place}", remedy=narrower(list(found)))
    return check_names(list(found), where), objects


def _row(record: Record) -> _Row:
    row = _Row()
    for name, value in record.way.items():
        row.put(name, text(value))
    _spread(record.value, "", row)
    return row


def _spread(value: Any, prefix: str, row: _Row) -> None:
    """Put a record's values into a row: objects by dotted names, an array that is a record by the numbers of its places."""
    if isinstance(value, dict) and (value or not prefix):
        row.objects |= {prefix} if prefix else set()
        for key, one in value.items():
            _spread(one, f"{prefix}.{key}" if prefix else key, row)
    elif isinstance(value, list) and not prefix:
        for number, one in enumerate(value):
            row.put(str(number), text(one))
    else:
        row.put(prefix or VALUE, text(value))


def _batches(
    records: Iterator[Record], schema: pa.Schema, objects: set[str], delivery: int, rejects: Rejects
) -> Iterator[pa.Table]:  # fmt: skip
    while some := list(islice(records, BATCH)):
        rows, places = [], []
        for one in some:
            row = _row(one)
            reason = _told_apart(row, objects, schema) or _reason(one, row)
            if reason:
                rejects.add(one.place, reason, one.raw or written(one.value).encode("ascii", "backslashreplace").decode())
                continue
            rows.append(row.fields)
            places.append(one.place)
        data: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name in schema.names}
        data |= {"_delivery": [delivery] * len(rows), "_locator": places}
        yield pa.table({name: pa.array(data[name], schema.field(name).type) for name in schema.names}, schema)


def _told_apart(row: _Row, objects: set[str], schema: pa.Schema) -> str:
    """Bring a plain value to its place where it is an element with attributes elsewhere; say where that can't be."""
    for name in objects & row.fields.keys() - row.objects:
        value = row.fields[name]
        if value is None or f"{name}.{TEXT}" not in schema.names:
            continue
        if value.startswith("["):
            return f"{name!r} is a value here, and holds others elsewhere"
        row.fields[name] = None
        row.put(f"{name}.{TEXT}", value)
    return ""


def _reason(record: Record, row: _Row) -> str:
    """Say what is wrong with a record, nothing if it can be read."""
    if record.repeated:
        return f"the key {record.repeated!r} stands twice"
    if row.twice:
        return f"two values for the column {row.twice!r}"
    try:
        "".join(value for value in row.fields.values() if value).encode()
    except UnicodeEncodeError:
        return "half of a pair of code points (a lone surrogate)"
    return ""
