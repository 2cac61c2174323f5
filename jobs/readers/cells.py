"""Cells of a spreadsheet: addresses and canonical text."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

MANY = 5000
SMALL = 1e-4  # Python writes what is smaller with an exponent
SHORT = 1e10  # and Arrow what is not
LARGE = 1e15  # whole numbers beyond have more digits than a double keeps


def letters(column: int) -> str:
    """Return the letters of a column, 0-based: 0 is A, 26 is AA."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def column_of(text: str) -> int:
    """Return the 0-based column of letters; raise ValueError if they are none."""
    if not re.fullmatch(r"[A-Za-z]{1,3}", text):
        raise ValueError(f"{text!r} is not a column")
    number = 0
    for char in text.upper():
        number = number * 26 + ord(char) - 64
    return number - 1


def canonical(value: Any) -> str | None:
    """Return a cell as text: integers without a point, floats as Python writes them, dates in ISO; NULL if empty.

    Hours that are more than a day, as a sum of times is, stay hours: `36:00:00`.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < LARGE else repr(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return _hours(value) if isinstance(value, datetime.timedelta) else str(value)


def _hours(value: datetime.timedelta) -> str:
    sign, whole = ("-", -value) if value < datetime.timedelta(0) else ("", value)
    minutes, seconds = divmod(whole.days * 86400 + whole.seconds, 60)
    rest = f".{whole.microseconds:06d}".rstrip("0") if whole.microseconds else ""
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{rest}"


def texts(values: Sequence[Any]) -> pa.Array:
    """Return the canonical texts of a column; the types in it tell the quickest way."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return pa.array([value or None for value in values], pa.string())
    if kinds == {float} and len(values) >= MANY and (found := _numbers(values)) is not None:
        return found
    return pa.array([canonical(value) for value in values], pa.string())


def _numbers(values: Sequence[float]) -> pa.Array | None:
    """Return numbers as text; None where one is so large or small that it is not written as Python writes it."""
    numbers = np.array(values) + 0.0  # -0.0 + 0.0 is 0.0
    size = np.abs(numbers)
    if not size.max() < LARGE or ((size < SMALL) & (size > 0)).any():
        return None
    if size.max() < SHORT:
        return pa.array(numbers).cast(pa.string())
    import polars as pl  # a library that takes longer to begin than many numbers to write

    written = pl.Series(numbers).cast(pl.String).str.strip_suffix(".0")
    return written.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string())
