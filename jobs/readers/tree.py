"""A tree in memory, walked to its records along a way: keys with dots between, `*` for each of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from jobs.readers.records import Narrower, Record
from schemas.errors import UserError

EVERY = "*"
KEY = "_key"
MOSTLY = 0.9


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


def narrower(records: str, keep: list[str]) -> Narrower:
    """Return what says, of an object whose keys are values so that it has too many columns, which options read it by these."""

    def remedy(columns: list[str]) -> str:
        way, beside, inside = [], dict[str, None](), [name.split(".") for name in columns]
        while inside:
            (name, times), *_ = Counter(parts[0] for parts in inside if len(parts) > 1).most_common(1) or [("", 0)]
            if times < MOSTLY * len(inside):
                break
            way.append(name)
            beside |= dict.fromkeys(parts[0] for parts in inside if parts[0] != name)
            inside = [parts[1:] for parts in inside if parts[0] == name and len(parts) > 1]
        kept = [*keep, *(name for name in beside if name not in keep and not name.startswith(KEY))]
        and_keep = f", `keep: {json.dumps(kept, ensure_ascii=False)}`" if kept else ""
        return f"where keys are values set the options `records: '{'.'.join(filter(None, [records, *way, EVERY]))}'`{and_keep}"

    return remedy
