"""How dates are written in a source: each style is matched as a whole and put into the one order that all engines read alike.

Patterns are in jobs/date_shapes.py; the names of DATES are read here.
"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column as Expr
from pyspark.sql import functions as F

from jobs.date_shapes import MONTHS, ZONES, shape
from jobs.zones import to_utc
from schemas.contract import DATES

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
    return found if format not in DATES and shape(format).groups.keys() & {*ZONES} else _local(found, zone)


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
        text = F.concat(text, F.lit(" "), part["VV"]) if "VV" in part else text
    return F.when(raw.rlike(one.regex), text)


def _named_month(name: Expr) -> Expr:
    short, number = F.lower(F.substring(name, 1, 3)), F.lit("0")
    for at in range(12):
        number = F.when(short == MONTHS[3 * at : 3 * at + 3], F.lit(str(at + 1))).otherwise(number)
    return number


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
