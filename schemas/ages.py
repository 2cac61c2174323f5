"""Ages as contracts write them: 90m, 36h, 40d or 2w."""

from __future__ import annotations

import re
from datetime import timedelta

from schemas.errors import UserError

_AGE = re.compile(r"(\d+)\s*(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def age(text: str) -> timedelta:
    """Return a declared age such as 36h or 40d. Raise UserError for another text."""
    found = _AGE.fullmatch(text)
    if not found:
        raise UserError(f"{text!r} is no age", remedy="write it like 90m, 36h, 40d or 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
