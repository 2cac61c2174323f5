"""What a calculation is made under: the GWP set that gases are added up by, and the day on which factors were known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from models.method import GWP_SET


@dataclass(frozen=True)
class Variant:
    """One way to calculate the same activity; the default one is what a lake publishes.

    A transform that depends on it has a last parameter `variant`, which whoever builds gives. With `known_on` only
    factors count that were known on that day; those that do not say since when always do.
    """

    gwp_set: str = GWP_SET
    known_on: date | None = None


PUBLISHED = Variant()
