"""Arrays in the types of a table, where they fit them as they stand, and the limits that a row may break."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jobs.readers.grid import Column
from schemas import types

FOUND = {"double": ("double", "int64"), "bigint": ("int64",), "int": ("int64",), "timestamp": ("string",)}
INT = np.iinfo(np.int32)


class NotPlain(Exception):  # noqa: N818 - it is for the other way to read this, no error
    """The file holds what is not taken as it stands."""


def fitting(column: Column | None, type_: str, header: str) -> Column:
    """Return the column of a header. Raise NotPlain where it is not there, or of a type that is not taken as it stands."""
    if column is None:
        raise NotPlain(f"there is no {header}")
    if str(column.type) not in FOUND.get(type_, ()):
        raise NotPlain(f"{header} is {column.type}, and {type_} is asked for")
    return column


def typed(found: pa.Array, type_: str) -> tuple[pa.Array, npt.NDArray[np.bool_] | None]:
    """Return values as found in their type, and where they do not fit; NaN and infinity fit no double of the lake."""
    if type_ == "timestamp":
        return _instants(found), None
    if type_ == "double" and pa.types.is_floating(found.type):
        odd = known(~np.isfinite(numbers(found)), found)
        return (found, None) if odd is None else (_without(found, odd), odd)
    if type_ == "int":
        whole = numbers(found)
        odd = known((whole < INT.min) | (whole > INT.max), found)
        return (found if odd is None else _without(found, odd)).cast(pa.int32()), odd
    return found.cast(types.arrow(type_)), None


def _without(found: pa.Array, odd: npt.NDArray[np.bool_]) -> pa.Array:
    return pc.if_else(pa.array(odd), pa.scalar(None, found.type), found)


def numbers(found: pa.Array) -> npt.NDArray[Any]:
    """Return numbers as they lie in memory; where one is NULL anything may lie."""
    buffer = found.buffers()[1]
    every: npt.NDArray[Any] = np.frombuffer(buffer if buffer is not None else b"", found.type.to_pandas_dtype())
    return every[found.offset : found.offset + len(found)]


def known(odd: npt.NDArray[np.bool_], found: pa.Array) -> npt.NDArray[np.bool_] | None:
    """Return where something is odd and no NULL, None where it is so nowhere."""
    if found.null_count and odd.any():
        odd = odd & found.is_valid().to_numpy(zero_copy_only=False)
    return odd if odd.any() else None


def _instants(found: pa.Array) -> pa.Array:
    """Return instants to the millisecond; days that only a model's calendar knows are no instants."""
    texts = found.drop_null().to_pylist()
    if any(text[4] != "-" or text < "0002" for text in texts):
        raise NotPlain("years that the lake does not know")
    try:
        moments = found.cast(pa.timestamp("us", tz="UTC"))
    except pa.ArrowInvalid as error:
        raise NotPlain(f"days that only a model's calendar knows: {error}") from None
    return pc.floor_temporal(moments, unit="millisecond") if any("." in text for text in texts) else moments


def broken(values: pa.Array, rule: str, low: float | None, high: float | None) -> npt.NDArray[np.bool_] | None:
    """Tell which rows break a rule, None where none does; what is missing breaks `not_null` alone."""
    if rule == "not_null":
        gone: npt.NDArray[np.bool_] | None = values.is_null().to_numpy(zero_copy_only=False) if values.null_count else None
        return gone
    found = numbers(values)
    bad = np.zeros(len(found), dtype=bool) if low is None else found < low
    if high is not None:
        bad |= found > high
    return known(bad, values)
