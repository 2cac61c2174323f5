"""Messages of PostgreSQL's logical decoding, plugin pgoutput, protocol 1.

https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
FULL = "f"
UNCHANGED = object()
Value = str | object | None


@dataclass(frozen=True)
class Begin:
    """A transaction begins: its number, where in the log it was committed, and when."""

    xid: int
    lsn: int
    committed: datetime


@dataclass(frozen=True)
class Commit:
    """A transaction ends; the log goes on behind `end`."""

    end: int


@dataclass(frozen=True)
class Relation:
    """A table as the rows that follow have it: names of columns and the numbers of their types."""

    number: int
    name: str
    identity: str
    columns: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Change:
    """A row as it was and as it is; UNCHANGED stands for a long value that is not told again."""

    op: str
    relation: int
    old: tuple[Value, ...] | None
    new: tuple[Value, ...] | None


@dataclass(frozen=True)
class Truncate:
    """Tables are emptied."""

    relations: tuple[int, ...]


Message = Begin | Commit | Relation | Change | Truncate | None


def message(data: bytes) -> Message:
    """Return what a message says; None for kinds that say nothing of rows."""
    kind = data[:1]
    if kind == b"B":
        final, micros, xid = struct.unpack_from(">QqI", data, 1)
        return Begin(xid, final, EPOCH + timedelta(microseconds=micros))
    if kind == b"C":
        return Commit(struct.unpack_from(">BQQ", data, 1)[2])
    if kind == b"R":
        return _relation(data)
    if kind == b"T":
        count = struct.unpack_from(">IB", data, 1)[0]
        return Truncate(struct.unpack_from(f">{count}I", data, 6))
    return _change(data) if kind in (b"I", b"U", b"D") else None


def lsn(text: str) -> int:
    """Return a place in the log, e.g. 0/16B3748, as a number."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def lsn_text(number: int) -> str:
    """Return a place in the log as PostgreSQL writes it."""
    return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"


def _relation(data: bytes) -> Relation:
    (number,) = struct.unpack_from(">I", data, 1)
    schema, place = _text(data, 5)
    name, place = _text(data, place)
    identity, count = struct.unpack_from(">cH", data, place)
    place += 3
    columns = []
    for _ in range(count):
        column, place = _text(data, place + 1)
        columns.append((column, struct.unpack_from(">I", data, place)[0]))
        place += 8
    return Relation(number, f"{schema}.{name}", identity.decode(), tuple(columns))


def _text(data: bytes, place: int) -> tuple[str, int]:
    end = data.index(b"\0", place)
    return data[place:end].decode(), end + 1


def _change(data: bytes) -> Change:
    op = {b"I": "insert", b"U": "update", b"D": "delete"}[data[:1]]
    (relation,) = struct.unpack_from(">I", data, 1)
    place, found = 5, {}
    while place < len(data):
        which = data[place : place + 1]
        found[which], place = _row(data, place + 1)
    return Change(op, relation, found.get(b"O"), found.get(b"N"))


def _row(data: bytes, place: int) -> tuple[tuple[Value, ...], int]:
    (count,) = struct.unpack_from(">H", data, place)
    place += 2
    values: list[Value] = []
    for _ in range(count):
        kind = data[place : place + 1]
        place += 1
        if kind == b"t":
            (length,) = struct.unpack_from(">I", data, place)
            values.append(data[place + 4 : place + 4 + length].decode())
            place += 4 + length
        else:
            values.append(None if kind == b"n" else UNCHANGED)
    return tuple(values), place
