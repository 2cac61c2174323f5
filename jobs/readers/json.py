"""JSON and JSON Lines: records at a place that the options name, nested objects as dotted columns, values as they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.readers import Read, Request
from jobs.readers.json_stream import Cursor
from jobs.readers.json_tables import tables
from jobs.readers.options import options
from jobs.readers.records import Record, read_records, shown
from jobs.readers.text import opened
from jobs.readers.tree import EVERY, KEY, escaped, narrower
from schemas.errors import UserError

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


def read(request: Request) -> Read:
    """Read the records; `_locator` is the JSON Pointer of each, or its line. A record with a key twice is set aside."""
    given = options(Json, request.options, request.name)
    return read_records(
        request,
        lambda: _open(request.path, given, request.name),
        empty_ok=given.empty_ok,
        narrower=narrower(given.records, given.keep),
    )


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say which columns the records have, and how the first ones look; of one object, which tables it holds."""
    chosen = options(Json, given, path.name)
    inside = shown(lambda: _open(path, chosen, path.name), path.name, narrower(chosen.records, chosen.keep))
    if chosen.records or chosen.keep or chosen.lines:
        return inside
    with _open(path, chosen, path.name) as records:
        document = next(records)
    found = tables(document.value) if document.place == "/" and isinstance(document.value, dict) else {}
    return {"tables": found, **inside} if found else inside


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
        yield Record(f"record {number}", {}, value, repeated, cursor.raw)


def _document(cursor: Cursor, given: Json) -> Iterator[Record]:
    way = [part for part in given.records.split(".") if part]
    yield from _at(cursor, way, "", {}, given.keep)
    if behind := cursor.peek():
        lines = behind == "{" and not way
        remedy = "if these are JSON Lines, set the option `lines: true`" if lines else "ask for the delivery again"
        raise cursor.wrong("more stands behind the end", remedy=remedy)


def _at(cursor: Cursor, way: list[str], place: str, kept: dict[str, Any], keep: list[str]) -> Iterator[Record]:
    """Yield the records at the end of a way that begins here."""
    if not way:
        if cursor.peek() == "[":
            for number in cursor.elements():
                value, repeated = cursor.value()
                yield Record(f"{place}/{number}", kept, value, repeated, cursor.raw)
        else:
            value, repeated = cursor.value()
            yield Record(place or "/", kept, value, repeated, cursor.raw)
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
            yield from _at(cursor, way[1:], f"{place}/{escaped(key)}", {**here, **more}, keep)
        else:
            value, _ = cursor.value()
            if key in keep and found:
                raise cursor.wrong(f"{key!r}, which is to be kept, stands behind the records")
            here |= {key: value} if key in keep else {}
    if not found and way[0] != EVERY:
        raise UserError(f"there is no {way[0]!r} in {place or 'the document'}", where=cursor.where,
                        remedy=f"it has {', '.join(map(repr, sorted(seen)[:20]))}; mend the option `records`")  # fmt: skip
