"""Areas of grid cells on a sphere, and the shares of them that lie in regions, for statistics weighted by area.

Degrees are turned into an equal-area plane (longitude, sine of latitude) before polygons are cut: there, shares of a cell
are shares of the sphere's surface (Lambert's cylindrical projection).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from shapely import STRtree, box, make_valid, transform, union_all
from shapely.affinity import translate
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from schemas.errors import UserError

RADIUS_KM = 6371.0072  # of the sphere with the surface of WGS 84's ellipsoid
OUTSIDE = ""  # the region of what no region holds
OVERLAP = 1e-3  # of a region that may lie in others, too: borders of two maps never fit to the metre
Shift = Callable[[float, float], tuple[float, float]]
Share = tuple[int, int, str, float, float]


def edges(middles: Sequence[float]) -> list[tuple[float, float]]:
    """Return (low, high) of the cells around middles, which must rise or fall in even steps or not; poles are ends."""
    between = [(one + other) / 2 for one, other in pairwise(middles)]
    first, last = 2 * middles[0] - between[0], 2 * middles[-1] - between[-1]
    cuts = [first, *between, last]
    return [(min(pair), max(pair)) for pair in pairwise(cuts)]


def latitudes(middles: Sequence[float]) -> list[tuple[float, float]]:
    """Return the edges of latitudes, which end at the poles."""
    return [(max(low, -90.0), min(high, 90.0)) for low, high in edges(middles)]


def area_km2(lat: tuple[float, float], lon: tuple[float, float]) -> float:
    """Return the area of a cell on the sphere in km²."""
    height = math.sin(math.radians(lat[1])) - math.sin(math.radians(lat[0]))
    return RADIUS_KM**2 * height * math.radians(lon[1] - lon[0])


def plane(
    geometry: BaseGeometry | Mapping[str, Any], shift: Callable[[float, float], tuple[float, float]] | None = None
) -> BaseGeometry:
    """Return a polygon, or GeoJSON of one, in the equal-area plane; `shift` turns (latitude, longitude) into WGS 84 first.

    Polygons across the antimeridian, given to 190° or from -190° on, are folded into -180..180.
    """
    found = shape(geometry) if isinstance(geometry, Mapping) else geometry

    def moved(points: Any) -> Any:
        placed = [shift(lat, lon)[::-1] if shift else (lon, lat) for lon, lat in points]
        return [(lon, math.sin(math.radians(lat))) for lon, lat in placed]

    return folded(make_valid(transform(found, moved)))


def folded(geometry: BaseGeometry) -> BaseGeometry:
    """Return a geometry of the plane with all longitudes within -180..180."""
    west, _, east, _ = geometry.bounds
    if west >= -180 and east <= 180:
        return geometry
    pieces = []
    for turn in (-2, -1, 0, 1, 2):
        west = -180 + 360 * turn
        piece = geometry.intersection(box(west, -1, west + 360, 1))
        if not piece.is_empty:
            pieces.append(translate(piece, -360 * turn))
    return union_all(pieces) if pieces else geometry


def shares(
    lats: Sequence[float], lons: Sequence[float], regions: Mapping[str, BaseGeometry], *, rest: bool = True
) -> Iterator[Share]:
    """Yield (row, column, region, share of the cell, km²) for each cell and region that meet, the `rest` as OUTSIDE.

    `regions` are polygons of the plane. Shares of a cell add up to one: slivers that two regions claim are the first one's.
    Raise UserError where regions overlap by more than that.
    """
    names = list(regions)
    tree = STRtree([regions[name] for name in names])
    _check_apart(names, regions, tree)
    columns = edges(lons)
    for i, lat in enumerate(latitudes(lats)):
        low, high = (math.sin(math.radians(one)) for one in lat)
        for j, lon in enumerate(columns):
            cell = left = folded(box(lon[0], low, lon[1], high))
            whole, near = area_km2(lat, lon), sorted(tree.query(cell, predicate="intersects"))
            for at in near:
                share = regions[names[at]].intersection(left).area / cell.area
                left = left.difference(regions[names[at]])
                if share > 0:
                    yield i, j, names[at], share, share * whole
            if rest and left.area > 0:
                yield i, j, OUTSIDE, left.area / cell.area, left.area / cell.area * whole


def _check_apart(names: Sequence[str], regions: Mapping[str, BaseGeometry], tree: STRtree) -> None:
    for name in names:
        for at in tree.query(regions[name], predicate="intersects"):
            common = regions[name].intersection(regions[names[at]]).area if names[at] != name else 0.0
            if common > OVERLAP * regions[name].area:
                raise UserError(f"the regions {name} and {names[at]} overlap by {common / regions[name].area:.1%} of the first",
                                remedy="take regions of one level and one map")  # fmt: skip
