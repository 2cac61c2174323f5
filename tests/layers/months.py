"""Months of line items, as a lake makes them: of their days and of what is longer."""

from __future__ import annotations

from typing import Any

from layers.business.emission_day import transform as emission_day
from layers.business.emission_month import transform as emission_month


def month_of(emission: Any, subject: Any) -> Any:
    """Return rows of business.emission_month."""
    return emission_month(emission, emission_day(emission, subject), subject)
