"""Grids as a model writes them: made up, packed and compressed, the same on every machine, kept in a cache folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.data import cached

LAT, LON = 360, 720


def days(cells: int) -> int:
    """Return the days of a half-degree grid that make about so many cells; 94.6 million are a year."""
    return max(1, round(cells / (LAT * LON)))


def netcdf(cache: Path, cells: int) -> Path:
    """Return daily fluxes on a half-degree grid of the Earth: 16-bit integers, zlib, a chunk a day, some cells missing."""
    return cached(cache / f"grid-{cells}.nc", lambda path: _write_netcdf(path, days(cells)))


def hdf5(cache: Path, cells: int) -> Path:
    """Return the same numbers as HDF5, with dimension scales."""
    return cached(cache / f"grid-{cells}.h5", lambda path: _write_hdf5(path, days(cells)))


def _day(number: int) -> np.ndarray:
    """Return the packed fluxes of a day: smooth in space, with noise, the oceans' share of cells missing."""
    random = np.random.default_rng(number)
    lat, lon = np.linspace(0, np.pi, LAT)[:, None], np.linspace(0, 4 * np.pi, LON)[None, :]
    values = 8000 * np.sin(lat) * (1.2 + np.cos(lon + number / 30)) + random.normal(0, 40, (LAT, LON))
    packed = np.clip(values, 0, 32000).astype("i2")
    packed[random.random((LAT, LON)) < 0.02] = -32767
    return packed


def _write_netcdf(path: Path, count: int) -> None:
    import netCDF4

    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("time", count), ("lat", LAT), ("lon", LON)):
            file.createDimension(name, size)
        time = file.createVariable("time", "i4", ("time",))
        time.units, time.calendar = "days since 2025-01-01", "standard"
        time[:] = np.arange(count)
        file.createVariable("lat", "f8", ("lat",))[:] = np.arange(LAT) / 2 - 89.75
        file.createVariable("lon", "f8", ("lon",))[:] = np.arange(LON) / 2 - 179.75
        flux = file.createVariable("flux", "i2", ("time", "lat", "lon"), zlib=True, complevel=4, chunksizes=(1, LAT, LON),
                                   fill_value=-32767)  # fmt: skip
        flux.scale_factor, flux.add_offset, flux.units = 0.001, 0.0, "g m-2 d-1"
        flux.set_auto_maskandscale(False)
        for number in range(count):
            flux[number] = _day(number)


def _write_hdf5(path: Path, count: int) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        flux = file.create_dataset("flux", (count, LAT, LON), "i2", chunks=(1, LAT, LON), compression="gzip", fletcher32=True)
        flux.attrs["scale_factor"], flux.attrs["add_offset"], flux.attrs["_FillValue"] = 0.001, 0.0, np.int16(-32767)
        scales = {"time": np.arange(count), "lat": np.arange(LAT) / 2 - 89.75, "lon": np.arange(LON) / 2 - 179.75}
        for axis, (name, values) in enumerate(scales.items()):
            file[name] = values
            file[name].make_scale(name)
            flux.dims[axis].attach_scale(file[name])
        for number in range(count):
            flux[number] = _day(number)
