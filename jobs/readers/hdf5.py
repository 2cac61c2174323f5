"""HDF5: the cells of datasets of one shape as rows, with dimension scales and places."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa

from jobs.readers import Read, Request
from jobs.readers.grid import Column, Grid, Slab, batches, index_column
from jobs.readers.links import own
from jobs.readers.options import options
from jobs.readers.packed import packing, unpack
from jobs.readers.parts import Rejects, write_parts
from schemas.errors import UserError


@dataclass(frozen=True)
class Hdf5:
    """Options of HDF5: the datasets to read, by path."""

    datasets: list[str]
    empty_ok: bool = False


def read(request: Request) -> Read:
    """Read datasets cell by cell; `_locator` is `dataset[i,j]` of the first one, indices from 0."""
    began = time.perf_counter()
    given = options(Hdf5, request.options, request.name)
    with _opened(request.path, request.name) as file, Rejects(request.out, request.delivery):
        chosen = _chosen(file, given.datasets, request.name)
        grid = _grid(chosen, request.name)
        rows = write_parts(request.out, batches(grid, request.delivery))
    if not rows and not given.empty_ok:
        raise UserError("no data rows", where=request.name)
    info = {"shape": list(grid.shape)}
    return Read(rows, 0, tuple(one.name for one in grid.columns), info, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say which datasets there are, with shapes and types."""
    found: dict[str, Any] = {}

    def note(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            found[name] = {"shape": list(node.shape or ()), "type": str(node.dtype)}

    with _opened(path, path.name) as file:
        file.visititems(note)
    return {"datasets": found}


@contextmanager
def _opened(path: Path, where: str) -> Iterator[Any]:
    """Open a file; whatever the library makes of a damaged one, now or while reading, becomes UserError."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError) as error:
        raise UserError(f"the file is damaged or cut off: {error}", where=where, remedy="ask for the delivery again") from None


def _chosen(file: Any, names: list[str], where: str) -> dict[str, Any]:
    chosen = {name: own(file, name.strip("/"), where) for name in names}
    for name, one in chosen.items():
        if one is None:
            raise UserError(f"there is no dataset {name!r}", where=where, remedy=f"the file has {_known(file)}")
        if one.dtype.kind not in "iufbSO" or (one.dtype.kind == "O" and not h5py.check_string_dtype(one.dtype)):
            raise UserError(f"{name} holds {one.dtype}, which is neither numbers nor text", where=where)
        if one.shape is None:
            raise UserError(f"{name} is empty", where=where)
    if len({one.shape for one in chosen.values()}) != 1:
        shapes = ", ".join(f"{name} {one.shape}" for name, one in chosen.items())
        raise UserError(f"the datasets are not of one shape: {shapes or 'none named'}", where=where)
    return chosen


def _known(file: Any) -> str:
    found: list[str] = []
    file.visititems(lambda name, node: found.append(name) if isinstance(node, h5py.Dataset) else None)
    return ", ".join(found[:30])


def _grid(chosen: dict[str, Any], where: str) -> Grid:
    label, first = next(iter(chosen.items()))
    every = tuple(range(len(first.shape)))
    along = [_axis(first, axis, where) for axis in every]
    data = [_column(one, name, every, where) for name, one in chosen.items()]
    names = [one.name for one in (*along, *data)]
    if len(set(names)) < len(names):
        raise UserError(f"two columns have one name: {', '.join(names)}", where=where)
    return Grid(label, first.shape, first.chunks, (*along, *data))


def _axis(first: Any, axis: int, where: str) -> Column:
    """Return the first dimension scale of an axis, or the index along it."""
    dimension = first.dims[axis]
    size = first.shape[axis]
    scale = dimension[0] if len(dimension) else None
    if scale is not None and scale.shape == (size,) and not scale.external and not scale.is_virtual:
        return _column(scale, scale.name.rpartition("/")[2], (axis,), where)
    return index_column(f"{dimension.label or f'dim_{axis}'}_index", axis, size)


def _column(one: Any, name: str, axes: tuple[int, ...], where: str) -> Column:
    place = f"{where}, {name}"
    text = one.dtype.kind in "SO"
    kind = np.dtype(object) if text else np.dtype(one.dtype).newbyteorder("=")
    how = packing(kind, dict(one.attrs))

    def get(slab: Slab) -> pa.Array:
        raw = np.asarray(one[slab] if slab else one[()])
        return unpack(np.ascontiguousarray(raw if text else raw.astype(kind, copy=False)), how, place)

    return Column(name, axes, how.type, get)
