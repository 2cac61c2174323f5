"""What goes into the line items that given activity makes."""

from __future__ import annotations

from typing import Any

from layers.business.emission import transform as emission
from layers.business.emission_input import transform
from models.variant import PUBLISHED, Variant


def emission_input(activity: Any, subject: Any, factor: Any, factor_hour: Any, variant: Variant = PUBLISHED) -> Any:
    """Return the inputs of the lines of these frames."""
    return transform(emission(activity, subject, factor, factor_hour, variant), factor, factor_hour, variant)
