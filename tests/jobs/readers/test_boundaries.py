"""Boundaries over a grid: shares of cells by region, with holes, across the antimeridian, on grids from 0 to 360."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobs.readers.boundaries import probe
from models import grid_area
from schemas.errors import UserError
from tests.jobs.readers.reading import Result, read_file

TENS: dict[str, Any] = {
    "latitudes": {"first": -15, "step": 10, "count": 4},
    "longitudes": {"first": -175, "step": 10, "count": 36},
}
EAST: dict[str, Any] = {**TENS, "longitudes": {"first": 5, "step": 10, "count": 36}}
Ring = list[list[float]]


def ring(west: float, south: float, east: float, north: float) -> Ring:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def feature(name: Any, *rings: Ring, kind: str = "Polygon") -> dict[str, Any]:
    coordinates: Any = list(rings) if kind == "Polygon" else [[one] for one in rings]
    return {
        "type": "Feature",
        "properties": {"code": name, "in": {"state": "S"}},
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def file(folder: Path, *features: dict[str, Any], **more: Any) -> Path:
    path = folder / "regions.json"
    path.write_text(json.dumps({"type": "FeatureCollection", **more, "features": features}))
    return path


def read(folder: Path, *features: dict[str, Any], **options: Any) -> Result:
    return read_file(folder, "boundaries", file(folder, *features), **{"region": "code", **TENS, **options})


def km2(found: Result) -> dict[str, float]:
    areas: dict[str, float] = {}
    for row in found.rows:
        areas[row["region"]] = areas.get(row["region"], 0.0) + row["share"] * row["cell_km2"]
    return areas


def test_a_cell_is_shared_out_by_area_on_the_sphere_with_its_place(tmp_path: Path) -> None:
    found = read(tmp_path, feature("a", ring(0, 0, 5, 10)), feature("b", ring(5, 0, 10, 5)))
    rows = {row["region"]: row for row in found.rows}
    assert {name: (row["lat_index"], row["lon_index"], row["lat"], row["lon"]) for name, row in rows.items()} == {
        "a": (2, 18, 5.0, 5.0), "b": (2, 18, 5.0, 5.0)}  # fmt: skip
    assert rows["a"]["share"] == pytest.approx(0.5) and rows["a"]["_locator"] == "/features/0 [2,18]"
    south = grid_area.area_km2((0, 5), (5, 10)) / grid_area.area_km2((0, 10), (0, 10))
    assert rows["b"]["share"] == pytest.approx(south) and 0.25 < rows["b"]["share"] < 0.252


def test_holes_are_left_out_and_features_of_one_region_are_one(tmp_path: Path) -> None:
    hollow = feature("h", ring(0, 0, 20, 20), ring(5, 5, 15, 15))
    assert km2(read(tmp_path, hollow)) == pytest.approx(
        {"h": grid_area.area_km2((0, 20), (0, 20)) - grid_area.area_km2((5, 15), (5, 15))}
    )
    filled = read(tmp_path, hollow, feature("h", ring(5, 5, 15, 15)), latitudes=[-5, 5, 15, 25])
    assert km2(filled) == pytest.approx({"h": grid_area.area_km2((0, 20), (0, 20))})
    assert km2(read(tmp_path, hollow, region="in.state")).keys() == {"S"}


@pytest.mark.parametrize("grid", [TENS, EAST], ids=["-180 to 180", "0 to 360"])
@pytest.mark.parametrize("rings", [[ring(175, -20, 185, -10)], [ring(175, -20, 180, -10), ring(-180, -20, -175, -10)]])
def test_a_region_across_the_antimeridian_is_whole_on_either_grid(
    tmp_path: Path, rings: list[Ring], grid: dict[str, Any]
) -> None:
    found = read(tmp_path, feature("fiji", *rings, kind="MultiPolygon"), **grid)
    assert km2(found) == pytest.approx({"fiji": grid_area.area_km2((-20, -10), (175, 185))}, rel=1e-9)
    assert {row["lon"] % 360 for row in found.rows} == {175, 185} and {row["lat"] for row in found.rows} == {-15.0}


def test_cells_across_the_zero_meridian_and_from_north_to_south_are_met(tmp_path: Path) -> None:
    grid = {"latitudes": [10, 0, -10], "longitudes": [0, 10, 350]}
    found = read(
        tmp_path, feature("a", ring(-5, -5, 5, 5)), latitudes=grid["latitudes"], longitudes={"first": 0, "step": 10, "count": 36}
    )
    assert [(row["lat_index"], row["lon_index"]) for row in found.rows] == [(1, 0)] and found.rows[0]["share"] == pytest.approx(1)


def test_the_rest_makes_the_shares_of_each_cell_one(tmp_path: Path) -> None:
    found = read(tmp_path, feature("a", ring(0, 0, 7, 7)), rest=True)
    assert sum(row["share"] for row in found.rows) == pytest.approx(4 * 36) and set(km2(found)) == {"a", ""}


@pytest.mark.parametrize(("change", "said"), [
    ({"region": "name"}, "the property 'name' names no region: None\n  → set the option `region` to one of its properties: code"),
    ({"datum": "bd09"}, "option 'datum': 'bd09' is not known\n  → one of wgs84, gcj02"),
    ({"latitudes": [5, 5]}, "the middles must be two or more that rise or fall, within ±90\n  → `carbonlake probe`"),
    ({"latitudes": {"first": 89, "step": 1, "count": 9}}, "within ±90"),
    ({"longitudes": {"start": 1}}, "option 'longitudes': {'start': 1} is no axis\n  → give the middles of the cells as a list"),
    ({"latitudes": {"first": 0, "step": 1e-6, "count": 9 << 40}}, "cells are too many\n  → at most 30,000,000"),
])  # fmt: skip
def test_options_that_make_no_sense_are_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, feature("a", ring(0, 0, 7, 7)), **change)
    assert said in f"{error.value.what}\n  → {error.value.remedy}"


def shaped(kind: str, coordinates: str) -> str:
    return f'{{"features": [{{"properties": {{"code": 1}}, "geometry": {{"type": "{kind}", "coordinates": {coordinates}}}}}]}}'


METRES = {"crs": {"properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}, "features": []}
TWICE = {"features": [feature("a", ring(0, 0, 9, 9)), feature("b", ring(5, 0, 9, 9))]}


@pytest.mark.parametrize(("content", "said"), [
    ('{"type": "FeatureCollection", "features": [', "it is no GeoJSON: Expecting value"),
    (shaped("Polygon", "[[[NaN, 1]]]"), "NaN is no number"),
    ("[]", "it is no FeatureCollection of GeoJSON\n  → lay regions as features"),
    (shaped("Point", "[1, 1]"), "its geometry is 'Point', no area\n  → lay regions as Polygon"),
    (shaped("Polygon", "[[[1]]]"), "its geometry can't be read"),
    (shaped("Polygon", json.dumps([ring(430000, 4e6, 440000, 5e6)])), "these are no degrees\n  → ask for GeoJSON in degrees"),
    (json.dumps(METRES), "its coordinates are of 'urn:ogc:def:crs:EPSG::3857'\n  → ask for GeoJSON in WGS 84"),
    (json.dumps({"features": [feature("a", ring(0, 60, 5, 70))]}), "no data rows"),
    (json.dumps(TWICE), "the regions a and b overlap by 44.4%"),
])  # fmt: skip
def test_what_is_no_boundary_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "regions.json"
    path.write_text(content)
    with pytest.raises(UserError) as error:
        read_file(tmp_path, "boundaries", path, region="code", **TENS)
    assert said in f"{error.value.what}\n  → {error.value.remedy}"


def test_probe_shows_what_may_name_a_region(shared: Path) -> None:
    found = probe(shared / "data/geo/江苏省.json.gz", {})
    assert found["features"] == 13 and found["geometries"] == ["MultiPolygon"] and found["properties"]["adcode"] == 320100
