"""Values put back into the stored form of an array: the inverse of unpacking, exact or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import netCDF4
import numpy as np
import numpy.typing as npt

from jobs.readers.packed import Packing, packing, unpack
from schemas.errors import UserError

Change = tuple[Sequence[int], float | int | None]  # index of a cell, its value


def pack(values: Sequence[float | int | None], how: Packing, where: str) -> npt.NDArray[Any]:
    """Return stored numbers that unpack to these very values; None becomes the fill value.

    Raise UserError for a value that no stored number gives: rounded, it would be another one.
    """
    fill = next(iter(how.missing), None)
    if fill is None and None in values:
        raise UserError("a missing value, and the array has no fill value", where=where, remedy="correct it to a number")
    numbers = np.array([0 if one is None else one for one in values])
    if how.scale is not None or how.offset is not None:
        numbers = np.rint((numbers - (how.offset or 0.0)) / (1.0 if how.scale is None else how.scale))
    signed = np.dtype(how.dtype.str.translate(how.turned)) if how.turned else how.dtype
    with np.errstate(invalid="ignore", over="ignore"):
        raw = numbers.astype(signed).view(how.dtype)
    raw[[one is None for one in values]] = fill if fill is not None else 0
    for value, back in zip(values, unpack(raw, how, where).to_pylist(), strict=True):
        if value != back:
            raise UserError(f"{value!r} can't be stored: the nearest stored number is {back!r}", where=where,
                            remedy="correct it to a value that the packing of the array can hold")  # fmt: skip
    return raw


def patch(format: str, path: Path, changes: Mapping[str, Sequence[Change]]) -> dict[str, Any]:
    """Write changed cells into a copy of a file, all else as it is; return how many of each array."""
    for name, cells in changes.items():
        try:
            _netcdf(path, name, cells) if format == "netcdf" else _hdf5(path, name, cells)
        except (KeyError, IndexError):
            raise UserError(f"{name} was corrected, and is no array of the file: a member of a compound can't be written back",
                            where=path.name, remedy="ask for a delivery with the right value") from None  # fmt: skip
    return {name: len(cells) for name, cells in changes.items()}


def _netcdf(path: Path, name: str, cells: Sequence[Change]) -> None:
    with netCDF4.Dataset(path, "r+") as file:
        file.set_auto_maskandscale(False)
        one = file[name]
        default = None if one.dtype.itemsize == 1 else netCDF4.default_fillvals.get(np.dtype(one.dtype).str[1:])
        how = packing(np.dtype(one.dtype), {key: one.getncattr(key) for key in one.ncattrs()}, default)
        _put(one, name, cells, how)


def _hdf5(path: Path, name: str, cells: Sequence[Change]) -> None:
    with h5py.File(path, "r+") as file:
        one = file[name]
        how = packing(np.dtype(one.dtype).newbyteorder("="), dict(one.attrs))
        _put(one, name, cells, how)


def _put(one: Any, name: str, cells: Sequence[Change], how: Packing) -> None:
    if any(len(at) != one.ndim for at, _ in cells):
        raise UserError("a coordinate was corrected for some of its cells", where=name,
                        remedy="withdraw the delivery and ask for one with the right coordinate")  # fmt: skip
    for (at, _), raw in zip(cells, pack([value for _, value in cells], how, name), strict=True):
        one[tuple(at)] = raw
