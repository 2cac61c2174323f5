"""What an ORC file says of its columns in its footer, compared with what was read: the format has no checksums.

Layout: ORC Specification v1, "File Tail", and orc_proto.proto; a message is read as Protocol Buffers lay it down.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.readers.protobuf import Message, message, numbers
from schemas.errors import UserError

FOOTER, TYPES, STATISTICS, SUBTYPES = 2, 4, 7, 2
COUNT, WHOLE, DOUBLE, STRING = 1, 2, 3, 4
CLOSE = 1e-9  # double sums depend on their order


@dataclass
class Sums:
    """What a column is said to hold, and what was seen of it."""

    said: Message
    count: int = 0
    total: float = 0
    low: list[Any] = field(default_factory=list)
    high: list[Any] = field(default_factory=list)

    def add(self, column: pa.Array) -> None:
        """Count in the values of one stripe."""
        kept = column.drop_null()
        self.count += len(kept)
        if not len(kept) or not (WHOLE in self.said or DOUBLE in self.said or STRING in self.said):
            return
        if pa.types.is_string(kept.type):
            self.total += pc.sum(pc.binary_length(kept)).as_py() or 0
            return
        if not pa.types.is_integer(kept.type) and not pa.types.is_floating(kept.type):
            return
        wide = kept.cast(pa.decimal128(38, 0)) if pa.types.is_integer(kept.type) else kept
        self.total += int(pc.sum(wide).as_py()) if pa.types.is_integer(kept.type) else pc.sum(kept).as_py()
        ends = pc.min_max(kept).as_py()
        self.low.append(ends["min"])
        self.high.append(ends["max"])

    def unlike(self) -> str:
        """Say what is not as the footer says, nothing if all is."""
        if COUNT in self.said and self.said[COUNT][0] != self.count:
            return f"{self.count} values were read, of {self.said[COUNT][0]}"
        for kind in (WHOLE, DOUBLE):
            said = {key: _said(value[0]) for key, value in message(self.said[kind][0]).items()} if kind in self.said else {}
            seen = {1: min(self.low), 2: max(self.high), 3: self.total} if self.low else {}
            for key in said.keys() & seen.keys():
                if not _alike(said[key], seen[key]):
                    return f"their {('smallest', 'largest', 'sum')[key - 1]} is {seen[key]}, not {said[key]}"
        said = {key: value[0] for key, value in message(self.said[STRING][0]).items()} if STRING in self.said else {}
        if 3 in said and _said(said[3]) != self.total:
            return f"their texts are {self.total} bytes, not {_said(said[3])}"
        return ""


def announced(tail: bytes, schema: pa.Schema) -> dict[str, Sums]:
    """Return what the tail of a file says of its columns, by their names; nothing where it says nothing."""
    footer = message(message(tail)[FOOTER][0])
    types, statistics = footer.get(TYPES, []), footer.get(STATISTICS, [])
    columns = [number for packed in message(types[0]).get(SUBTYPES, []) for number in numbers(packed)] if types else []
    if len(columns) != len(schema.names):
        return {}
    return {name: Sums(message(statistics[number])) for name, number in zip(schema.names, columns, strict=True)
            if number < len(statistics)}  # fmt: skip


def check(sums: dict[str, Sums], where: str) -> None:
    """Raise UserError where what was read is not what the file says it holds."""
    for name, one in sums.items():
        if wrong := one.unlike():
            raise UserError(f"the file is damaged: in column {name!r} {wrong}", where=where, remedy="ask for the delivery again")


def _said(value: int | bytes) -> Any:
    """Return a number as statistics give it: a double, or a whole number in zigzag."""
    return struct.unpack("<d", value)[0] if isinstance(value, bytes) else (value >> 1) ^ -(value & 1)


def _alike(said: Any, seen: Any) -> bool:
    if isinstance(seen, float):
        return math.isclose(said, seen, rel_tol=CLOSE, abs_tol=CLOSE) or not math.isfinite(said + seen)
    return bool(said == seen)
