"""Which tables a JSON document holds: every list of objects in it, with what stands before it on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from jobs.readers.tree import EVERY

MOST = 20
DOCUMENT = "document"

Objects = list[dict[str, Any]]
Table = tuple[list[str], list[str], int]  # the way to the records, what is kept of it, how many records there are


def tables(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return name → options of the tables of a document, the longest first; nothing where it is a record itself.

    The document stands last where it says what no row of them would keep.
    """
    found = sorted(_tables([document], [], []), key=lambda one: -one[2])[:MOST]
    told: dict[str, dict[str, Any]] = {}
    for way, keep, _ in found:
        path = ".".join(way)
        told[path] = {"records": path} | ({"keep": keep} if keep else {})
    kept = {name for _, keep, _ in found for name in keep}
    ways = {way[0] for way, _, _ in found}
    if found and any(value not in (None, "", [], {}) for name, value in document.items() if name not in kept | ways):
        told[DOCUMENT] = {}
    return told


def _tables(objects: Objects, way: list[str], keep: list[str]) -> Iterator[Table]:
    """Yield the lists of objects below objects of one place; a key that one of them lacks leads nowhere."""
    for key in objects[0]:
        if not key or "." in key or key == EVERY or not all(key in one for one in objects):
            continue
        values = [one[key] for one in objects]
        kept = _told_apart([*keep, *_before(objects, key)])
        if all(isinstance(value, dict) and value for value in values):
            yield from _tables(values, [*way, key], kept)
        elif all(isinstance(value, list) for value in values):
            records = [one for value in values for one in value]
            if records and all(isinstance(one, dict) for one in records):
                names = {name for one in records for name in one}
                yield [*way, key], [name for name in kept if name not in names], len(records)
                yield from _tables(records, [*way, key, EVERY], kept)


def _before(objects: Objects, key: str) -> list[str]:
    """Return the plain values that stand before a key in every object, which a reader can keep on its way."""
    names = [name for name in list(objects[0])[: list(objects[0]).index(key)] if not isinstance(objects[0][name], (dict, list))]
    orders = [list(one) for one in objects]
    return [name for name in names if all(name in order and order.index(name) < order.index(key) for order in orders)
            and not any(isinstance(one[name], (dict, list)) for one in objects)]  # fmt: skip


def _told_apart(names: list[str]) -> list[str]:
    """Leave out names that stand twice on the way: a row could not say which of them it keeps."""
    return [name for name, times in Counter(names).items() if times == 1]
