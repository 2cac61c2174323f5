"""Desulphurisation where neither the carbonate content of the sorbent nor its conversion is measured."""

from __future__ import annotations

from models.formulas import Value
from models.formulas import desulphurisation as measured

CARBONATE_CONTENT = 0.9  # default of the NDRC guideline for power generation (2013), appendix 2
CONVERSION = 1.0  # the same


def limestone(ad: Value, ef: Value) -> Value:
    """Return tCO2 of `ad` tonnes of sorbent with tCO2/t of pure carbonate and the guideline's defaults."""
    return measured(ad, CARBONATE_CONTENT, ef, CONVERSION)
