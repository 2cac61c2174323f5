"""Columns of a file that has types of its own, in the types of its table, where they are what an engine would make of them.

Whatever an engine might read in another way is not taken: then an engine does read it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jobs.readers import fitting
from jobs.readers.fitting import NotPlain
from schemas import types
from schemas.numbers import EXACT, LIMIT

Unfit = npt.NDArray[np.bool_] | None
# Digits, signs, a point and an exponent are a number or none to every engine alike; letters and blanks are not.
NUMERALS: npt.NDArray[np.bool_] = np.isin(np.arange(256), np.frombuffer(b"0123456789+-.eE", np.uint8))
BLANK = 32
MILLION = 1_000_000
FIRST_DAY, LAST_DAY = -718_797, 2_932_896  # 0002-01-01 and 9999-12-31: engines differ on days before
A_DAY = 86_400_000_000  # microseconds


def taken(found: pa.Array, type_: str) -> tuple[pa.Array, Unfit]:
    """Return values in a type of the lake, and where what was found does not fit. Raise NotPlain where an engine must look."""
    if pa.types.is_dictionary(found.type):
        found = found.dictionary_decode()
    try:
        if types.decimal_parts(type_):
            return _decimals(_doubles(found), type_, not pa.types.is_floating(found.type))
        if type_ in ("bigint", "int") and _whole(found.type):
            return fitting.typed(found.cast(pa.int64()), type_)
        if type_ == "double":
            return fitting.typed(_doubles(found), type_)
        return _as_they_are(found, type_), None
    except pa.ArrowInvalid as error:
        raise NotPlain(str(error)) from None


def _whole(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_)) and type_ != pa.uint64()


def _as_they_are(found: pa.Array, type_: str) -> pa.Array:
    kind = found.type
    if type_ == "string" and pa.types.is_string(kind):
        return _texts(found)
    if type_ == "date" and pa.types.is_date32(kind):
        return _within(found, pa.int32(), FIRST_DAY, LAST_DAY)
    if type_ == "timestamp" and pa.types.is_timestamp(kind) and kind.tz in (None, "UTC") and kind.unit != "ns":
        wide = found.cast(pa.timestamp("us", tz="UTC") if kind.tz else pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
        moments = _within(wide, pa.int64(), FIRST_DAY * A_DAY, (LAST_DAY + 1) * A_DAY - 1)
        return _to_the_millisecond(moments) if kind.unit == "us" else moments
    if type_ == "boolean" and pa.types.is_boolean(kind):
        return found
    raise NotPlain(f"{kind} for {type_}")


def _within(found: pa.Array, number: pa.DataType, first: int, last: int) -> pa.Array:
    seen = pc.min_max(found.view(number))
    low, high = seen["min"].as_py(), seen["max"].as_py()
    if low is not None and not first <= low <= high <= last:
        raise NotPlain("a day that engines read in different ways")
    return found


def _to_the_millisecond(moments: pa.Array) -> pa.Array:
    numbers = np.frombuffer(moments.buffers()[1], np.int64)[moments.offset : moments.offset + len(moments)]
    if not (numbers % 1000).any():
        return moments
    return pa.array(numbers // 1000 * 1000, mask=_missing(moments)).cast(pa.timestamp("us", tz="UTC"))


def _missing(found: pa.Array) -> Unfit:
    return found.is_null().to_numpy(zero_copy_only=False) if found.null_count else None


def _bytes(texts: pa.Array) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Return where each text begins and ends, and the bytes of all."""
    _, places, data = texts.buffers()
    ends = np.frombuffer(places, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return ends, np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)


def _texts(found: pa.Array) -> pa.Array:
    """Return texts without the blanks around them, empty ones as NULL."""
    found.validate(full=True)
    ends, data = _bytes(found)
    there = ends[1:] > ends[:-1]
    first, last = ends[:-1][there], ends[1:][there] - 1
    if (data[first] == BLANK).any() or (data[last] == BLANK).any():
        found = pc.utf8_trim(found, " ")
    elif int(there.sum()) == len(found) - found.null_count:
        return found
    return pc.if_else(pc.equal(found, ""), pa.scalar(None, pa.string()), found)


def _doubles(found: pa.Array) -> pa.Array:
    kind = found.type
    if pa.types.is_decimal(kind):
        found = found.cast(pa.string())
    if pa.types.is_string(found.type):
        ends, data = _bytes(found)
        if not NUMERALS[data[ends[0] : ends[-1]]].all():
            raise NotPlain("a text that may be a number")
        if int((ends[1:] > ends[:-1]).sum()) < len(found) - found.null_count:
            found = pc.if_else(pc.equal(found, ""), pa.scalar(None, pa.string()), found)
        numbers = found.cast(pa.float64())
        if fitting.known(~np.isfinite(fitting.numbers(numbers)), numbers) is not None:
            raise NotPlain("a number that no double holds")
        return numbers
    if not _whole(kind) and not pa.types.is_floating(kind):
        raise NotPlain(f"{kind} for a number")
    return found.cast(pa.float64())


def _decimals(found: pa.Array, type_: str, digits: bool) -> tuple[pa.Array, Unfit]:
    """Fix doubles as `schemas.numbers.fix_sql` does, half away from zero; what the type can't hold fits it not.

    `digits` tells that they were none, so that an engine takes large ones by their digits.
    """
    precision, scale = types.decimal_parts(type_) or (28, 6)
    if scale != 6:
        raise NotPlain(f"{type_} has other digits than numbers are fixed to")
    numbers = fitting.numbers(found)
    odd = fitting.known(~(np.abs(numbers) < min(LIMIT, 10.0 ** (precision - scale))), found)
    if digits and fitting.known(np.abs(numbers) >= EXACT, found) is not None:
        raise NotPlain("a number of more digits than a double tells apart")
    gone = _missing(found)
    if odd is not None:
        gone = odd if gone is None else gone | odd
    with np.errstate(invalid="ignore", over="ignore"):
        whole = np.floor(np.abs(numbers) * 1e6 + 0.5)
    scaled = (whole if gone is None else np.where(gone, 0.0, whole)).astype(np.int64)
    np.negative(scaled, out=scaled, where=numbers < 0)
    return decimals(scaled, gone, type_), odd


def decimals(scaled: npt.NDArray[np.int64], gone: Unfit, type_: str) -> pa.Array:
    """Return whole millionths as decimals of six digits; Arrow keeps them as 128 bits, the low 64 first."""
    wide = np.empty((len(scaled), 2), np.int64)
    wide[:, 0], wide[:, 1] = scaled, scaled >> 63
    valid = None if gone is None else pa.array(~gone).buffers()[1]
    array = pa.Array.from_buffers(types.arrow(type_), len(scaled), [valid, pa.py_buffer(wide)])
    if int(np.abs(scaled).max(initial=0)) >= 10 ** (types.decimal_parts(type_) or (28, 6))[0]:
        raise NotPlain("a number that is rounded to more digits than its type has")
    return array


def broken(values: pa.Array, rule: str, low: Any, high: Any) -> Unfit:
    """Tell which rows break a rule; the limits of decimals come as text."""
    if not pa.types.is_decimal(values.type) or rule == "not_null":
        return fitting.broken(values, rule, low, high)
    buffer = values.buffers()[1]
    scaled = np.frombuffer(buffer, np.int64).reshape(-1, 2)[values.offset : values.offset + len(values), 0]
    limits = [None if limit is None else int(Decimal(limit) * MILLION) for limit in (low, high)]
    bad = np.zeros(len(values), dtype=bool) if limits[0] is None else scaled < limits[0]
    if limits[1] is not None:
        bad |= scaled > limits[1]
    return fitting.known(bad, values)
