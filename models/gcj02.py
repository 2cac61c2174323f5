"""GCJ-02, the shifted coordinates of Chinese maps, and back to WGS 84.

The shift is that of the public implementations (e.g. googollee/eviltransform); its inverse has no formula, and is found by
iteration: each step takes off what the shift of the guess is too far, and after a few steps less than a millimetre is left.
"""

from __future__ import annotations

import math

SEMI_MAJOR, ECCENTRICITY2 = 6378245.0, 0.00669342162296594323  # Krasovsky 1940
STEPS, CLOSE = 30, 1e-10  # degrees; 1e-10 are 0.01 mm


def within(lat: float, lon: float) -> bool:
    """Tell whether a place is within the rectangle where maps are shifted."""
    return 0.8293 <= lat <= 55.8271 and 72.004 <= lon <= 137.8347


def from_wgs84(lat: float, lon: float) -> tuple[float, float]:
    """Return (latitude, longitude) as a shifted map has a place, in degrees; outside of China it is not shifted."""
    if not within(lat, lon):
        return lat, lon
    x, y = lon - 105.0, lat - 35.0
    radian = math.radians(lat)
    magic = 1 - ECCENTRICITY2 * math.sin(radian) ** 2
    north = _north(x, y) * 180 / ((SEMI_MAJOR * (1 - ECCENTRICITY2)) / (magic * math.sqrt(magic)) * math.pi)
    east = _east(x, y) * 180 / (SEMI_MAJOR / math.sqrt(magic) * math.cos(radian) * math.pi)
    return lat + north, lon + east


def to_wgs84(lat: float, lon: float) -> tuple[float, float]:
    """Return (latitude, longitude) in WGS 84 of a place on a shifted map, in degrees."""
    if not within(lat, lon):
        return lat, lon
    found = lat, lon
    for _ in range(STEPS):
        there = from_wgs84(*found)
        off = there[0] - lat, there[1] - lon
        found = found[0] - off[0], found[1] - off[1]
        if max(map(abs, off)) < CLOSE:
            break
    return found


def _waves(x: float) -> float:
    return (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3


def _north(x: float, y: float) -> float:
    """Return the shift to the north in metres."""
    flat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    slow = (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    return flat + _waves(x) + slow + (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3


def _east(x: float, y: float) -> float:
    """Return the shift to the east in metres."""
    flat = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    slow = (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    return flat + _waves(x) + slow + (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
