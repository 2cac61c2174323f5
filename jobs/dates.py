"""How dates are written in a source: each style is matched as a whole and put into the one order that all engines read alike.

Patterns are those of Java's DateTimeFormatter: y M d H m s S, MMM for English names of months, XXX for an offset, texts in
quotes. Engines read them with different leniency, so that what a pattern takes is said here, by a regular expression.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column as Expr
from pyspark.sql import functions as F

from jobs.zones import to_utc
from schemas.contract import DATES
from schemas.errors import UserError

MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"
_NAMES = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    "nov(?:ember)?|dec(?:ember)?"
)
TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|.", re.DOTALL)
_TWO, _ONE_OR_TWO = "([0-9]{2})", "([0-9]{1,2})"
FIELDS = {
    "yyyy": "([0-9]{4})", "yy": _TWO, "MMMM": f"({_NAMES})", "MMM": f"({_NAMES})", "MM": _TWO, "M": _ONE_OR_TWO,
    "dd": _TWO, "d": _ONE_OR_TWO, "HH": _TWO, "H": _ONE_OR_TWO, "mm": _TWO, "m": _ONE_OR_TWO, "ss": _TWO, "s": _ONE_OR_TWO,
    "SSS": "([0-9]{3})", "SSSSSS": "([0-9]{6})", "XXX": "(Z|[+-][0-9]{2}:[0-9]{2})",
}  # fmt: skip
DIGITS = ("〇零○一二三四五六七八九" + "".join(chr(0xFF10 + n) for n in range(10)), "0001234567890123456789")
_PART = "([0-9十]{1,3})"
CHINESE = rf"^([0-9]{{4}})年 *{_PART}月(?: *{_PART}[日号])?"
CLOCK = r"(?: *([0-9]{1,2})[时点:]([0-9]{1,2})(?:[分:](?:([0-9]{1,2})秒?)?)?)?$"
QUARTER = r"^(?:([0-9]{4})[-/ ]?[Qq]([1-4])|[Qq]([1-4])[-/ ]([0-9]{4})|([0-9]{4})年 *第?([1-4])季度?)$"
ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)$"
SERIAL = r"^[0-9]{1,7}(?:[.][0-9]+)?$"
# Excel counts 29 February 1900, which never was: before 1 March 1900 its days are one off. 9999-12-31 is its last day.
FIRST_SERIAL, LAST_SERIAL, EPOCH_SERIAL, SINCE_1904 = 61, 2958466, 25569, 1462
# A moment in seconds and one in milliseconds are never taken for each other.
LAST_SECOND, FIRST_MILLI = 4_102_444_800, 100_000_000_000


@dataclass(frozen=True)
class Shape:
    """A pattern as a regular expression, and the group of each field."""

    regex: str
    groups: dict[str, int]


def day(raw: Expr, formats: tuple[str, ...]) -> Expr:
    """Return the day that a text says in one of the formats, NULL where none fits or two say different days."""
    return _agreed([_dated(_ordered(raw, one)).try_cast("date") for one in formats])


def instant(raw: Expr, formats: tuple[str, ...], zone: str) -> Expr:
    """Return the instant that a text says, a local time in `zone` where its format knows no offset."""
    return _agreed([_instant(raw, one, zone) for one in formats])


def _agreed(read: list[Expr]) -> Expr:
    """What several formats read in a text counts only where they read the same."""
    found = F.coalesce(*read)
    return reduce(lambda value, one: F.when(one.isNull() | (one == found), value), read, found) if len(read) > 1 else found


def _instant(raw: Expr, format: str, zone: str) -> Expr:
    if format in ("epoch", "epoch_ms"):
        return _epoch(raw, milli=format == "epoch_ms")
    if format in ("excel", "excel_1904"):
        return _local(F.timestamp_millis(_serial_millis(raw, format)), zone)
    if format == "iso":
        # An offset without a colon, or a time without seconds before one, is none to one engine.
        told = F.regexp_replace(raw, "([+-][0-9]{2})([0-9]{2})$", "$1:$2")
        told = F.regexp_replace(told, "^([^ T]+[ T][0-9]{2}:[0-9]{2})(Z|[+-])", "$1:00$2")
        return F.when(raw.rlike(ISO), told.try_cast("timestamp"))
    found = _dated(_ordered(raw, format)).try_cast("timestamp")
    return found if format not in DATES and "XXX" in shape(format).groups else _local(found, zone)


def _local(found: Expr, zone: str) -> Expr:
    return found if zone == "UTC" else to_utc(found, zone)


def _dated(text: Expr) -> Expr:
    """Leave the year 0000 and 0001 out, which engines read differently."""
    return F.when(text >= F.lit("0002"), text)


def _ordered(raw: Expr, format: str) -> Expr:
    """Return a text as `2024-3-5 10:30:00`, NULL where it is not in the format."""
    if format == "chinese":
        return _chinese(raw)
    if format == "quarter":
        return _quarter(raw)
    if format in ("excel", "excel_1904"):
        return F.timestamp_millis(_serial_millis(raw, format)).cast("date").cast("string")
    one = shape(format)
    part = {field: F.regexp_extract(raw, one.regex, group) for field, group in one.groups.items()}
    year = part["y"] if "yyyy" in format else F.concat(F.when(part["y"] < "70", F.lit("20")).otherwise(F.lit("19")), part["y"])
    month = _named_month(part["M"]) if "MMM" in format else part.get("M", F.lit("01"))
    text = F.concat(year, F.lit("-"), month, F.lit("-"), part.get("d", F.lit("01")))
    if "H" in part:
        text = F.concat(
            text, F.lit(" "), part["H"], F.lit(":"), part.get("m", F.lit("00")), F.lit(":"), part.get("s", F.lit("00"))
        )
        text = F.concat(text, F.lit("."), part["S"]) if "S" in part else text
        text = F.concat(text, part["XXX"]) if "XXX" in part else text
    return F.when(raw.rlike(one.regex), text)


def _named_month(name: Expr) -> Expr:
    short, number = F.lower(F.substring(name, 1, 3)), F.lit("0")
    for at in range(12):
        number = F.when(short == MONTHS[3 * at : 3 * at + 3], F.lit(str(at + 1))).otherwise(number)
    return number


def shape(format: str) -> Shape:
    """Return a pattern as a regular expression. Raise UserError for letters that nobody reads the same."""
    regex, groups = "", dict[str, int]()
    for found in TOKEN.finditer(format):
        token = found[0]
        if token in FIELDS:
            field = "XXX" if token == "XXX" else token[0]
            if field in groups:
                raise UserError(f"the format {format!r} has {field!r} twice", where="format",
                                remedy="for example dd.MM.yyyy HH:mm")  # fmt: skip
            groups[field] = len(groups) + 1
            regex += FIELDS[token]
        elif found[2]:
            raise UserError(f"the format {format!r} has {token!r}, which is not read", where="format",
                            remedy=f"known: {', '.join(FIELDS)}, or one of {', '.join(DATES)}")  # fmt: skip
        else:
            said = (found[1] or "'").replace("''", "'") if token.startswith("'") else token
            regex += re.escape(said)
    if "y" not in groups or ("d" in groups and "M" not in groups) or ("H" not in groups and {*groups} & {*"msS", "XXX"}):
        raise UserError(f"the format {format!r} says no day", where="format", remedy="for example dd.MM.yyyy HH:mm")
    return Shape(f"^(?i:{regex})$" if "MMM" in format else f"^{regex}$", groups)


def _chinese(raw: Expr) -> Expr:
    text = F.translate(raw, *DIGITS)
    regex = CHINESE + CLOCK
    year, month, date, *clock = (F.regexp_extract(text, regex, group) for group in range(1, 7))
    full = F.concat(year, F.lit("-"), _tens(month), F.lit("-"), F.when(date == "", F.lit("1")).otherwise(_tens(date)))
    hour, minute, second = clock
    timed = F.concat(full, F.lit(" "), hour, F.lit(":"), minute, F.lit(":"), F.when(second == "", F.lit("0")).otherwise(second))
    return F.when(text.rlike(regex) & ((hour == "") | (date != "")), F.when(hour == "", full).otherwise(timed))


def _tens(part: Expr) -> Expr:
    """Return 十, 十五, 二十 and 二十五, their digits plain already, as 10, 15, 20 and 25."""
    ten = F.lit("十")
    first, last = part.startswith("十"), part.endswith("十")
    return (
        F.when(~F.contains(part, ten), part).when(part == ten, F.lit("10"))
        .when(first, F.concat(F.lit("1"), F.substring(part, 2, 1))).when(last, F.concat(F.substring(part, 1, 1), F.lit("0")))
        .otherwise(F.concat(F.substring(part, 1, 1), F.substring(part, 3, 1)))
    )  # fmt: skip


def _quarter(raw: Expr) -> Expr:
    text = F.translate(raw, *DIGITS)
    part = [F.regexp_extract(text, QUARTER, group) for group in range(1, 7)]
    year, number = F.concat(part[0], part[3], part[4]), F.concat(part[1], part[2], part[5])
    month = (
        F.when(number == "1", F.lit("1")).when(number == "2", F.lit("4")).when(number == "3", F.lit("7")).otherwise(F.lit("10"))
    )
    return F.when(text.rlike(QUARTER), F.concat(year, F.lit("-"), month, F.lit("-1")))


def _serial_millis(raw: Expr, format: str) -> Expr:
    """Return the local time of a serial number of Excel in milliseconds, to the second as Excel shows it."""
    number = raw.try_cast("double") + F.lit(float(SINCE_1904 if format == "excel_1904" else 0))
    fits = raw.rlike(SERIAL) & (number >= FIRST_SERIAL) & (number < LAST_SERIAL)
    seconds = F.floor((number - F.lit(float(EPOCH_SERIAL))) * F.lit(86400.0) + F.lit(0.5)).cast("bigint")
    return F.when(fits, seconds * F.lit(1000).cast("bigint"))


def _epoch(raw: Expr, *, milli: bool) -> Expr:
    number = raw.try_cast("double")
    low, high = (FIRST_MILLI, LAST_SECOND * 1000) if milli else (0, LAST_SECOND)
    fits = raw.rlike("^[0-9]+(?:[.][0-9]+)?$") & (number >= F.lit(float(low))) & (number < F.lit(float(high)))
    millis = number if milli else number * F.lit(1000.0)
    return F.when(fits, F.timestamp_millis(F.floor(millis + F.lit(0.001)).cast("bigint")))


def check(formats: tuple[str, ...], where: str) -> None:
    """Raise UserError, naming the place, for formats that nobody reads."""
    for one in formats:
        if one in DATES:
            continue
        try:
            shape(one)
        except UserError as error:
            raise UserError(error.what, where=where, remedy=error.remedy) from None
