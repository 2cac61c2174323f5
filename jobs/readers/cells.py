"""Cells of a spreadsheet: addresses and canonical text."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any


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
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return _hours(value) if isinstance(value, datetime.timedelta) else str(value)


def _hours(value: datetime.timedelta) -> str:
    sign, whole = ("-", -value) if value < datetime.timedelta(0) else ("", value)
    minutes, seconds = divmod(whole.days * 86400 + whole.seconds, 60)
    rest = f".{whole.microseconds:06d}".rstrip("0") if whole.microseconds else ""
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{rest}"


def texts(values: Sequence[Any], kinds: set[type]) -> list[str | None]:
    """Return the canonical texts of a column; `kinds` are the types in it, which tell the quickest way."""
    if kinds <= {str}:
        return [value or None for value in values]
    if kinds <= {float, str}:
        return [_number(value) if type(value) is float else value or None for value in values]
    return [canonical(value) for value in values]


def _number(value: float) -> str:
    text = repr(value)
    return (text[:-2] if value else "0") if text[-2:] == ".0" and -1e15 < value < 1e15 else text
