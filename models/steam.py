"""Enthalpy of saturated steam, between the points of the NDRC guidelines' table."""

from __future__ import annotations

from bisect import bisect_left

from schemas.errors import UserError

# MPa → kJ/kg, NDRC guidelines (2013-2015), appendix on purchased heat
SATURATED = (
    (0.1, 2675.4), (0.2, 2706.6), (0.3, 2725.3), (0.4, 2738.6), (0.5, 2748.5), (0.6, 2756.4),
    (0.8, 2768.4), (1.0, 2776.9), (1.6, 2794.5), (2.0, 2802.3), (2.5, 2809.7), (3.0, 2815.5),
)  # fmt: skip


def saturated_enthalpy(mpa: float) -> float:
    """Return kJ/kg of saturated steam at a pressure in MPa, linear between points; UserError outside 0.1 to 3 MPa."""
    pressures = [p for p, _ in SATURATED]
    if not pressures[0] <= mpa <= pressures[-1]:
        raise UserError(f"no enthalpy of saturated steam at {mpa} MPa", remedy="give one between 0.1 and 3 MPa")
    right = max(1, bisect_left(pressures, mpa))
    (p0, h0), (p1, h1) = SATURATED[right - 1], SATURATED[right]
    return h0 + (h1 - h0) * (mpa - p0) / (p1 - p0)
