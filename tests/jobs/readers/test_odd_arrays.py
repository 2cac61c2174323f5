"""Arrays that say of themselves what few programs say: each is understood, or refused, and never half."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import netCDF4
import numpy as np
import pytest

from jobs.readers import hdf5, netcdf
from tests.jobs.readers.reading import read_file, refusal

Fill = Callable[[Any], Any]


def _netcdf(folder: Path, fill: Fill) -> Path:
    with netCDF4.Dataset(folder / "a.nc", "w") as file:
        fill(file)
    return folder / "a.nc"


def _hdf5(folder: Path, fill: Fill) -> Path:
    with h5py.File(folder / "a.h5", "w") as file:
        fill(file)
    return folder / "a.h5"


def _variable(file: Any, name: str, kind: Any, values: Any, dimension: str = "x", fill: Any = None, **attributes: Any) -> None:
    if dimension not in file.dimensions:
        file.createDimension(dimension, len(values))
    one = file.createVariable(name, kind, (dimension,), fill_value=fill)
    one.setncatts(attributes)
    one.set_auto_maskandscale(False)
    one[:] = np.array(values, kind) if kind is not str else np.array(values, object)


@pytest.mark.parametrize(("kind", "values", "fill", "attributes", "expected"), [
    ("u1", [1, 255, 250], np.uint8(255), {"_Unsigned": "false"}, [1, None, -6]),
    ("i1", [1, -1, -6], np.int8(-1), {"_Unsigned": "true"}, [1, None, 250]),
    ("u1", [1, 255], None, {"valid_max": np.inf}, [1, 255]),
    ("u1", [1, 255], None, {"valid_min": np.int16(-1)}, [1, 255]),
    ("i2", [100, 250], None, {"scale_factor": "0.5"}, [50, 125]),
    ("f4", [1, -9999], None, {"missing_value": "-9999"}, [1, None]),
    ("f4", [200, 100], None, {"scale_factor": 0.1, "valid_max": 15.0}, [None, 10]),
    (str, ["NA", "a"], None, {"missing_value": "NA"}, [None, "a"]),
    ("i2", [-1, 0, 3], None, {"valid_min": "0", "valid_max": "2"}, [None, 0, None]),
    ("f4", [-1, 0, 3], None, {"valid_range": "0, 2.5"}, [None, 0, None]),
])  # fmt: skip
def test_attributes_of_odd_types_are_understood(
    tmp_path: Path, kind: Any, values: list[Any], fill: Any, attributes: dict[str, Any], expected: list[Any]
) -> None:
    path = _netcdf(tmp_path, lambda file: _variable(file, "a", kind, values, fill=fill, **attributes))
    assert read_file(tmp_path, "netcdf", path).column("a") == expected


@pytest.mark.parametrize("attributes", [{"scale_factor": "a tenth"}, {"add_offset": np.array([1.0, 2.0])}])
def test_a_scale_that_is_not_one_number_is_refused(tmp_path: Path, attributes: dict[str, Any]) -> None:
    path = _netcdf(tmp_path, lambda file: _variable(file, "a", "i2", [1, 2], **attributes))
    message = refusal(tmp_path, "netcdf", path)
    assert "which is not one number" in message and "ask for a file with a number there" in message


@pytest.mark.parametrize(("attributes", "said"), [
    ({"valid_min": "zero"}, "its valid_min is 'zero', which is no limit"),
    ({"valid_range": "0"}, "its valid_range is '0', which is no limit"),
    ({"valid_max": "2", "scale_factor": 0.1}, "the text '2': a limit of packed or of unpacked numbers?"),
])  # fmt: skip
def test_a_limit_that_says_nothing_is_refused(tmp_path: Path, attributes: dict[str, Any], said: str) -> None:
    path = _netcdf(tmp_path, lambda file: _variable(file, "a", "i2", [1, 2], **attributes))
    message = refusal(tmp_path, "netcdf", path)
    assert said in message and "ask for a file with a number there" in message


@pytest.mark.parametrize("units", ["hours since 2000-01-01 00:00:00 CST", "days since 2000/01/01", "days since 2000-01-01 1200"])
def test_a_reference_that_is_not_understood_is_refused(tmp_path: Path, units: str) -> None:
    path = _netcdf(tmp_path, lambda file: _variable(file, "a", "i2", [1, 2], units=units))
    message = refusal(tmp_path, "netcdf", path)
    assert f"{units!r} names no instant" in message and "2000-01-01 00:00:00 +08:00" in message


def test_a_scale_of_lists_is_refused(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file.createDimension("x", 1)
        one = file.createVariable("a", file.createVLType("i2", "list"), ("x",))
        one.scale_factor, one[0] = 0.1, np.array([1, 2], "i2")

    message = refusal(tmp_path, "netcdf", _netcdf(tmp_path, fill))
    assert "scale_factor of an array of no plain numbers" in message and "leave it out" in message


def test_dimensions_of_one_name_in_two_groups_are_two(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        for name, start in (("north", 0), ("south", 100)):
            group = file.createGroup(name)
            _variable(group, "time", "f8", [start, start + 1], "time")
            _variable(group, f"heat_{name}", "f8", [start + 5, start + 6], "time")

    path = _netcdf(tmp_path, fill)
    assert "do not share their dimensions" in refusal(tmp_path, "netcdf", path)
    assert list(netcdf.probe(path, {})["tables"]) == ["north/time", "south/time"]
    assert read_file(tmp_path, "netcdf", path, variables=["south/heat_south"]).column("time") == [100, 101]


def test_a_coordinate_of_another_dimension_of_the_same_name_is_none(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        _variable(file, "lat", "f8", [10, 20, 30], "lat")
        group = file.createGroup("g")
        group.createDimension("lat", 2)
        _variable(group, "a", "f8", [1, 2], "lat")

    assert read_file(tmp_path, "netcdf", _netcdf(tmp_path, fill), variables=["g/a"]).read.columns == ("lat_index", "g/a")


def test_coordinates_of_every_variable_are_columns(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file.createVariable("low", "f8", ())[...] = 2
        file.createVariable("high", "f8", ())[...] = 10
        _variable(file, "a", "f8", [1, 2], coordinates="low")
        _variable(file, "b", "f8", [3, 4], coordinates="high")

    assert read_file(tmp_path, "netcdf", _netcdf(tmp_path, fill)).read.columns == ("x_index", "low", "high", "a", "b")


def test_a_coordinate_that_lies_in_another_file_is_refused(tmp_path: Path) -> None:
    path = _netcdf(tmp_path, lambda file: _variable(file, "a", "f8", [1, 2, 3, 4]))
    (tmp_path / "secret").write_bytes(b"root")
    with h5py.File(path, "a") as file:
        del file["x"]
        scale = file.create_dataset("x", shape=(4,), dtype="i1", external=[(str(tmp_path / "secret"), 0, 4)])
        scale.make_scale("x")
        for name in list(file["a"].attrs):
            del file["a"].attrs[name]
        file["a"].dims[0].attach_scale(scale)
    assert "x keeps its data in another file" in refusal(tmp_path, "netcdf", path, variables=["a"])


def test_datasets_of_different_scales_are_no_one_table(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        for name, scale, start in (("a", "x", 0.0), ("b", "y", 7.0)):
            file[name], file[scale] = [1, 2], [start, start + 1]
            file[scale].make_scale()
            file[name].dims[0].attach_scale(file[scale])

    path = _hdf5(tmp_path, fill)
    message = refusal(tmp_path, "hdf5", path, datasets=["a", "b"])
    assert "do not share their scales: a (/x), b (/y)" in message and "tables of their own" in message
    assert {"datasets": ["a", "b"]} not in hdf5.probe(path, {})["tables"].values()


def test_soft_links_are_counted_from_their_group(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file["d"], file["g/d"], file["g/link"], file["all"] = [1, 2], [3, 4], h5py.SoftLink("d"), h5py.SoftLink("/g")
        file["one"], file["other"] = h5py.SoftLink("/other"), h5py.SoftLink("/one")

    path = _hdf5(tmp_path, fill)
    assert read_file(tmp_path, "hdf5", path, datasets=["g/link"]).column("g/link") == [3, 4]
    assert read_file(tmp_path, "hdf5", path, datasets=["all/link"]).column("all/link") == [3, 4]
    assert "there is no dataset 'one'" in refusal(tmp_path, "hdf5", path, datasets=["one"])


def test_fill_values_of_compounds_are_missing(tmp_path: Path) -> None:
    kind = np.dtype([("day", "i2"), ("heat", ">f4")])

    def fill(file: Any) -> None:
        file["c"] = np.array([(1, 2.5), (-99, -99)], kind)
        file["c"].attrs["_FillValue"] = np.array((-99, -99), kind)

    found = read_file(tmp_path, "hdf5", _hdf5(tmp_path, fill), datasets=["c"])
    assert (found.column("c.day"), found.column("c.heat")) == ([1, None], [2.5, None])


def test_one_scale_on_both_axes_is_a_column_for_each(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = np.array([[1.0, 2.0], [3.0, 4.0]])
        file["site"] = np.array([10, 20])
        file["site"].make_scale("site")
        file["a"].dims[0].attach_scale(file["site"])
        file["a"].dims[1].attach_scale(file["site"])
    found = read_file(tmp_path, "hdf5", tmp_path / "a.h5", datasets=["a"])
    assert list(zip(found.column("site_0"), found.column("site_1"), found.column("a"), strict=True)) == [
        (10, 10, 1.0), (10, 20, 2.0), (20, 10, 3.0), (20, 20, 4.0),
    ]  # fmt: skip
