"""How to fetch: once or standing, and what may pass by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schemas.errors import UserError


class PassingError(UserError):
    """What may pass by itself, as a broker that is down: who stands and waits tries again."""


def _never() -> bool:
    return False


def _nobody(_: str) -> None:
    pass


@dataclass(frozen=True)
class How:
    """How to fetch: once, or standing, as long as `go_on` says so; with `accept_gap` what is lost is taken for lost.

    `tell` hears what a person should know of a source that stands.
    """

    go_on: Callable[[], bool] = _never
    accept_gap: bool = False
    tell: Callable[[str], None] = _nobody


ONCE = How()
