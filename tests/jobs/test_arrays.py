"""Arrays are written back to the bit, and what was corrected in the lake is stored exactly or refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import h5py
import netCDF4
import numpy as np
import pytest

from jobs import arrays, corrections, land
from jobs.lake import Lake
from jobs.readers import cf, links
from jobs.readers.pack import pack
from jobs.readers.packed import packing, unpack
from schemas.errors import UserError
from tests.jobs import building

HEAT = """
description: Heat
owner: tests
source: {zone: heat, path: "*.%s", format: %s, options: {%s}, publisher: us, licence: CC0-1.0, timezone: UTC}
key: [x_index]
columns:
  x_index: {type: int, required: true, description: Place}
  t: {type: double, description: Heat, from: t}
rules:
  - {rule: between, column: t, low: 0, high: 10}
"""


def _lake(folder: Path, spark: Any, patch: pytest.MonkeyPatch, path: Path, *source: str) -> Lake:
    patch.setenv("CARBONLAKE_PROJECT", str(building.lay(folder / "project", {"schemas/cleaned/heat.yaml": HEAT % source})))
    lake = Lake(folder / "lake").init()
    land.land(lake, path, "cleaned.heat")
    building.build(lake, spark, "cleaned.heat")
    return lake


def _netcdf(folder: Path) -> Path:
    with netCDF4.Dataset(folder / "a.nc", "w") as file:
        file.createDimension("x", 4)
        t = file.createVariable("t", "i2", ("x",), fill_value=-9, zlib=True, endian="big")
        t.scale_factor, t.calendar = 0.5, "none"
        t.set_auto_maskandscale(False)
        t[:] = [1, 2, -9, 90]  # the last one is 45, which the rule sets aside
    return folder / "a.nc"


def test_a_delivery_is_written_back_to_the_bit(tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = _netcdf(tmp_path)
    lake = _lake(tmp_path, spark, monkeypatch, source, "nc", "netcdf", "variables: [t]")
    done = arrays.export(lake, "cleaned.heat", "netcdf", tmp_path / "out")
    assert (done.corrected, done.aside) == (0, 1) and done.path.read_bytes() == source.read_bytes()
    with pytest.raises(UserError, match="there is a file already"):
        arrays.export(lake, "cleaned.heat", "netcdf", tmp_path / "out")
    with pytest.raises(UserError, match="has netcdf, and not hdf5"):
        arrays.export(lake, "cleaned.heat", "hdf5", tmp_path / "out")
    with pytest.raises(UserError, match="there is no 7"):
        arrays.export(lake, "cleaned.heat", "netcdf", tmp_path / "out", 7)


@pytest.mark.parametrize("kind", ["netcdf", "hdf5"])
def test_a_corrected_cell_is_stored_packed_and_all_else_stays(
    tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    if kind == "netcdf":
        source, said = _netcdf(tmp_path), ("nc", "netcdf", "variables: [t]")
    else:
        source, said = tmp_path / "a.h5", ("h5", "hdf5", "datasets: [t]")
        with h5py.File(source, "w") as file:
            file["t"] = np.array([1, 2, -9, 90], ">i2")
            file["t"].attrs["scale_factor"], file["t"].attrs["_FillValue"] = 0.5, np.array(-9, ">i2")
            file["t"].dims[0].label = "x"
    lake = _lake(tmp_path, spark, monkeypatch, source, *said)
    corrections.decide(lake, "cleaned.heat", (1, "t[3]"), "fix", {"t": "4.5"}, "wang", "read off the instrument")
    building.build(lake, spark, "cleaned.heat")
    done = arrays.export(lake, "cleaned.heat", kind, tmp_path / "out")
    with h5py.File(done.path) as after, h5py.File(source) as before:
        assert after["t"][:].tolist() == [1, 2, -9, 9] and after["t"].dtype == before["t"].dtype
        assert dict(after["t"].attrs).keys() == dict(before["t"].attrs).keys()
    assert (done.corrected, done.aside) == (1, 0)
    corrections.decide(lake, "cleaned.heat", (1, "t[3]"), "fix", {"t": "4.6"}, "wang", "again")
    building.build(lake, spark, "cleaned.heat")
    with pytest.raises(UserError, match=re.escape("4.6 can't be stored: the nearest stored number is 4.5")):
        arrays.export(lake, "cleaned.heat", kind, tmp_path / "more")
    assert list((tmp_path / "more").iterdir()) == []


def test_a_whole_number_is_written_back_with_every_digit(tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source, kind = tmp_path / "a.h5", np.dtype([("t", "i8")])
    with h5py.File(source, "w") as file:
        file["t"], file["c"] = np.array([1, -1], "i8"), np.array([(1,), (-1,)], kind)
        file["t"].dims[0].label = "x"
    text = HEAT.replace("double, description: Heat, from: t", "bigint, from: %s, description: Heat").replace("10}", "2e18}")
    for array, column in (("t", "t"), ("c", "c.t")):
        monkeypatch.setattr("tests.jobs.test_arrays.HEAT", text.replace("from: %s", f"from: {column}"))
        with h5py.File(source, "a") as file:
            file[array].dims[0].label = "x"
        (tmp_path / array).mkdir()
        lake = _lake(tmp_path / array, spark, monkeypatch, source, "h5", "hdf5", f"datasets: [{array}]")
        corrections.decide(lake, "cleaned.heat", (1, f"{array}[1]"), "fix", {column: str(2**60 + 1)}, "wang", "read off")
        building.build(lake, spark, "cleaned.heat")
        if array == "c":
            with pytest.raises(UserError, match="a member of a compound can't be written back"):
                arrays.export(lake, "cleaned.heat", "hdf5", tmp_path / array / "out")
            continue
        with h5py.File(arrays.export(lake, "cleaned.heat", "hdf5", tmp_path / array / "out").path) as after:
            assert after["t"][:].tolist() == [1, 2**60 + 1]


def test_a_copy_that_would_differ_in_too_many_cells_is_refused(
    tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = _lake(tmp_path, spark, monkeypatch, _netcdf(tmp_path), "nc", "netcdf", "variables: [t]")
    corrections.decide(lake, "cleaned.heat", (1, "t[3]"), "fix", {"t": "4.5"}, "wang", "read off the instrument")
    building.build(lake, spark, "cleaned.heat")
    monkeypatch.setattr(arrays, "MOST", 0)
    with pytest.raises(UserError, match="more than 0 cells that are not as delivered"):
        arrays.export(lake, "cleaned.heat", "netcdf", tmp_path / "out")


def test_a_missing_value_needs_a_fill_value(tmp_path: Path) -> None:
    how = packing(np.dtype("u1"), {})
    with pytest.raises(UserError, match="no fill value"):
        pack([None], how, "t")
    assert pack([None, 3], packing(np.dtype("i1"), {"_Unsigned": "true", "_FillValue": np.int8(-1)}), "t").tolist() == [-1, 3]


def _back(raw: Any, how: Any, label: str) -> str:
    """Say what is wrong where values packed again are not the stored numbers; missing ones may be stored in several ways."""
    values = unpack(np.ascontiguousarray(raw), how, label)
    there = ~values.is_null().to_numpy(zero_copy_only=False)
    known = [one for one in values.to_pylist() if one is not None and one == one]
    stored = np.ravel(raw)[there]
    stored = stored[~np.isnan(stored)] if stored.dtype.kind == "f" else stored
    return "" if pack(known, how, label).tobytes() == np.ascontiguousarray(stored).tobytes() else label


@pytest.mark.filterwarnings("ignore")
def test_every_array_of_numbers_of_the_odd_files_is_packed_again_to_the_bit(shared: Path) -> None:
    wrong, done = [], 0
    for path in sorted((shared / "data/netcdf_quirks").glob("*.nc")):
        if path.name.startswith("derived_"):  # refused, so never in a lake
            continue
        with netCDF4.Dataset(path) as file:
            file.set_auto_maskandscale(False)
            for one in list(cf.every(file))[:40]:
                label = f"{path.name}/{cf.path(one)}"
                number = (
                    one.dtype is not str and np.dtype(one.dtype).kind in "iuf" and not isinstance(one.datatype, netCDF4.VLType)
                )
                if number and " since " not in str(getattr(one, "units", "")):
                    how = packing(np.dtype(one.dtype), {key: one.getncattr(key) for key in one.ncattrs()})
                    wrong.append(_back(np.asarray(one[...]), how, label))
                    done += 1
    for path in sorted((shared / "data/hdf5_quirks").glob("*.hdf5")):
        with h5py.File(path) as file:
            for name in links.datasets(path)[:40]:
                one = file[name]
                if one.shape is not None and one.dtype.kind in "iuf":
                    native = one.dtype.newbyteorder("=")
                    wrong.append(
                        _back(np.asarray(one[()]).astype(native), packing(native, dict(one.attrs)), f"{path.name}/{name}")
                    )
                    done += 1
    assert [one for one in wrong if one] == [] and done > 250
