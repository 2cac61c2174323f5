"""JSON and JSON Lines: records at a place that the options name, nested objects as dotted columns, values as they stand."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs.readers import Read, Request
from jobs.readers.json_stream import Cursor, text, written
from jobs.readers.options import options
from jobs.readers.parts import Rejects, with_locators, write_parts
from jobs.readers.text import opened
from schemas.errors import UserError

BATCH = 20_000
EVERY = "*"
KEY, VALUE = "_key", "value"
WIDEST = 2000
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Json:
    """Options of JSON.

    `records` says where the records are: keys with dots between, `*` for each element of an array or each value of an
    object, whose key becomes the column `_key` (`_key2` of the next one). Nothing is the whole text: its elements, if it
    is an array. `keep` names fields of the objects on the way, before the records, that go into each row. `lines` is
    for JSON Lines, a record a line.
    """

    records: str = ""
    keep: list[str] = field(default_factory=list)
    lines: bool = False
    empty_ok: bool = False


@dataclass(frozen=True)
class Record:
    """A record: its place (a JSON Pointer, RFC 6901, or the line), what the way to it says, and its value."""

    place: str
    way: Mapping[str, Any]
    value: Any
    repeated: str = ""


def read(request: Request) -> Read:
    """Read the records; `_locator` is the JSON Pointer of each, or its line. A record with a key twice is set aside."""
    began = time.perf_counter()
    given = options(Json, request.options, request.name)
    columns = _columns(request.path, given, request.name)
    schema = with_locators([pa.field(name, pa.string()) for name in columns], pa.string())
    with Rejects(request.out, request.delivery) as rejects, _open(request.path, given, request.name) as records:
        rows = write_parts(request.out, _batches(records, columns, schema, request.delivery, rejects))
    if not rows and not rejects.count and not given.empty_ok:
        raise UserError("no records", where=request.name, remedy="look at the option `records`; `carbonlake new` shows keys")
    return Read(rows, rejects.count, tuple(columns), {"records": given.records}, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say which columns the records have, and how the first ones look."""
    chosen = options(Json, given, path.name)
    with _open(path, chosen, path.name) as records:
        first = [_row(one) for one in islice(records, 5)]
    return {"columns": _columns(path, chosen, path.name), "first_rows": first}


@contextmanager
def _open(path: Path, given: Json, where: str) -> Iterator[Iterator[Record]]:
    with opened(path, "utf-8", where) as stream:
        if stream.peek(3)[:3] == BOM:  # type: ignore[attr-defined]
            stream.read(3)
        cursor = Cursor(stream, where)
        yield _lines(cursor) if given.lines else _document(cursor, given)


def _lines(cursor: Cursor) -> Iterator[Record]:
    number = 0
    while cursor.peek():
        number += 1
        value, repeated = cursor.value()
        yield Record(f"record {number}", {}, value, repeated)


def _document(cursor: Cursor, given: Json) -> Iterator[Record]:
    way = [part for part in given.records.split(".") if part]
    yield from _at(cursor, way, "", {}, given.keep)
    if cursor.peek():
        raise cursor.wrong("more stands behind the end")


def _at(cursor: Cursor, way: list[str], place: str, kept: dict[str, Any], keep: list[str]) -> Iterator[Record]:
    """Yield the records at the end of a way that begins here."""
    if not way:
        if cursor.peek() == "[":
            for number in cursor.elements():
                value, repeated = cursor.value()
                yield Record(f"{place}/{number}", kept, value, repeated)
        else:
            value, repeated = cursor.value()
            yield Record(place or "/", kept, value, repeated)
        return
    if way[0] == EVERY and cursor.peek() == "[":
        for number in cursor.elements():
            yield from _at(cursor, way[1:], f"{place}/{number}", kept, keep)
        return
    yield from _below(cursor, way, place, kept, keep)


def _below(cursor: Cursor, way: list[str], place: str, kept: dict[str, Any], keep: list[str]) -> Iterator[Record]:
    """Yield the records below an object: under the key that the way names, or under each of its keys."""
    found, here, seen = False, dict(kept), set()
    column = KEY if KEY not in kept else f"{KEY}{1 + sum(name.startswith(KEY) for name in kept)}"
    for key in cursor.members():
        if key in seen:
            raise cursor.wrong(f"the key {key!r} stands twice")
        seen.add(key)
        if way[0] in (EVERY, key):
            found = True
            more = {column: key} if way[0] == EVERY else {}
            yield from _at(cursor, way[1:], f"{place}/{_escaped(key)}", {**here, **more}, keep)
        else:
            value, _ = cursor.value()
            if key in keep and found:
                raise cursor.wrong(f"{key!r}, which is to be kept, stands behind the records")
            here |= {key: value} if key in keep else {}
    if not found and way[0] != EVERY:
        raise UserError(f"there is no {way[0]!r} in {place or 'the document'}", where=cursor.where,
                        remedy=f"it has {', '.join(map(repr, sorted(seen)[:20]))}; mend the option `records`")  # fmt: skip


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _columns(path: Path, given: Json, where: str) -> list[str]:
    """Return every column of every record in the order of their first sight."""
    found: dict[str, None] = {}
    with _open(path, given, where) as records:
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
