"""Uncertainty by drawing: IPCC 2006 vol. 1 chapter 3, approach 2, over the inputs of line items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.method import methods
from schemas.errors import UserError

HALF = 1.959963984540054  # standard deviations in half of a 95 % interval
WIDE = 60.0  # percent from which a normal variable would too often be negative: lognormal then (3.2.2.4)


@dataclass(frozen=True)
class Drawn:
    """One input of a line: what it refers to, its value and half of its 95 % interval in percent."""

    ref: str
    value: float
    percent: float


@dataclass(frozen=True)
class Spread:
    """What the draws of a sum gave: mean, 2.5th and 97.5th percentile in tCO2e, and half of that width in percent."""

    mean: float
    low: float
    high: float
    percent: float
    draws: int
    seed: int


Line = tuple[str, float, Mapping[str, Drawn]]  # method, GWP, and its inputs by parameter


def monte_carlo(lines: Sequence[Line], draws: int = 10_000, seed: int = 1) -> Spread:
    """Return the spread of the sum of lines; the same seed gives the same figures.

    What refers to one row (a factor of several lines, say) is drawn once, so that lines are correlated as they are in
    truth, which error propagation leaves out. Raise UserError for less than 100 draws or no line.
    """
    if draws < 100 or not lines:
        raise UserError(f"{draws} draws of {len(lines)} lines tell nothing", remedy="give lines, and --draws of 100 or more")
    chance = np.random.default_rng(seed)
    known: dict[str, Any] = {}
    for one in sorted({(d.ref, d.percent) for _, _, inputs in lines for d in inputs.values()}):
        known.setdefault(one[0], _factor(chance, one[1], draws))
    total = np.zeros(draws)
    for method, gwp, inputs in lines:
        total += methods()[method].mass({name: d.value * known[d.ref] for name, d in inputs.items()}) * gwp
    low, high = (float(one) for one in np.percentile(total, (2.5, 97.5)))
    mean = float(total.mean())
    return Spread(mean, low, high, 50 * (high - low) / abs(mean) if mean else 0.0, draws, seed)


def _factor(chance: np.random.Generator, percent: float, draws: int) -> Any:
    """Numbers around one whose 95 % interval is `percent` on either side."""
    if percent < WIDE:
        return 1 + chance.standard_normal(draws) * percent / 100 / HALF
    sigma = np.log1p(percent / 100) / HALF
    return np.exp(chance.standard_normal(draws) * sigma - sigma * sigma / 2)
