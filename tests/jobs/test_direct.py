"""Grids that their table takes as they stand are written at once, and come out as an engine would have made them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import h5py
import netCDF4
import numpy as np
import pytest

from jobs import direct, land, quarantine
from jobs.lake import Lake
from jobs.outcome import Outcome
from schemas.contracts import contract
from tests.jobs import at_once, building
from tests.lakes import differs

GRID = """
description: Heat on a grid
owner: tests
source:
  {zone: heat, path: "*.%(ending)s", format: %(format)s, options: {%(chosen)s, cell_numbers: %(numbers)s}, publisher: us,
   licence: CC0-1.0, timezone: UTC}
key: [time, lat, lon_index]
columns:
  time: {type: timestamp, required: true, description: Day}
  lat: {type: double, required: true, description: Latitude}
  lon_index: {type: int, required: true, description: Column}
  heat: {type: double, description: Heat, from: heat}
  level: {type: bigint, description: Level, from: level}
rules:
  - {rule: between, column: heat, low: 0, high: 100}
  - {rule: at_least, column: level, limit: 2, else: warn}
  - {rule: at_most, column: lat, limit: 80}
"""
ENDINGS = {"netcdf": ("nc", "variables: [heat, level]"), "hdf5": ("h5", "datasets: [heat, level]")}
Built = Callable[..., Outcome]


def _grid(path: Path, days: tuple[float, ...] = (0, 1, 2.5), calendar: str = "standard") -> Path:
    """Two values that a rule sets aside, two that are no numbers, one missing; levels below two, which only warn."""
    random = np.random.default_rng(1)
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("time", len(days)), ("lat", 4), ("lon", 5)):
            file.createDimension(name, size)
        time = file.createVariable("time", "f8", ("time",))
        time.units, time.calendar = "days since 2025-02-27", calendar
        time[:] = days
        file.createVariable("lat", "f4", ("lat",))[:] = [-60, 0, 60, 85]
        heat = file.createVariable("heat", "f4", ("time", "lat", "lon"), fill_value=-9.0, chunksizes=(1, 2, 5), zlib=True)
        values = random.uniform(0, 100, (len(days), 4, 5)).astype("f4")
        values[0, 0, :5] = [np.nan, np.inf, -1, 101, -9]
        heat[:] = values
        file.createVariable("level", "u2", ("time", "lat", "lon"))[:] = np.arange(values.size).reshape(values.shape)
    return path


def _project(folder: Path, format: str = "netcdf", numbers: str = "false", text: str = GRID) -> Path:
    ending, chosen = ENDINGS[format]
    told = {"ending": ending, "chosen": chosen, "format": format, "numbers": numbers}
    return building.lay(folder, {"schemas/cleaned/heat.yaml": text % told})


def _both(folder: Path, grid: Path, spark: Any, patch: pytest.MonkeyPatch, project: Path) -> tuple[Lake, Lake, Outcome]:
    patch.setenv("CARBONLAKE_PROJECT", str(project))
    return at_once.both_ways(folder, grid, "cleaned.heat", spark)


@pytest.mark.parametrize("numbers", ["true", "false"])
def test_rows_and_quarantine_are_those_that_the_engine_makes(
    tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch, numbers: str
) -> None:
    project = _project(tmp_path / "project", numbers=numbers)
    one, other, outcome = _both(tmp_path, _grid(tmp_path / "g.nc"), spark, monkeypatch, project)
    assert (outcome.counts.came_in, outcome.counts.set_aside, outcome.counts.written) == (60, 19, 41)
    with duckdb.connect() as duck:
        assert not differs(duck, one, other, "cleaned.heat")

    def waiting(lake: Lake) -> list[tuple[Any, ...]]:
        return sorted((row["locator"], row["rules"], row["raw"]) for row in quarantine.listed(lake, "cleaned.heat"))

    assert waiting(one) == waiting(other) and len(waiting(one)) == 19
    rules = {rule for _, rules, _ in waiting(one) for rule in rules.split(", ")}
    assert rules == {"type_heat", "between_heat", "at_most_lat", "at_least_level"}


def test_numbers_of_cells_count_the_whole_grid(tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    project = _project(tmp_path / "project", numbers="true")
    lake, _, _ = _both(tmp_path, _grid(tmp_path / "g.nc"), spark, monkeypatch, project)
    found = building.rows(lake, "cleaned.heat", "_locator", "level")
    assert len(found) == 41 and all(number == level for number, level in found)


def test_an_hdf5_with_numbers_for_instants_is_left_to_the_engine(
    tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with h5py.File(tmp_path / "g.h5", "w") as file:
        for name, values in (("heat", np.arange(6.0).reshape(1, 2, 3)), ("level", np.arange(6).reshape(1, 2, 3))):
            file[name] = values
        for axis, (name, values) in enumerate((("time", [20250101]), ("lat", [1.0, 2.0]))):
            file[name] = values
            file[name].make_scale(name)
            file["heat"].dims[axis].attach_scale(file[name])
        file["heat"].dims[2].label = "lon"
    text = GRID.replace("{type: timestamp, required: true", "{type: bigint, required: true")
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(_project(tmp_path / "project", "hdf5", "true", text)))
    assert direct.plain(contract("cleaned.heat"))
    lake, other, _ = _both(tmp_path, tmp_path / "g.h5", spark, monkeypatch, tmp_path / "project")
    with duckdb.connect() as duck:
        assert not differs(duck, lake, other, "cleaned.heat")


def test_a_model_s_calendar_is_left_to_the_engine_which_sets_its_days_aside(
    tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = _grid(tmp_path / "g.nc", days=(0, 2, 3), calendar="360_day")
    lake, other, _ = _both(tmp_path, grid, spark, monkeypatch, _project(tmp_path / "project"))
    assert "2025-02-29" in str(quarantine.listed(lake, "cleaned.heat"))
    with duckdb.connect() as duck:
        assert not differs(duck, lake, other, "cleaned.heat")


def test_a_coordinate_that_comes_twice_makes_no_two_rows_of_one_key(
    tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = _grid(tmp_path / "g.nc", days=(0, 1, 1))
    lake, other, outcome = _both(tmp_path, grid, spark, monkeypatch, _project(tmp_path / "project"))
    assert outcome.counts.written < 41
    with duckdb.connect() as duck:
        assert not differs(duck, lake, other, "cleaned.heat")


@pytest.mark.parametrize("change", [
    ("from: heat}", 'from: heat, unit_from: K, unit: K}'),
    ("{type: double, description: Heat", '{type: "decimal(28,6)", description: Heat'),
    ("from: heat}", 'derive: "lat * 2"}'), ("from: level}", "from: _name, pattern: '([0-9]+)'}"),
    ("rules:", "rules:\n  - {rule: expression, name: odd, expression: 'lat > 0'}"), ("timezone: UTC", "timezone: Asia/Shanghai"),
])  # fmt: skip
def test_what_a_contract_asks_beyond_limits_is_left_to_the_engine(
    tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str]
) -> None:
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(_project(tmp_path / "project")))
    assert direct.plain(contract("cleaned.heat"))
    assert change[0] in GRID
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(_project(tmp_path / "other", text=GRID.replace(*change))))
    assert not direct.plain(contract("cleaned.heat"))


def test_a_damaged_delivery_is_refused_and_the_other_stands(tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(_project(tmp_path / "project")))
    lake = Lake(tmp_path / "lake").init()
    land.land(lake, _grid(tmp_path / "a.nc"), "cleaned.heat")
    content = _grid(tmp_path / "b.nc", days=(9,)).read_bytes()
    (tmp_path / "b.nc").write_bytes(content[: len(content) * 2 // 3])
    land.land(lake, tmp_path / "b.nc", "cleaned.heat")
    outcome = building.build(lake, spark, "cleaned.heat")["cleaned.heat"]
    assert outcome.counts.written == 41 and "refused" in outcome.warnings[0] and "cut off" in outcome.warnings[0]
    assert (2, "refused") in building.rows(lake, "ops.reading", "delivery_id", "status")
