"""A grid is averaged by region in plain SQL over a table of shares, and the means are those of many single points."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
from shapely import contains_xy, union_all
from shapely.geometry import shape

from jobs import land, query
from jobs.lake import Lake
from models import gcj02
from schemas.rooms import SHIPPED, VARIABLE
from tests.jobs import building

STEP = 0.02  # degrees between the points
MEAN = """
    select region_code, sum(u_m_per_s * share * cell_km2) / sum(share * cell_km2) as mean, sum(share * cell_km2) as km2
    from cleaned.era_wind join cleaned.era_region using (lat_index, lon_index)
    where month = 1 and level = 500 and u_m_per_s is not null
    group by region_code"""


def _points(path: Path, wind: Any) -> dict[str, float]:
    """Return the mean of each region over points within it, each with the value of the cell it is in."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        features = json.load(file)["features"]
    means = {}
    for one in features:
        area = union_all([shape(one["geometry"])])
        west, south, east, north = area.bounds
        lon, lat = np.meshgrid(np.arange(west, east, STEP), np.arange(south, north, STEP))
        inside = contains_xy(area, lon, lat)
        back = [gcj02.to_wgs84(float(y), float(x)) for y, x in zip(lat[inside], lon[inside], strict=True)]
        values = [wind[round((90 - y) / 0.75), round((x + 180) / 0.75) % 480] for y, x in back]
        weights = [math.cos(math.radians(y)) for y, _ in back]
        means[str(one["properties"]["adcode"])] = float(np.average(values, weights=weights))
    return means


@pytest.mark.filterwarnings("ignore")  # of the fill value NaN of a packed variable
def test_the_mean_of_a_region_in_sql_is_that_of_points_within_it(
    tmp_path: Path, lake: Lake, spark: Any, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(SHIPPED / "tests/projects/regions"))
    provinces = [shared / f"data/geo/{name}省.json.gz" for name in ("江苏", "浙江")]
    for path in provinces:
        land.land(lake, path, "cleaned.era_region")
    land.land(lake, shared / "data/atmosphere_science/eraint_uvz.nc", "cleaned.era_wind")
    done = building.build(lake, spark, "cleaned.era_region", "cleaned.era_wind")
    assert {name: one.status for name, one in done.items()} == {"cleaned.era_region": "built", "cleaned.era_wind": "built"}
    found = {row["region_code"]: row for row in query.sql(lake, MEAN).to_pylist()}
    assert len(found) == 13 + 11
    # Areas of Nanjing, Suzhou with its part of Lake Tai, and Hangzhou by their statistical yearbooks.
    for code, km2 in (("320100", 6587), ("320500", 8657), ("330100", 16850)):
        assert found[code]["km2"] == pytest.approx(km2, rel=0.02)
    with netCDF4.Dataset(shared / "data/atmosphere_science/eraint_uvz.nc") as file:
        level = list(file["level"][:]).index(500)
        wind = np.asarray(file["u"][list(file["month"][:]).index(1), level])
    expected = {code: mean for path in provinces for code, mean in _points(path, wind).items()}
    assert {code: row["mean"] for code, row in found.items()} == pytest.approx(expected, rel=2e-3)
    assert max(expected.values()) - min(expected.values()) > 5, "the regions differ by far more than the tolerance"
