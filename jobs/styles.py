"""Which style of numbers or dates a column of texts is in, where only one reads every value of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from jobs import dates, written
from jobs.date_shapes import MONTHS, shape
from schemas.contract import Column, Written
from schemas.numbers import LIMIT

NOTHING = (
    "-", "--", "—", "——", "–", "\uff0d", "/", "n/a", "N/A", "NA", "#N/A", "n.a.", "..", "...", "null", "NULL", "None", "无",
    "缺测",
)  # fmt: skip
# Decimal sign and what stands between groups of digits.
SIGNS = ((".", None), (".", ","), (".", " "), (".", "'"), (",", None), (",", "."), (",", " "))
DAYS = (
    "yyyy/M/d", "yyyy-M-d", "yyyy.M.d", "d.M.yyyy", "M/d/yyyy", "d/M/yyyy", "M/d/yy", "d/M/yy", "yy/M/d", "d.M.yy", "d MMM yyyy",
    "d MMMM yyyy", "MMM d, yyyy", "MMMM d, yyyy", "d-MMM-yyyy", "d-MMM-yy", "yyyy-MM", "yyyy/M", "chinese", "quarter",
)  # fmt: skip
DIGITS = 15  # that a double always tells apart
CODE = re.compile(r"0[0-9]")  # a zero before a number makes it a code
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
POINT = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?")


@dataclass(frozen=True)
class Style:
    """A type, and the keys of the column that say how its values are written."""

    type: str
    more: dict[str, Any] = field(default_factory=dict)


def styles(values: Mapping[str, Sequence[str]]) -> dict[str, Style]:
    """Return header → style of the columns whose every value one style reads; `values` are distinct ones.

    A column that two styles read differently, such as `1,234` alone, is in the style that another column of the file can
    only be in, if there is one; else nobody knows, and it stays text.
    """
    found = {name: _number(some) or _day(some) for name, some in values.items()}
    signs = {_signs(one[0]) for one in found.values() if len(one) == 1 and "written" in one[0].more}
    sure = {}
    for name, able in found.items():
        able = able if len(able) == 1 else [one for one in able if _signs(one) in signs]
        if len(able) == 1:
            sure[name] = able[0]
    return sure


def _signs(one: Style) -> tuple[Any, Any]:
    how = one.more.get("written", {})
    return how.get("decimal", "."), how.get("thousands")


def _without_nothing(values: Iterable[str]) -> tuple[list[str], dict[str, Any]]:
    told = [value.strip(written.AROUND) for value in values]
    nothing = [value for value in dict.fromkeys(told) if value in NOTHING]
    return [value for value in told if value and value not in NOTHING], {"null_values": nothing} if nothing else {}


def _number(values: Sequence[str]) -> list[Style]:
    """Return the styles that read every value as a number, those left out that read as another one does."""
    told, nothing = _without_nothing(values)
    if not told or any(CODE.match(value) for value in told):
        return []
    if all(map(WHOLE.fullmatch, told)):
        return [Style("bigint", nothing)]
    if all(map(POINT.fullmatch, told)):
        exact = all(len(value.lstrip("-").replace(".", "")) <= DIGITS for value in told)
        small = all(abs(float(value)) < LIMIT for value in told)
        return [Style("decimal(28,6)" if small else "double", nothing)] if exact else []
    narrow = [value.translate(str.maketrans(written.WIDE, written.PLAIN)).strip(" ") for value in told]
    marks = _marks(told, narrow)
    able: dict[tuple[str | None, ...], Style] = {}
    for decimal, thousands in SIGNS:
        how = marks | ({"decimal": decimal} if decimal != "." else {}) | ({"thousands": thousands} if thousands else {})
        signs = [sign for sign in (thousands, decimal if decimal == "," else None) if sign]
        there = all(any(sign in value for value in narrow) for sign in signs)
        read = _read(narrow, how) if how and there and all(len(re.sub(r"\D", "", value)) <= DIGITS for value in narrow) else []
        if read and not (thousands == " " and all(" " in value for value in narrow)):
            able.setdefault(tuple(read), Style(_type(read, how), {"written": how} | nothing | _unit(how)))
    return list(able.values())


def _marks(told: list[str], narrow: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if any(one != other for one, other in zip(told, narrow, strict=True)):
        found["wide"] = True
    if any(value.rstrip(") ").endswith(tuple(written.COUNTS)) for value in narrow):
        found["counts"] = True
    if all(value.rstrip(") ").endswith("%") for value in narrow):
        found["percent"] = True
    if any(value.startswith("(") for value in narrow):
        found["parentheses"] = True
    if any(re.match(written.QUALIFIER, value) for value in narrow):
        found["qualifier"] = "qualifier"
    return found


def _read(values: list[str], how: Mapping[str, Any]) -> list[str]:
    """Return the values as plain digits, nothing where one of them is not in the style."""
    column = Column(type="decimal(28,6)", written=Written(**how), **_unit(how))
    test = re.compile(written.pattern(column))
    if not all(map(test.match, values)):
        return []
    came, goes = written.translated(column.written or Written())
    gone = str.maketrans(came[0], goes, came[1:])
    return [value.translate(gone) for value in values]


def _unit(how: Mapping[str, Any]) -> dict[str, str]:
    return {"unit": "%"} if "percent" in how else {}


def _type(read: list[str], how: Mapping[str, Any]) -> str:
    if not {"counts", "percent"} & {*how} and all(WHOLE.fullmatch(value.lstrip("+")) for value in read):
        return "bigint"
    return "decimal(28,6)" if all(len(value.partition(".")[2]) <= 6 and "e" not in value.lower() for value in read) else "double"


def _day(values: Sequence[str]) -> list[Style]:
    told, nothing = _without_nothing(values)
    if not told:
        return []
    # A day that only a model's calendar has is no instant.
    if all(re.match(dates.ISO, value) and _days(value[:10], "yyyy-MM-dd") for value in told):
        return [Style("timestamp", {"format": "iso"} | nothing)]
    if all(re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value) and _days(value, "yyyy-MM-dd") for value in told):
        return [Style("date", nothing)]
    able: dict[tuple[date | str, ...], Style] = {}
    for format_ in DAYS:
        read = [_days(value, format_) for value in told]
        if all(read):
            able.setdefault(tuple(one for one in read if one), Style("date", {"format": format_} | nothing))
    return list(able.values())


def _days(text: str, format_: str) -> date | str | None:
    """Return the day that a text says in a format, or itself where its shape is all that is looked at."""
    if format_ in ("chinese", "quarter"):
        plain = text.translate(str.maketrans(*dates.DIGITS))
        return text if re.match(dates.CHINESE + "$" if format_ == "chinese" else dates.QUARTER, plain) else None
    one = shape(format_)
    if not (found := re.fullmatch(one.regex, text)):
        return None
    part = {name: found[group] for name, group in one.groups.items()}
    year = int(part["y"]) + (0 if "yyyy" in format_ else 2000 if part["y"] < "70" else 1900)
    month = MONTHS.index(part["M"][:3].lower()) // 3 + 1 if "MMM" in format_ else int(part["M"])
    try:
        return date(year, month, int(part.get("d", 1)))
    except ValueError:
        return None
