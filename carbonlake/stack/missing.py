"""What a part needs that is not on this machine, and the way to get it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from schemas.errors import UserError


class Missing(NamedTuple):
    """A program that is not there: its name, what it is for, and how to get it."""

    name: str
    why: str
    remedy: str


def error(found: Iterable[Missing]) -> UserError:
    """Return the error that names all that is missing at once."""
    listed = list(dict.fromkeys(found))
    what = "\n  ".join(f"{one.name} is missing: {one.why}" for one in listed)
    return UserError(what, where="stack", remedy="\n    ".join(f"{one.name}: {one.remedy}" for one in listed))
