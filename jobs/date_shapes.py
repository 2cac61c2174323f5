"""Patterns of dates as regular expressions, which say what each takes where engines differ in leniency.

Patterns are those of Java's DateTimeFormatter: y M d H m s S, MMM for English names of months, XXX for an offset, VV for
the name of a zone, texts in quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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
    "VV": "([A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z0-9_+-]*)+|UTC)",
}  # fmt: skip
ZONES = ("XXX", "VV")  # an offset, or the name of a zone: with these a text is an instant


@dataclass(frozen=True)
class Shape:
    """A pattern as a regular expression, and the group of each field."""

    regex: str
    groups: dict[str, int]


def shape(format: str) -> Shape:
    """Return a pattern as a regular expression. Raise UserError for letters that nobody reads the same."""
    regex, groups = "", dict[str, int]()
    for found in TOKEN.finditer(format):
        token = found[0]
        if token in FIELDS:
            field = token if token in ZONES else token[0]
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
    if "y" not in groups or ("d" in groups and "M" not in groups) or ("H" not in groups and {*groups} & {*"msS", *ZONES}):
        raise UserError(f"the format {format!r} says no day", where="format", remedy="for example dd.MM.yyyy HH:mm")
    return Shape(f"^(?i:{regex})$" if "MMM" in format else f"^{regex}$", groups)


def check(formats: tuple[str, ...], where: str) -> None:
    """Raise UserError, naming the place, for formats that nobody reads."""
    for one in formats:
        if one in DATES:
            continue
        try:
            shape(one)
        except UserError as error:
            raise UserError(error.what, where=where, remedy=error.remedy) from None
