"""Comparisons on grids of science: a packed NetCDF against xarray, and files ten times larger against themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import content, data_grid
from benchmarks.against_others import fresh, ours
from benchmarks.result import Result, Row, Setting, as_json, peak, seconds
from benchmarks.side import Run, python

CELLS = 94_608_000
GRID, GRID_HDF5 = "cleaned.bench_grid", "cleaned.bench_grid_hdf5"
# Values are equal where six digits are: xarray unpacks in single precision.
SUMMARY = 'count(*), count(flux), cast(round(sum(round(flux, 3)), 2) as varchar), min("time"), max("time"), sum(lat * lon)'


def netcdf_xarray(setting: Setting) -> Result:
    """Measure a packed NetCDF to Delta, audited, against `to_dataframe().to_parquet` of xarray: time and memory."""
    grid = data_grid.netcdf(setting.cache, _cells(setting))
    our, their = [], []
    for _ in range(setting.repeats):
        lake, run = ours(setting, grid, GRID)
        our.append(run)
        out = fresh(setting, "by_hand")
        their.append(python("benchmarks.by_hand.xarray_grid", grid, out))
        mine, other = _summary(content.table(lake, GRID)), _summary(content.files(out / "grid.parquet"))
        content.demand_equal("cells", mine, other)
    work = f"{mine[0] / 1e6:.1f} M cells, NetCDF packed zlib → Delta, audited"
    against = "xarray.to_dataframe().to_parquet"
    faster = Row(work, against, seconds(their) / seconds(our), 5, 3, "× faster", more=True)
    memory = Row(f"{work}: memory", against, peak(their) / peak(our), 10, 8, "× less", more=True,
                 note=f"{peak(our):.2f} GiB of all processes against {peak(their):.2f}")  # fmt: skip
    equal = f"{mine[0]:,} cells, {mine[1]:,} with a value"
    return Result("netcdf_xarray", (faster, memory), equal, as_json(ours=our, xarray=their))


def grid_memory(setting: Setting) -> Result:
    """Measure how memory grows from a grid to one ten times larger, NetCDF and HDF5."""
    rows, runs = [], {}
    for name, table, make in (("NetCDF", GRID, data_grid.netcdf), ("HDF5", GRID_HDF5, data_grid.hdf5)):
        small, large = (_built(setting, table, make, cells) for cells in (_cells(setting) // 10, _cells(setting)))
        rows.append(Row(f"{name} ten times larger: memory", "itself", peak(large) / peak(small), 1.05, 1.10,
                        note=f"{peak(small):.2f} → {peak(large):.2f} GiB"))  # fmt: skip
        runs |= {f"{name}_small": small, f"{name}_large": large}
    return Result("grid_memory", tuple(rows), "all cells are in the tables", as_json(**runs))


def _built(setting: Setting, table: str, make: Callable[[Path, int], Path], cells: int) -> list[Run]:
    runs = []
    for _ in range(setting.repeats):
        lake, run = ours(setting, make(setting.cache, cells), table)
        runs.append(run)
        expected = data_grid.days(cells) * data_grid.LAT * data_grid.LON
        content.demand_equal("cells", _summary(content.table(lake, table))[0], expected)
    return runs


def _cells(setting: Setting) -> int:
    return max(10 * data_grid.LAT * data_grid.LON, int(CELLS * setting.scale))


def _summary(sql: str) -> tuple[Any, ...]:
    with duckdb.connect() as duck:
        duck.execute("set TimeZone = 'UTC'")
        found = duck.execute(f'select {SUMMARY} from (select * replace (cast("time" as varchar)[:10] as "time") from ({sql}))')
        return found.fetchone() or ()
