"""Every file of the odd NetCDF and HDF5 files is written back to the bit, but for those that are named, with the reason."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py
import netCDF4
import numpy as np
import pytest

from jobs.readers import cf, links, sniff
from jobs.readers.pack import patch
from schemas.errors import UserError
from schemas.rooms import SHIPPED
from tests.jobs.readers.reading import read_file

# File → why it never becomes a table, so that there is nothing to be written back. docs/science.md has the same list.
NEVER = {
    "cf__umfile.pp": "no reader takes", "derived_badmagic__nctest_classic.nc": "no reader takes",
    "derived_truncated__nctest_64bit.nc": "cut off", "derived_truncated__v6.0_CH4_2015.nc": "cut off",
    "cf__broken_bounds2.cdl": "text", "nc_c__ref_tst_vlen_data2.cdl": "text", "nc_c__tst_calendars.cdl": "text",
    **dict.fromkeys(("external_link.hdf5", "space_padding_problem.hdf5", "test_userblock_earliest.hdf5",
                     "nc_c__ref_tst_xplatform2_1.nc"), "no arrays"),
}  # fmt: skip
ARRAYS, CELLS = 12, 40  # of a file, of an array


def files(shared: Path) -> list[Path]:
    return [path for folder in ("netcdf_quirks", "hdf5_quirks") for path in sorted((shared / "data" / folder).iterdir())]


def _arrays(path: Path, format: str) -> list[str]:
    """Return the paths of arrays of plain numbers that are no instants."""
    if format == "hdf5":
        with h5py.File(path) as file:
            return [name for name in links.datasets(path)
                    if file[name].shape is not None and file[name].dtype.kind in "iuf" and file[name].size][:ARRAYS]  # fmt: skip
    with netCDF4.Dataset(path) as file:
        return [cf.path(one) for one in cf.every(file)
                if one.dtype is not str and not isinstance(one.datatype, netCDF4.VLType | netCDF4.EnumType) and one.size
                and np.dtype(one.dtype).kind in "iuf" and " since " not in str(getattr(one, "units", ""))][:ARRAYS]  # fmt: skip


def _never(path: Path) -> str:
    """Say why a file becomes no table; empty where it does."""
    try:
        format = sniff.format_of(path)
        if format == "cdl":
            return "text: CDL is read, and there is no file to be written back"
        import_module(f"jobs.readers.{format}").probe(path, {})
    except UserError as error:
        return str(error)
    if format == "hdf5":
        return "" if links.datasets(path) else "no arrays"
    with netCDF4.Dataset(path) as file:
        return "" if any(True for _ in cf.every(file)) else "no arrays"


def _content(path: Path, format: str) -> Iterator[tuple[str, Any]]:
    """Yield all that a file says: each array as stored, its type and shape, and all attributes with their types."""
    if format == "netcdf":
        with netCDF4.Dataset(path) as file:
            file.set_auto_maskandscale(False)
            for one in cf.every(file):
                raw = one[...]
                plain = isinstance(raw, np.ndarray) and raw.dtype.kind in "iufV"
                yield (
                    cf.path(one),
                    (str(one.dtype), one.shape, raw.tobytes() if plain else repr(raw), one.filters(), one.chunking()),
                )
                yield (
                    f"{cf.path(one)} attributes",
                    [(key, repr(one.getncattr(key)), type(one.getncattr(key))) for key in one.ncattrs()],
                )
        return
    with h5py.File(path) as file:
        for name in links.datasets(path):
            one = file[name]
            raw = one[()] if one.shape is not None else None
            plain = isinstance(raw, np.ndarray | np.generic) and raw.dtype.kind in "iuf"
            yield name, (str(one.dtype), one.shape, raw.tobytes() if plain else repr(raw), one.chunks, one.compression)
            yield f"{name} attributes", sorted((key, str(one.attrs.get_id(key).dtype)) for key in one.attrs)


def _cells(tmp_path: Path, path: Path, format: str, name: str) -> list[tuple[tuple[int, ...], Any]]:
    """Return cells of an array with their values, as the table has them; missing ones may be stored in several ways."""
    option = "variables" if format == "netcdf" else "datasets"
    try:
        found = read_file(tmp_path, format, path, **{option: [name]})
    except UserError:
        return []  # an array that no table takes stays in the file as it is
    header = name if name in found.read.columns else name.rpartition("/")[2]
    known = []
    for row in found.rows:
        value, place = row.get(header), row["_locator"].rpartition("[")[2].removesuffix("]")
        if isinstance(value, int | float) and value == value:
            known.append((tuple(int(part) for part in place.split(",") if part), value))
    return known[:CELLS]


@pytest.mark.filterwarnings("ignore")
def test_every_other_file_is_written_back_to_the_bit_after_its_cells_were_changed(tmp_path: Path, shared: Path) -> None:
    never, wrong, changed, walked = {}, [], 0, 0
    for path in files(shared):
        if why := _never(path):
            never[path.name] = why
            continue
        format = sniff.format_of(path)
        walked += 1
        copy = tmp_path / path.name
        shutil.copyfile(path, copy)
        copy.chmod(0o644)
        cells = {name: found for name in _arrays(path, format) if (found := _cells(tmp_path, path, format, name))}
        turned = {name: [(at, value) for (at, _), (_, value) in zip(found, reversed(found), strict=True)]
                  for name, found in cells.items()}  # fmt: skip
        before = dict(_content(path, format))
        patch(format, copy, turned)
        moved = {name for name in cells if dict(_content(copy, format))[name] != before[name]}
        differ = {name for name in cells if turned[name] != cells[name]}
        wrong += [f"{path.name}: {name} was not changed" for name in differ - moved]
        patch(format, copy, cells)
        after = dict(_content(copy, format))
        wrong += [f"{path.name}: {name}" for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
        changed += len(moved)
    assert wrong == []
    assert {name: NEVER.get(name, "?") in why for name, why in never.items()} == dict.fromkeys(NEVER, True)
    assert (walked, changed > 150) == (len(files(shared)) - len(NEVER), True)


@pytest.mark.parametrize("page", ["science.md", "science.zh.md"])
def test_the_files_that_are_not_written_back_are_named_in_the_docs(page: str) -> None:
    text = (SHIPPED / "docs" / page).read_text(encoding="utf-8")
    assert [name for name in NEVER if f"`{name}`" not in text] == []
