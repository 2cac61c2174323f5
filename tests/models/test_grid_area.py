"""Cells of a grid are shared out among regions: nothing is lost, and maps of China are shifted back first."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import duckdb
import pytest
from shapely import box

from models import gcj02, grid_area
from schemas.errors import UserError

METRE = 1 / 111_000  # degrees


@pytest.mark.parametrize(("wgs", "shifted"), [
    # Pairs of the tests of googollee/eviltransform.
    ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
    ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
    ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
])  # fmt: skip
def test_known_places_are_shifted_and_back(wgs: tuple[float, float], shifted: tuple[float, float]) -> None:
    assert gcj02.from_wgs84(*wgs) == pytest.approx(shifted, abs=METRE)
    assert gcj02.to_wgs84(*shifted) == pytest.approx(wgs, abs=METRE)
    there = gcj02.from_wgs84(*gcj02.to_wgs84(*shifted))
    assert there == pytest.approx(shifted, abs=METRE / 1000)
    assert math.dist(wgs, shifted) > 300 * METRE, "the shift is hundreds of metres"


def test_places_outside_of_china_are_not_shifted() -> None:
    assert gcj02.to_wgs84(48.85, 2.35) == (48.85, 2.35)


def test_the_cells_of_the_earth_add_up_to_its_surface() -> None:
    lats, lons = [-90 + 7.5 * i for i in range(25)], [15.0 * i for i in range(24)]
    total = sum(grid_area.area_km2(lat, lon) for lat in grid_area.latitudes(lats) for lon in grid_area.edges(lons))
    assert total == pytest.approx(4 * math.pi * grid_area.RADIUS_KM**2, rel=1e-12)


def _ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def test_regions_that_overlap_are_refused_but_for_slivers() -> None:
    one, other = grid_area.plane(box(0, 0, 10, 10)), grid_area.plane(box(9.999, 0, 20, 10))
    found = list(grid_area.shares([5.0, 15.0], [5.0, 15.0], {"one": one, "other": other}))
    assert sum(row[3] for row in found) == pytest.approx(4, rel=1e-12)
    with pytest.raises(UserError, match=r"the regions one and other overlap by 50\.0% of the first"):
        list(grid_area.shares([5.0], [5.0], {"one": one, "other": grid_area.plane(box(5, 0, 15, 10))}))


def test_holes_and_parts_across_the_antimeridian_are_counted_once() -> None:
    hollow = {"type": "Polygon", "coordinates": [_ring(0, 0, 20, 20), _ring(5, 5, 15, 15)]}
    fiji = {"type": "MultiPolygon", "coordinates": [[_ring(175, -20, 185, -10)]]}
    regions = {"hollow": grid_area.plane(hollow), "fiji": grid_area.plane(fiji)}
    lats, lons = [-15.0, -5.0, 5.0, 15.0], [5.0 + 10 * i for i in range(36)]  # 0 to 360
    found = list(grid_area.shares(lats, lons, regions))
    area = {name: sum(row[4] for row in found if row[2] == name) for name in regions}
    ring = grid_area.area_km2((0, 20), (0, 20)) - grid_area.area_km2((5, 15), (5, 15))
    assert area == pytest.approx({"hollow": ring, "fiji": grid_area.area_km2((-20, -10), (175, 185))}, rel=1e-9)
    assert {row[1] for row in found if row[2] == "fiji"} == {17, 18}


def test_sums_by_region_and_outside_are_the_sum_of_the_grid_in_sql(shared: Path) -> None:
    """Provinces are shifted back, cut with a grid, and a flux is added up by region in SQL; nothing is lost."""
    regions = {}
    for name in ("上海市", "江苏省", "浙江省"):
        with gzip.open(shared / "data/geo" / f"{name}.json.gz", "rt", encoding="utf-8") as file:
            parts = [grid_area.plane(one["geometry"], gcj02.to_wgs84) for one in json.load(file)["features"]]
        regions[name] = parts[0].union(grid_area.union_all(parts))
    lats, lons = [25.25 + i / 2 for i in range(24)], [114.25 + i / 2 for i in range(24)]
    with duckdb.connect() as duck:
        duck.execute("create table share (i int, j int, region varchar, share double, km2 double)")
        duck.executemany("insert into share values (?, ?, ?, ?, ?)", list(grid_area.shares(lats, lons, regions)))
        duck.execute(
            "create table flux as select i, j, 1.0 + i * 0.1 + j * 0.01 as t_per_km2 from range(24) a(i), range(24) b(j)"
        )
        by_region = dict(
            duck.execute("select region, sum(t_per_km2 * km2) from flux join share using (i, j) group by 1").fetchall()
        )
        mean = dict(
            duck.execute("select region, sum(t_per_km2 * km2) / sum(km2) from flux join share using (i, j) group by 1").fetchall()
        )
        area = dict(duck.execute("select region, sum(km2) from share group by 1").fetchall())
    whole = sum((1.0 + i * 0.1 + j * 0.01) * grid_area.area_km2(lat, lon) for i, lat in enumerate(grid_area.latitudes(lats))
                for j, lon in enumerate(grid_area.edges(lons)))  # fmt: skip
    assert sum(by_region.values()) == pytest.approx(whole, rel=1e-9) and set(by_region) == {*regions, grid_area.OUTSIDE}
    assert area["江苏省"] == pytest.approx(103_000, rel=0.06) and area["浙江省"] == pytest.approx(104_000, rel=0.06)
    assert min(mean.values()) > 1 and max(mean.values()) < 4


def test_a_polygon_not_shifted_back_lies_hundreds_of_metres_off() -> None:
    square = box(120, 30, 120.01, 30.01)
    off = grid_area.plane(square).centroid.distance(grid_area.plane(square, gcj02.to_wgs84).centroid)
    assert 300 * METRE < off < 800 * METRE
