"""Messages of Protocol Buffers, taken apart by the numbers of their fields (Encoding, protobuf.dev)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

Message = dict[int, list[Any]]


def message(data: bytes) -> Message:
    """Return the fields of a message by their numbers, each with its values in order."""
    found: Message = defaultdict(list)
    place = 0
    while place < len(data):
        tag, place = _number(data, place)
        kind = tag & 7
        if kind == 0:
            value, place = _number(data, place)
            found[tag >> 3].append(value)
            continue
        size, place = _number(data, place) if kind == 2 else ({1: 8, 5: 4}[kind], place)
        found[tag >> 3].append(data[place : place + size])
        place += size
    return found


def _number(data: bytes, place: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte = data[place]
        found |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & 0x80:
            return found, place


def numbers(packed: bytes | int) -> list[int]:
    """Return the numbers of a packed field, or the one that stands alone."""
    if isinstance(packed, int):
        return [packed]
    found, place = [], 0
    while place < len(packed):
        number, place = _number(packed, place)
        found.append(number)
    return found
