"""Error propagation of inventories, IPCC 2006 vol. 1 chapter 3: percent, 95 % confidence."""

from __future__ import annotations

from collections.abc import Iterable
from math import hypot

# Half of the 95 % interval of an activity, in percent, by how the figure came about: what a source is taken to be worth
# where nothing better is declared. IPCC 2006 vol. 2 table 2.15, from memory: surveys of industry 2-5 %, extrapolations
# 5-10 %, and more where a model stands for the figure.
BY_GRADE = {"measured": 2.5, "calculated": 5.0, "estimated": 10.0, "modelled": 25.0}


def product(percents: Iterable[float]) -> float:
    """Return the uncertainty of a product in percent (eq. 3.1)."""
    return hypot(*percents)


def total(parts: Iterable[tuple[float, float]]) -> float:
    """Return the uncertainty of a sum in percent from (value, percent) pairs (eq. 3.2); values must not add up to 0."""
    pairs = tuple(parts)
    return hypot(*(value * percent for value, percent in pairs)) / abs(sum(value for value, _ in pairs))
