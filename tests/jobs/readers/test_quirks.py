"""Every variable of the odd files of science is read as the libraries read it, or refused with a reason."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cftime
import h5py
import netCDF4
import numpy as np
import pytest

from jobs.readers import cf, links
from schemas.errors import UserError
from tests.jobs.readers.reading import read_file

# What is refused, file or file and variable, and what the refusal says.
REFUSED = {
    "derived_truncated__nctest_64bit.nc": "cut off", "derived_truncated__v6.0_CH4_2015.nc": "cut off",
    "derived_badmagic__nctest_classic.nc": "netcdf was expected",
    **{f"{file}/{name}": "no text in utf-8" for name in ("charv", "charvar") for file in
       ("nc_c__nctest_netcdf4_classic.nc", "nc_c__ref_nctest_64bit_offset.nc", "nc_c__ref_nctest_classic.nc")},
}  # fmt: skip
FEW = 12  # variables of a file with thousands of one kind


def _numbers(values: Any) -> list[Any]:
    """Masked numbers as the table has them: NULL where masked."""
    masked = np.ma.masked_array(values)
    gone = np.broadcast_to(np.ma.getmaskarray(masked), masked.shape).ravel()
    return [None if skip else one for one, skip in zip(masked.filled(0).ravel().tolist(), gone, strict=True)]


def _same(found: list[Any], expected: list[Any]) -> bool:
    def equal(one: Any, other: Any) -> bool:
        if isinstance(one, float) and isinstance(other, float):
            # The library unpacks in the type of scale_factor, mostly single precision, we in double.
            return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-8) or (math.isnan(one) and math.isnan(other))
        return bool(one == other)

    return len(found) == len(expected) and all(map(equal, found, expected))


def _library(one: Any) -> list[Any] | None:
    """What netCDF4 and cftime make of a variable of numbers; None for other kinds."""
    if one.dtype is str or np.dtype(one.dtype).kind not in "iuf" or isinstance(one.datatype, netCDF4.EnumType | netCDF4.VLType):
        return None
    # The library masks -127 of bytes, which have no default fill value (NetCDF Users Guide, "Fill Values").
    one.set_auto_mask(one.dtype.itemsize > 1 or "_FillValue" in one.ncattrs())
    values = one[...]
    units, calendar = getattr(one, "units", ""), getattr(one, "calendar", "standard")
    if " since " not in str(units):
        return _numbers(values)
    dates = cftime.num2date(values, units, calendar, only_use_cftime_datetimes=True)
    return [None if np.ma.is_masked(date) else
            f"{date.isoformat()}Z" for date in np.ma.atleast_1d(np.ma.asarray(dates)).ravel()]  # fmt: skip


def _netcdf_files(shared: Path) -> Iterator[Path]:
    for folder in ("netcdf_quirks", "atmosphere_science"):
        yield from (p for p in sorted((shared / "data" / folder).iterdir()) if p.suffix in (".nc", ".nc4", ".h5"))


@pytest.mark.filterwarnings("ignore")
def test_every_variable_of_every_netcdf_file_is_as_the_library_has_it(tmp_path: Path, shared: Path) -> None:
    wrong, refused, compared = [], set(), 0
    for path in _netcdf_files(shared):
        if path.name in REFUSED:
            with pytest.raises(UserError, match=REFUSED[path.name]):
                read_file(tmp_path, "netcdf", path, variables=["cc"])
            continue
        with netCDF4.Dataset(path) as file:
            for one in list(cf.every(file))[:FEW] if "compat1" in path.name else list(cf.every(file)):
                label = f"{path.name}/{cf.path(one)}"
                try:
                    found = read_file(tmp_path, "netcdf", path, variables=[cf.path(one)])
                except UserError as error:
                    refused.add(label)
                    wrong += [f"{label}: {error}"] if REFUSED.get(label, "?") not in str(error) else []
                    continue
                name = cf.path(one) if cf.path(one) in found.read.columns else one.name
                expected = _library(one)
                if expected is not None:
                    compared += 1
                    wrong += [label] if not _same(found.column(name), expected) else []
    assert wrong == [] and compared > 300
    assert refused == {label for label in REFUSED if ".nc/" in label}


@pytest.mark.filterwarnings("ignore")
def test_every_dataset_of_every_hdf5_file_is_as_the_library_has_it(tmp_path: Path, shared: Path) -> None:
    wrong, refused, empty, compared = [], set(), set(), 0
    for path in sorted((shared / "data/hdf5_quirks").iterdir()):
        names = links.datasets(path)
        for name in names[:FEW] if len(names) > 100 else names:
            label = f"{path.name}/{name}"
            try:
                found = read_file(tmp_path, "hdf5", path, datasets=[name])
            except UserError as error:
                (empty if " is empty" in str(error) else refused).add(label)
                wrong += [f"{label}: {error}"] if REFUSED.get(label, " is empty") not in str(error) else []
                continue
            with h5py.File(path) as file:
                one = file[name]
                values = one[()]
                fill = dict(one.attrs).get("_FillValue")
                if one.dtype.kind in "iuf" and h5py.check_enum_dtype(one.dtype) is None:
                    compared += 1
                    expected = [None if fill is not None and v == fill else v for v in np.asarray(values).ravel().tolist()]
                    wrong += [label] if not _same(found.column(name), expected) else []
    assert wrong == [] and compared > 60
    assert refused == {label for label in REFUSED if ".hdf5/" in label}
    assert {label.split("/")[0] for label in empty} == {
        "test_odd_datasets_earliest.hdf5",
        "test_scalar_empty_datasets_earliest.hdf5",
    }


def test_members_of_compounds_are_columns_and_lists_are_json(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/hdf5_quirks/compound_datasets_earliest.hdf5"
    found = read_file(tmp_path, "hdf5", path, datasets=["contiguous_compound"])
    with h5py.File(path) as file:
        values = file["contiguous_compound"][()]
    assert found.read.columns == ("dim_0_index", *(f"contiguous_compound.{name}" for name in values.dtype.names))
    assert found.column("contiguous_compound.firstName") == [one.decode() for one in values["firstName"]]
    assert found.column("contiguous_compound.age") == values["age"].tolist()
    assert [json.loads(one) for one in found.column("contiguous_compound.vector")] == values["vector"].tolist()
    nested = read_file(tmp_path, "hdf5", path, datasets=["nested_chunked_compound"])
    assert "nested_chunked_compound.secondNumber.img" in nested.read.columns
    vlen = read_file(tmp_path, "hdf5", path, datasets=["vlen_contiguous_compound"])
    with h5py.File(path) as file:
        assert [json.loads(one) for one in vlen.column("vlen_contiguous_compound.one")] == [
            one.tolist() for one in file["vlen_contiguous_compound"]["one"]]  # fmt: skip


def test_lists_of_varying_length_are_json(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/hdf5_quirks/test_vlen_datasets_earliest.hdf5"
    found = read_file(tmp_path, "hdf5", path, datasets=["vlen_float64_data"])
    with h5py.File(path) as file:
        assert [json.loads(one) for one in found.column("vlen_float64_data")] == [v.tolist() for v in file["vlen_float64_data"]]


def test_enumerated_values_are_their_names(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/hdf5_quirks/test_enum_datasets_earliest.hdf5"
    assert read_file(tmp_path, "hdf5", path, datasets=["enum_uint8_data"]).column("enum_uint8_data") == [
        "RED", "GREEN", "BLUE", "YELLOW"]  # fmt: skip


def test_a_compound_of_netcdf_is_columns(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/netcdf_quirks/nc_c__ref_tst_compounds.nc"
    found = read_file(tmp_path, "netcdf", path)
    with netCDF4.Dataset(path) as file:
        values = file["obs"][:]
    assert found.read.columns == ("n_index", *(f"obs.{name}" for name in values.dtype.names))


def test_enums_and_lists_of_netcdf(tmp_path: Path) -> None:
    with netCDF4.Dataset(tmp_path / "types.nc", "w") as file:
        file.createDimension("x", 3)
        cloud = file.createEnumType(np.uint8, "cloud_t", {"Clear": 0, "Cumulus": 1, "Missing": 255})
        file.createVariable("cloud", cloud, ("x",), fill_value=255)[:] = np.array([0, 1, 255], "u1")
        ragged = file.createVariable("ragged", file.createVLType(np.int32, "row_t"), ("x",))
        for at, row in enumerate(([1], [2, 3], [])):
            ragged[at] = np.array(row, "i4")
    found = read_file(tmp_path, "netcdf", tmp_path / "types.nc")
    assert found.column("cloud") == ["Clear", "Cumulus", "Missing"] and found.column("ragged") == ["[1]", "[2, 3]", "[]"]


def test_samples_of_a_ragged_array_know_their_station(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/netcdf_quirks/cf__contiguous.nc"
    found = read_file(tmp_path, "netcdf", path)
    with netCDF4.Dataset(path) as file:
        stations = np.repeat(np.arange(4), file["row_size"][:])
        assert found.column("station_index") == stations.tolist()
        assert found.column("lat") == file["lat"][:][stations].tolist()
        names = netCDF4.chartostring(file["station_name"][:].filled(b""))
        assert found.column("station_name") == [str(names[at]).rstrip("\0 ") for at in stations]
    assert found.read.columns == ("obs_index", "station_index", "time", "lat", "lon", "alt", "station_name", "humidity")


def test_an_index_of_instances_is_followed(tmp_path: Path) -> None:
    with netCDF4.Dataset(tmp_path / "indexed.nc", "w") as file:
        file.createDimension("station", 2)
        file.createDimension("obs", 3)
        file.createVariable("lat", "f8", ("station",))[:] = [10, 20]
        index = file.createVariable("which", "i4", ("obs",))
        index.instance_dimension = "station"
        index[:] = [1, 0, 1]
        x = file.createVariable("x", "f8", ("obs",))
        x.coordinates = "lat"
        x[:] = [1, 2, 3]
    assert read_file(tmp_path, "netcdf", tmp_path / "indexed.nc").column("lat") == [20, 10, 20]
    with netCDF4.Dataset(tmp_path / "indexed.nc", "a") as file:
        file["which"][1] = 7
    with pytest.raises(UserError, match="points to places beyond the 2 that there are"):
        read_file(tmp_path, "netcdf", tmp_path / "indexed.nc")


def test_gathered_points_know_their_place(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/netcdf_quirks/cf__gathered.nc"
    found = read_file(tmp_path, "netcdf", path)
    with netCDF4.Dataset(path) as file:
        at = np.unravel_index(file["landpoint"][:], (4, 5))
        assert found.column("lat")[:7] == file["lat"][:][at[0]].tolist()
        assert found.column("lon")[7:] == file["lon"][:][at[1]].tolist()


def test_coordinates_of_outer_groups_and_by_path_are_found(tmp_path: Path, shared: Path) -> None:
    found = read_file(tmp_path, "netcdf", shared / "data/netcdf_quirks/cf__grouped.nc")
    assert found.read.columns == ("lat", "lon", "time", "forecast/model/q") and found.column("time")[0] == "2019-01-01T00:00:00Z"


def test_bounds_are_columns_where_they_are_asked_for(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/netcdf_quirks/cf__test_file2.nc"
    found = read_file(tmp_path, "netcdf", path, variables=["tasmax"], bounds=True)
    with netCDF4.Dataset(path) as file:
        assert found.column("lat_bnds_1")[:20] == np.repeat(file["lat_bnds"][:, 1], 5).tolist()
        days = cftime.num2date(file["time_bnds"][:, 0], file["time"].units, file["time"].calendar)
    assert found.column("time_bnds_0")[::20] == [f"{day.isoformat()}Z" for day in days], "bounds have their coordinate's calendar"


def test_coordinates_of_two_dimensions_and_longitudes_to_360_stay_as_they_are(tmp_path: Path) -> None:
    with netCDF4.Dataset(tmp_path / "rotated.nc", "w") as file:
        for name, size in (("y", 2), ("x", 2)):
            file.createDimension(name, size)
        lon = file.createVariable("lon", "f8", ("x", "y"))  # its dimensions in another order than the data's
        lon[:] = [[10, 20], [350, 359.5]]
        t = file.createVariable("t", "f4", ("y", "x"))
        t.coordinates, t.grid_mapping = "lon", "crs"
        t[:] = [[1, 2], [3, 4]]
        file.createVariable("crs", "i4", ())
    found = read_file(tmp_path, "netcdf", tmp_path / "rotated.nc")
    assert found.column("lon") == [10, 350, 20, 359.5] and found.column("t") == [1, 2, 3, 4]


@pytest.mark.parametrize(("units", "calendar", "number", "expected"), [
    ("days since 2000-01-01", "noleap", 59, "2000-03-01T00:00:00Z"),
    ("days since 2001-01-01", "all_leap", 59, "2001-02-29T00:00:00Z"),
    ("days since 2000-01-01", "360_day", 59, "2000-02-30T00:00:00Z"),
    ("days since 1582-10-04", "standard", 1, "1582-10-15T00:00:00Z"),
    ("days since 1582-10-04", "proleptic_gregorian", 1, "1582-10-05T00:00:00Z"),
    ("days since 2000-02-28", "julian", 1, "2000-02-29T00:00:00Z"),
    ("hours since 2020-01-01 00:00:00 +08:00", "standard", 8, "2020-01-01T00:00:00Z"),
    ("seconds since 1992-10-8 15:15:42.5 -6:00", "standard", 0, "1992-10-08T21:15:42.500000Z"),
    ("hours since 2000-01-01 00:00 +8:00", "standard", 0, "1999-12-31T16:00:00Z"),
    ("hours since 2000-01-01 00 +8", "standard", 0, "1999-12-31T16:00:00Z"),
    ("hours since 2000-01-01 -0530", "standard", 0, "2000-01-01T05:30:00Z"),
    ("hours since 2000-01-01 12:00 UTC", "standard", 0, "2000-01-01T12:00:00Z"),
    ("seconds since 1970-01-01T00:00:00Z", "gregorian", 1.5, "1970-01-01T00:00:01.500000Z"),
])  # fmt: skip
def test_instants_by_every_calendar(tmp_path: Path, units: str, calendar: str, number: float, expected: str) -> None:
    with netCDF4.Dataset(tmp_path / "c.nc", "w") as file:
        file.createDimension("time", 1)
        time = file.createVariable("time", "f8", ("time",))
        time.units, time.calendar = units, calendar
        time[:] = number
        file.createVariable("x", "f8", ("time",))[:] = 1
    assert read_file(tmp_path, "netcdf", tmp_path / "c.nc").column("time") == [expected]


def test_limits_of_the_unpacked_type_are_those_of_unpacked_numbers(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "v.h5", "w") as file:  # netCDF4 would write the limits in the packed type
        file["t"] = np.array([50, 100, 101], "i2")
        file["t"].attrs["scale_factor"], file["t"].attrs["valid_range"] = 0.01, np.array([0.0, 1.0])
    assert read_file(tmp_path, "hdf5", tmp_path / "v.h5", datasets=["t"]).column("t") == [0.5, 1.0, None]


def test_an_unsigned_number_beyond_bigint_is_refused_but_not_a_fill_value(tmp_path: Path) -> None:
    with netCDF4.Dataset(tmp_path / "u.nc", "w") as file:
        file.createDimension("x", 2)
        file.createVariable("u", "u8", ("x",))[:1] = 5
    assert read_file(tmp_path, "netcdf", tmp_path / "u.nc").column("u") == [5, None]
    with netCDF4.Dataset(tmp_path / "u.nc", "a") as file:
        file["u"][1] = 2**63
    with pytest.raises(UserError, match="beyond bigint"):
        read_file(tmp_path, "netcdf", tmp_path / "u.nc")


def test_a_dataset_that_declares_far_more_than_it_stores_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "huge.h5", "w") as file:
        file.create_dataset("x", (10**11,), "f8", chunks=(1000,))
    with pytest.raises(UserError, match="declares 800,000,000,000 bytes, of which 0 are stored"):
        read_file(tmp_path, "hdf5", tmp_path / "huge.h5", datasets=["x"])


def test_text_of_another_encoding_is_read_as_the_option_says(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "g.h5", "w") as file:
        file["x"] = np.array(["北京".encode("gbk")])
    assert read_file(tmp_path, "hdf5", tmp_path / "g.h5", datasets=["x"], encoding="gbk").column("x") == ["北京"]
    with pytest.raises(UserError, match="name the encoding in the option `encoding`"):
        read_file(tmp_path, "hdf5", tmp_path / "g.h5", datasets=["x"])


def test_references_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "r.h5", "w") as file:
        file["a"] = [1]
        file.create_dataset("r", data=np.array([file["a"].ref], dtype=h5py.ref_dtype))
    with pytest.raises(UserError, match="references"):
        read_file(tmp_path, "hdf5", tmp_path / "r.h5", datasets=["r"])


def test_a_variable_of_a_type_that_the_library_does_not_know_is_told(tmp_path: Path, shared: Path) -> None:
    with netCDF4.Dataset(tmp_path / "odd.nc", "w") as file:
        file.createDimension("x", 1)
        file.createVariable("a", "f8", ("x",))[:] = 1
    with h5py.File(tmp_path / "odd.nc", "a") as file:
        file.create_dataset("t", data=np.array([np.datetime64("2020-01-01", "s")]).astype(h5py.opaque_dtype("M8[s]")))
        file["c"] = np.array([1 + 2j])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read_file(tmp_path, "netcdf", tmp_path / "odd.nc", variables=["a"]).column("a") == [1]
        with pytest.raises(UserError, match="that the NetCDF library does not know"):
            read_file(tmp_path, "netcdf", tmp_path / "odd.nc")
