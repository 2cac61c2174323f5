"""Payloads of messages as rows: those of one shape are parsed and laid out together, each other one by itself."""

from __future__ import annotations

import gc
import json
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.readers.json_stream import Number, text
from jobs.readers.names import Names

LARGEST = 1 << 20  # bytes; brokers take no more unless they are told to
VALUE = "value"
FEW = 50  # rows of one shape that are not worth columns of their own


@dataclass
class Parsed:
    """Payloads that were read: lots of one shape in columns, single rows, and those that are wrong with reason and text."""

    names: Names
    lots: list[tuple[list[int], dict[str, pa.Array]]] = field(default_factory=list)
    single: list[tuple[int, dict[str, str | None]]] = field(default_factory=list)
    wrong: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def numbers(self) -> list[int]:
        """The places of the payloads, in the order of the rows of `table`."""
        return [n for numbers, _ in self.lots for n in numbers] + [n for n, _ in self.single]

    def columns(self) -> dict[str, pa.ChunkedArray]:
        """Return the values of each column."""
        return {name: pa.chunked_array(self._chunks(name), pa.string()) for name in self.names.found}

    def _chunks(self, name: str) -> list[pa.Array]:
        lots = [columns[name] if name in columns else pa.nulls(len(numbers), pa.string()) for numbers, columns in self.lots]
        return [*lots, pa.array([row.get(name) for _, row in self.single], pa.string())]

    def rows(self) -> list[dict[str, str | None]]:
        """Return the payloads as rows."""
        return list(pa.table(self.columns()).to_pylist()) if self.names.found else []


def parsed(values: pa.Array, payload: str, names: Names) -> Parsed:
    """Parse payloads (binary); what can't be read, or can't be told apart, is wrong by itself alone."""
    found = Parsed(names)
    texts = _texts(values, found)
    if payload == "text":
        names.wrong([VALUE])
        found.single += [(number, {VALUE: one}) for number, one in enumerate(texts) if one is not None]
        return found
    # What is made here is kept: to look for cycles in it again and again would take a third of the time.
    gc.disable()
    try:
        odd = _lots(texts, found)
    finally:
        gc.enable()
    for number in odd:
        _one(number, str(texts[number]), found)
    return found


def _lots(texts: list[str | None], found: Parsed) -> list[int]:
    """Take in the payloads that many share their shape with, and return the places of the others."""
    shapes: dict[Any, tuple[list[int], list[Any]]] = {}
    odd: list[int] = []
    for number, one in enumerate(texts):
        if one is None:
            continue
        try:
            pairs, end = _scan(one, 0)
            names, row = zip(*pairs, strict=True)
        except (ValueError, TypeError, RecursionError, StopIteration):  # no JSON, no object, or one without a field
            odd.append(number)
            continue
        if type(pairs) is not tuple or end != len(one):
            odd.append(number)
            continue
        lot = shapes.get(names)
        if lot is None:
            lot = shapes[names] = ([], [])
        lot[0].append(number)
        lot[1].append(row)
    for names, (numbers, rows) in shapes.items():
        columns = _columns(names, rows) if len(numbers) >= FEW else {}
        if not columns or found.names.wrong(names):
            odd += numbers
        else:
            found.lots.append((numbers, columns))
    return sorted(odd)


def _columns(shape: tuple[str, ...], rows: list[Any]) -> dict[str, pa.Array]:
    """Return rows as columns where they hold texts and numbers alone, and no name comes twice; else nothing."""
    if len(set(shape)) < len(shape):
        return {}
    columns = list(zip(*rows, strict=True))
    if not all(set(map(type, column)) <= {str, type(None)} for column in columns):
        return {}
    try:
        return {name: pa.array(column, pa.string()) for name, column in zip(shape, columns, strict=True)}
    except UnicodeEncodeError:  # half of a pair of code points
        return {}


def _texts(values: pa.Array, found: Parsed) -> list[str | None]:
    """Return payloads as text, all at once where all are."""
    try:
        if not values.null_count and pc.max(pc.binary_length(values)).as_py() <= LARGEST:
            return list(values.cast(pa.string()).to_pylist())
    except pa.ArrowInvalid:
        pass
    return [_decoded(number, value, found) for number, value in enumerate(values.to_pylist())]


def _decoded(number: int, value: bytes | None, found: Parsed) -> str | None:
    if value is None:
        found.wrong.append((number, "no payload (a tombstone)", ""))
        return None
    if len(value) > LARGEST:
        found.wrong.append((number, f"a payload of more than {LARGEST >> 20} MB", value[:4096].decode("utf-8", "replace")))
        return None
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        found.wrong.append((number, f"the bytes are not UTF-8: {error.reason}", value.decode("utf-8", "backslashreplace")))
        return None


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


# All in C, without a step of Python for each number and object: an object comes as a tuple of its pairs.
_quick: Any = json.JSONDecoder(object_pairs_hook=tuple, parse_float=str, parse_int=str, parse_constant=_constant)
_scan = _quick.scan_once
_exact = json.JSONDecoder(object_pairs_hook=lambda pairs: _pairs(pairs), parse_float=Number, parse_int=Number,
                          parse_constant=_constant)  # fmt: skip


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in found if keys.count(key) > 1)!r} stands twice")
    return found


def _one(number: int, payload: str, found: Parsed) -> None:
    """Read one payload by itself, or say what is wrong with it."""
    try:
        value = _exact.decode(payload)
        if isinstance(value, list):
            raise ValueError("an array, where one record is expected")  # noqa: TRY301 - all are told in one way
        row: dict[str, str | None] = {}
        _spread(value if isinstance(value, dict) else {VALUE: value}, "", row)
        "".join(one for one in row.values() if one).encode()
        reason = found.names.wrong(row)
    except UnicodeEncodeError:
        reason = "half of a pair of code points (a lone surrogate)"
    except RecursionError:
        reason = "objects in objects without end"
    except json.JSONDecodeError as error:
        reason = f"no JSON: {error.msg}, at {error.pos}"
    except ValueError as error:
        reason = str(error)
    if reason:
        found.wrong.append((number, reason, payload.encode("utf-8", "backslashreplace").decode()))
    else:
        found.single.append((number, row))


def _spread(value: dict[str, Any], prefix: str, row: dict[str, str | None]) -> None:
    for key, one in value.items():
        name = f"{prefix}{key}"
        if isinstance(one, dict) and one:
            _spread(one, f"{name}.", row)
        elif name in row:
            raise ValueError(f"two values for the column {name!r}")
        else:
            row[name] = text(one)
