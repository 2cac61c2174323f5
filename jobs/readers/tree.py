"""A tree in memory, walked to its records along a way: keys with dots between, `*` for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jobs.readers.records import Record
from schemas.errors import UserError

EVERY = "*"
KEY = "_key"


def at(value: Any, way: list[str], place: str, kept: Mapping[str, Any], keep: list[str], where: str) -> Iterator[Record]:
    """Yield the records at the end of a way that begins here: the elements of an array, or the value itself."""
    if not way:
        if isinstance(value, list):
            yield from (Record(f"{place}/{number}", kept, one) for number, one in enumerate(value))
        else:
            yield Record(place or "/", kept, value)
    elif isinstance(value, list) and way[0] == EVERY:
        for number, one in enumerate(value):
            yield from at(one, way[1:], f"{place}/{number}", kept, keep, where)
    elif isinstance(value, dict):
        yield from _below(value, way, place, kept, keep, where)
    else:
        raise UserError(f"there is no {way[0]!r} in {place or 'the document'}, which is no object", where=where,
                        remedy="mend the option `records`")  # fmt: skip


def _below(
    value: dict[str, Any], way: list[str], place: str, kept: Mapping[str, Any], keep: list[str], where: str
) -> Iterator[Record]:  # fmt: skip
    if way[0] != EVERY and way[0] not in value:
        raise UserError(f"there is no {way[0]!r} in {place or 'the document'}", where=where,
                        remedy=f"it has {', '.join(map(repr, sorted(value)[:20]))}; mend the option `records`")  # fmt: skip
    column = KEY if KEY not in kept else f"{KEY}{1 + sum(name.startswith(KEY) for name in kept)}"
    for key in value if way[0] == EVERY else way[:1]:
        beside = {column: key} if way[0] == EVERY else {name: value[name] for name in keep if name in value and name != key}
        here = {**kept, **beside}
        yield from at(value[key], way[1:], f"{place}/{escaped(key)}", here, keep, where)


def escaped(key: str) -> str:
    """Return a key as a step of a JSON Pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
