from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import h5py
import netCDF4
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.readers import Request, grid, read
from tests.jobs.readers.reading import read_file, refusal


def _packed(path: Path, kind: Any = "NETCDF4") -> Path:
    """A grid of 2 times, 3 latitudes and 4 unnamed cells: packed int16, one missing, one out of range."""
    with netCDF4.Dataset(path, "w", format=kind) as file:
        for name, size in (("time", None if kind == "NETCDF4" else 2), ("lat", 3), ("cell", 4)):
            file.createDimension(name, size)
        time = file.createVariable("time", "f8", ("time",))
        time.units, time.calendar = "hours since 2026-01-01 00:00:00", "standard"
        file.createVariable("lat", "f4", ("lat",))[:] = [-1.5, 0, 1.5]
        t = file.createVariable("t", "i2", ("time", "lat", "cell"), fill_value=-32767)
        t.scale_factor, t.add_offset, t.valid_max = 0.5, 10.0, np.int16(20)
        t.set_auto_maskandscale(False)
        time[:] = [0, 30.5]
        values = np.arange(24, dtype="i2").reshape(2, 3, 4)
        values[0, 0, 1] = -32767
        t[:] = values
    return path


@pytest.mark.parametrize("kind", ["NETCDF4", "NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"])
def test_packed_cells_become_rows_with_coordinates_and_place(tmp_path: Path, kind: str) -> None:
    found = read_file(tmp_path, "netcdf", _packed(tmp_path / "grid.nc", kind), variables=["t"])
    assert found.read.columns == ("time", "lat", "cell_index", "t") and found.read.rows == 24
    assert found.rows[0] == {"time": "2026-01-01T00:00:00Z", "lat": -1.5, "cell_index": 0, "t": 10.0,
                             "_delivery": 7, "_locator": "t[0,0,0]"}  # fmt: skip
    assert found.rows[-4]["time"] == "2026-01-02T06:30:00Z" and found.rows[-4]["t"] == 20.0
    assert found.column("t")[1] is None
    assert found.column("t")[-3:] == [None] * 3, "above valid_max, which is a packed number"


@pytest.mark.filterwarnings("ignore")  # the file's _FillValue is NaN for integers, which the library remarks
def test_values_equal_those_that_the_library_unpacks(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/atmosphere_science/eraint_uvz.nc"
    found = read_file(tmp_path, "netcdf", path, variables=["u", "v"])
    with netCDF4.Dataset(path) as file:
        assert found.read.rows == file["u"].size
        assert np.allclose(found.column("u"), file["u"][:].ravel(), rtol=1e-12)
        assert np.allclose(found.column("latitude")[::480][:241], file["latitude"][:])
    assert found.rows[480 * 241 + 481]["_locator"] == "u[0,1,1,1]"


def test_the_emission_grid_of_edgar_is_read(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/atmosphere_science/v6.0_CO2_excl_short-cycle_org_C_2015_TOTALS.5.3x5.1.nc"
    found = read_file(tmp_path, "netcdf", path)
    assert found.read.columns == ("lat", "lon", "emi_co2") and found.read.rows == 35 * 71
    assert found.rows[71]["_locator"] == "emi_co2[1,0]"


def test_days_of_model_calendars_stay_as_they_are(tmp_path: Path) -> None:
    with netCDF4.Dataset(tmp_path / "model.nc", "w") as file:
        file.createDimension("time", 1)
        time = file.createVariable("time", "i4", ("time",))
        time.units, time.calendar = "days since 2000-01-01", "360_day"
        time[:] = 59
        file.createVariable("x", "f8", ("time",))[:] = 1
    assert read_file(tmp_path, "netcdf", tmp_path / "model.nc").rows[0]["time"] == "2000-02-30T00:00:00Z"


def test_unsigned_bytes_text_and_further_coordinates(tmp_path: Path) -> None:
    with netCDF4.Dataset(tmp_path / "u.nc", "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("x", 2)
        file.createDimension("letters", 5)
        u = file.createVariable("u", "i1", ("x",))
        u._Unsigned, u.missing_value, u.coordinates = "true", np.int8(-1), "name height"
        u.set_auto_maskandscale(False)
        u[:] = np.array([-2, -1], dtype="i1")
        name = file.createVariable("name", "S1", ("x", "letters"))
        name[:] = netCDF4.stringtochar(np.array([b"alpha", b"b"], "S5"))
        file.createVariable("height", "f4", ())[...] = 2.0
    found = read_file(tmp_path, "netcdf", tmp_path / "u.nc")
    assert [(row["u"], row["name"], row["height"]) for row in found.rows] == [(254, "alpha", 2.0), (None, "b", 2.0)]


def test_variables_of_different_dimensions_are_refused(tmp_path: Path) -> None:
    with netCDF4.Dataset(tmp_path / "two.nc", "w") as file:
        file.createDimension("x", 2)
        file.createDimension("y", 3)
        file.createVariable("a", "f8", ("x",))[:] = 1
        file.createVariable("b", "f8", ("y",))[:] = 1
    assert "do not share their dimensions" in refusal(tmp_path, "netcdf", tmp_path / "two.nc")
    assert "the file has a(x), b(y)" in refusal(tmp_path, "netcdf", tmp_path / "two.nc", variables=["c"])


@pytest.mark.parametrize("name", ["derived_truncated__nctest_64bit.nc", "derived_truncated__v6.0_CH4_2015.nc"])
def test_truncated_files_are_refused(tmp_path: Path, shared: Path, name: str) -> None:
    assert "cut off" in refusal(tmp_path, "netcdf", shared / "data/netcdf_quirks" / name, variables=["emi_ch4"])


@pytest.mark.parametrize("kind", ["NETCDF3_CLASSIC", "NETCDF3_64BIT_DATA", "NETCDF4"])
def test_a_file_is_refused_wherever_it_is_cut(tmp_path: Path, kind: str) -> None:
    content = _packed(tmp_path / "grid.nc", kind).read_bytes()
    path = tmp_path / "cut.nc"
    for end in (len(content) - 5, len(content) // 2, 60):
        path.write_bytes(content[:end])
        assert "cut off" in refusal(tmp_path, "netcdf", path, variables=["t"])


def _twin(path: Path, **how: Any) -> Path:
    with h5py.File(path, "w") as file:
        t = file.create_dataset("grid/t", data=np.array([[0, 2], [-1, 4]], dtype=">i2"), **how)
        t.attrs["scale_factor"], t.attrs["add_offset"], t.attrs["_FillValue"] = 0.5, 1.0, np.int16(-1)
        file["grid/lat"] = [10.0, 20.0]
        file["grid/lat"].make_scale("lat")
        t.dims[0].attach_scale(file["grid/lat"])
        file["names"] = np.array([["a", "b"], ["c", ""]], dtype=h5py.string_dtype())
    return path


def test_datasets_are_read_with_scales_packing_and_text(tmp_path: Path) -> None:
    path = _twin(tmp_path / "grid.h5", compression="gzip", fletcher32=True, chunks=(1, 2))
    found = read_file(tmp_path, "hdf5", path, datasets=["grid/t", "names"])
    assert [list(row.values()) for row in found.rows] == [
        [10.0, 0, 1.0, "a", 7, "grid/t[0,0]"], [10.0, 1, 2.0, "b", 7, "grid/t[0,1]"],
        [20.0, 0, None, "c", 7, "grid/t[1,0]"], [20.0, 1, 3.0, None, 7, "grid/t[1,1]"],
    ]  # fmt: skip
    assert found.read.columns == ("lat", "dim_1_index", "grid/t", "names")


def test_a_flipped_byte_under_a_checksum_is_refused(tmp_path: Path) -> None:
    path = _twin(tmp_path / "grid.h5", fletcher32=True, chunks=(2, 2))
    content = bytearray(path.read_bytes())
    at = content.index(np.array([0, 2, -1, 4], dtype=">i2").tobytes())
    content[at + 3] ^= 1
    path.write_bytes(content)
    assert "damaged" in refusal(tmp_path, "hdf5", path, datasets=["grid/t"])


def test_data_of_other_files_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(16))
    path = tmp_path / "sly.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("raw", (4,), "i4", external=[(str(secret), 0, 16)])
        file["linked"] = h5py.ExternalLink(str(_twin(tmp_path / "grid.h5")), "grid/t")
        file["soft"] = h5py.SoftLink("/linked")
    assert "keeps its data in another file" in refusal(tmp_path, "hdf5", path, datasets=["raw"])
    assert "a link to another file" in refusal(tmp_path, "hdf5", path, datasets=["linked"])
    assert "a link to another file" in refusal(tmp_path, "hdf5", path, datasets=["soft"])


@pytest.mark.parametrize(("options", "reason"), [
    ({}, "the option 'datasets' is missing"),
    ({"datasets": ["nothing"]}, "there is no dataset 'nothing'"),
    ({"datasets": ["grid/t", "grid/lat"]}, "not of one shape"),
])  # fmt: skip
def test_datasets_that_do_not_fit_are_refused(tmp_path: Path, options: dict[str, Any], reason: str) -> None:
    assert reason in refusal(tmp_path, "hdf5", _twin(tmp_path / "grid.h5"), **options)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=4), st.booleans(), st.integers(1, 50))
def test_slabs_cover_every_cell_once_and_stay_small(axes: list[tuple[int, int]], chunked: bool, cells: int) -> None:
    shape = [size for size, _ in axes]
    seen = np.zeros(shape, dtype=int)
    for slab in grid.slabs(shape, [chunk for _, chunk in axes] if chunked else None, cells):
        seen[slab] += 1
        assert seen[slab].size <= 4 * cells
    assert (seen == 1).all()


def test_a_grid_of_several_slabs_is_read_whole(tmp_path: Path) -> None:
    shape = (3, (grid.CELLS >> 1) + 1)
    with h5py.File(tmp_path / "large.h5", "w") as file:
        file["x"] = np.arange(shape[0] * shape[1], dtype="i4").reshape(shape)
    assert len(list(grid.slabs(shape, None))) == 3
    (tmp_path / "out").mkdir()
    read("hdf5", Request(tmp_path / "large.h5", tmp_path / "out", 7, "large.h5", {"datasets": ["x"]}))
    found = (
        duckdb.connect()
        .execute(f"""
        select count(*), count(distinct x), count(*) filter (_locator = format('x[{{}},{{}}]', x // {shape[1]}, x % {shape[1]}))
        from '{tmp_path}/out/part-*.parquet'
    """)
        .fetchall()
    )
    assert found == [(shape[0] * shape[1],) * 3]
