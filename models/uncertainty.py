"""Error propagation of inventories, IPCC 2006 vol. 1 chapter 3: percent, 95 % confidence."""

from __future__ import annotations

from collections.abc import Iterable
from math import hypot


def product(percents: Iterable[float]) -> float:
    """Return the uncertainty of a product in percent (eq. 3.1)."""
    return hypot(*percents)


def total(parts: Iterable[tuple[float, float]]) -> float:
    """Return the uncertainty of a sum in percent from (value, percent) pairs (eq. 3.2); values must not add up to 0."""
    pairs = tuple(parts)
    return hypot(*(value * percent for value, percent in pairs)) / abs(sum(value for value, _ in pairs))
