"""Boundaries of regions (GeoJSON) laid over a grid: which share of each of its cells lies in which region."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
from shapely import union_all
from shapely.errors import GEOSException
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from jobs.readers import Read, Request
from jobs.readers.options import options
from jobs.readers.parts import Rejects, no_rows, with_locators, write_parts
from jobs.readers.text import opened
from models import gcj02, grid_area
from schemas.errors import UserError

SHIFTS: dict[str, Callable[[float, float], tuple[float, float]] | None] = {"wgs84": None, "gcj02": gcj02.to_wgs84}
AXIS = {"first", "step", "count"}
MOST_CELLS = 30_000_000
# RFC 7946, 4: what is not WGS 84 was named as `crs` before 2016.
WGS84 = ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4326", "EPSG:4326")
COLUMNS = [pa.field("region", pa.string()), pa.field("lat_index", pa.int64()), pa.field("lon_index", pa.int64()),
           *(pa.field(name, pa.float64()) for name in ("lat", "lon", "share", "cell_km2"))]  # fmt: skip
SCHEMA = with_locators(COLUMNS, pa.string())
BATCH = 50_000


@dataclass(frozen=True)
class Boundaries:
    """Options of boundaries.

    `region` is the property of a feature, by keys with dots between, that names its region; features of one region are
    one. `latitudes` and `longitudes` are the middles of the grid's cells in the order of its file, as a list or as first,
    step and count. `datum` is gcj02 for Chinese maps, which are shifted back. With `rest` what lies in no region is one, ''.
    """

    region: str
    latitudes: dict[str, Any] | list[Any]
    longitudes: dict[str, Any] | list[Any]
    datum: str = "wgs84"
    rest: bool = False
    empty_ok: bool = False


def read(request: Request) -> Read:
    """Write a row for each cell and region that meet; `_locator` is `/features/3 [17,5]`: feature, row and column."""
    began = time.perf_counter()
    given = options(Boundaries, request.options, request.name)
    lats, lons = _axis(given.latitudes, "latitudes", 90, request.name), _axis(given.longitudes, "longitudes", 540, request.name)
    if len(lats) * len(lons) > MOST_CELLS:
        raise UserError(f"{len(lats) * len(lons):,} cells are too many", where=request.name,
                        remedy=f"at most {MOST_CELLS:,}; take parts of the grid by tables of their own")  # fmt: skip
    regions, places = _regions(request.path, given, request.name)
    with Rejects(request.out, request.delivery):
        found = _batches(lats, lons, regions, places, given, request.delivery)
        rows = write_parts(request.out, found)
    if not rows and not given.empty_ok:
        raise no_rows(request.name)
    return Read(rows, 0, tuple(one.name for one in COLUMNS), {"regions": len(regions)}, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say which properties the features have, and how many there are; `region` is to be one of them."""
    features = _features(path, path.name)
    kinds = sorted({str((one.get("geometry") or {}).get("type")) for one in features})
    return {"features": len(features), "geometries": kinds, "properties": features[0].get("properties") if features else {}}


def _batches(
    lats: Sequence[float], lons: Sequence[float], regions: Mapping[str, BaseGeometry], places: Mapping[str, str],
    given: Boundaries, delivery: int,
) -> Iterator[pa.Table]:  # fmt: skip
    rows: list[dict[str, Any]] = []
    for i, j, region, share, km2 in grid_area.shares(lats, lons, regions, rest=given.rest):
        place = f"{places.get(region, '/')} [{i},{j}]"
        rows.append({"region": region, "lat_index": i, "lon_index": j, "lat": lats[i], "lon": lons[j], "share": min(share, 1.0),
                     "cell_km2": km2 / share, "_delivery": delivery, "_locator": place})  # fmt: skip
        if len(rows) == BATCH:
            yield pa.Table.from_pylist(rows, schema=SCHEMA)
            rows = []
    yield pa.Table.from_pylist(rows, schema=SCHEMA)


def _axis(given: dict[str, Any] | list[Any], name: str, limit: float, where: str) -> list[float]:
    """Return the middles of an axis. Raise UserError unless they rise or fall within the limits."""
    numbers = list(given.values()) if isinstance(given, dict) else given
    plain = all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers)
    if not plain or (isinstance(given, dict) and (set(given) != AXIS or not isinstance(given["count"], int))):
        raise UserError(f"option {name!r}: {given!r} is no axis", where=where,
                        remedy="give the middles of the cells as a list, or {first: 89.5, step: -1, count: 180}")  # fmt: skip
    if isinstance(given, dict):
        given = [given["first"] + at * given["step"] for at in range(min(given["count"], MOST_CELLS + 1))]
    found = [float(one) for one in given]
    steps = [other - one for one, other in pairwise(found)]
    if not steps or not (all(one > 0 for one in steps) or all(one < 0 for one in steps)) or max(map(abs, found)) > limit:
        raise UserError(f"option {name!r}: the middles must be two or more that rise or fall, within ±{limit}", where=where,
                        remedy="`carbonlake probe` of the grid shows its coordinates")  # fmt: skip
    return found


def _regions(path: Path, given: Boundaries, where: str) -> tuple[dict[str, BaseGeometry], dict[str, str]]:
    """Return the regions in the equal-area plane, and the feature that each begins with."""
    if given.datum not in SHIFTS:
        raise UserError(f"option 'datum': {given.datum!r} is not known", where=where, remedy=f"one of {', '.join(SHIFTS)}")
    parts: dict[str, list[BaseGeometry]] = {}
    places: dict[str, str] = {}
    for number, feature in enumerate(_features(path, where)):
        place = f"/features/{number}"
        name = _named(feature, given.region, f"{where}{place}")
        places.setdefault(name, place)
        parts.setdefault(name, []).append(_plane(feature.get("geometry"), SHIFTS[given.datum], f"{where}{place}"))
    return {name: union_all(some) for name, some in parts.items()}, places


def _features(path: Path, where: str) -> list[dict[str, Any]]:
    with opened(path, "utf-8", where) as stream:
        try:
            found = json.loads(stream.read().decode("utf-8-sig"), parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise UserError(f"it is no GeoJSON: {str(error)[:200]}", where=where, remedy="ask for the delivery again") from None
    crs = found.get("crs") if isinstance(found, dict) else None
    named = (crs.get("properties") or {}).get("name") if isinstance(crs, dict) else None
    if crs is not None and named not in WGS84:
        raise UserError(f"its coordinates are of {named or crs!r}", where=where,
                        remedy="ask for GeoJSON in WGS 84 (RFC 7946), or have it transformed")  # fmt: skip
    features = found.get("features") if isinstance(found, dict) else None
    if not isinstance(features, list) or not all(isinstance(one, dict) for one in features):
        raise UserError("it is no FeatureCollection of GeoJSON", where=where, remedy="lay regions as features (RFC 7946)")
    return features


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _named(feature: Mapping[str, Any], way: str, where: str) -> str:
    value: Any = feature.get("properties")
    for key in way.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if value in (None, "") or isinstance(value, dict | list | bool | float):
        has = feature.get("properties")
        known = ", ".join(has) if isinstance(has, dict) else "none"
        raise UserError(f"the property {way!r} names no region: {value!r}", where=where,
                        remedy=f"set the option `region` to one of its properties: {known}")  # fmt: skip
    return str(value)


def _plane(geometry: Any, shift: Callable[[float, float], tuple[float, float]] | None, where: str) -> BaseGeometry:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise UserError(f"its geometry is {kind!r}, no area", where=where, remedy="lay regions as Polygon or MultiPolygon")
    try:
        found = shape(geometry)
        west, south, east, north = found.bounds
    except (GEOSException, ValueError, TypeError, KeyError, IndexError) as error:
        raise UserError(f"its geometry can't be read: {str(error)[:200]}", where=where,
                        remedy="ask for the delivery again") from None  # fmt: skip
    if not (-540 <= west <= east <= 540 and -90 <= south <= north <= 90):
        raise UserError(f"it reaches from {west:g}, {south:g} to {east:g}, {north:g}: these are no degrees", where=where,
                        remedy="ask for GeoJSON in degrees of longitude and latitude (RFC 7946)")  # fmt: skip
    return grid_area.plane(found, shift)
