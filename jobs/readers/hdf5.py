"""HDF5: the cells of datasets of one shape as rows, with dimension scales and places."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.readers import Read, Request, described
from jobs.readers.grid import Column, Grid, Slab, batches, index_column, last
from jobs.readers.groups import of_datasets
from jobs.readers.links import datasets, own
from jobs.readers.options import options
from jobs.readers.packed import check_unpacked, packing, unpack
from jobs.readers.parts import Rejects, check_names, no_rows, write_parts
from jobs.readers.shapes import parts, texts
from schemas.errors import UserError


@dataclass(frozen=True)
class Hdf5:
    """Options of HDF5: the datasets to read, by path, and the encoding of texts.

    `cell_numbers` counts cells instead of naming them in `_locator`, for grids of many millions.
    """

    datasets: list[str]
    encoding: str = "utf-8"
    cell_numbers: bool = False
    empty_ok: bool = False


def read(request: Request) -> Read:
    """Read datasets cell by cell; `_locator` is `dataset[i,j]` of the first one, indices from 0."""
    began = time.perf_counter()
    given = options(Hdf5, request.options, request.name)
    with opened(request.path, request.name) as file, Rejects(request.out, request.delivery):
        grid = grid_of(file, given, request.name)
        rows = write_parts(request.out, batches(grid, request.delivery))
        info = {"shape": list(grid.shape), "variables": described.hdf5(file, request.path, grid.used)}
    if not rows and not given.empty_ok:
        raise no_rows(request.name)
    return Read(rows, 0, tuple(one.name for one in grid.columns), info, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say which datasets there are, with shapes and types."""
    found: dict[str, Any] = {}
    shapes: dict[str, tuple[int, ...] | None] = {}
    scales: dict[str, tuple[str, ...]] = {}

    def note(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            found[name] = {"shape": list(node.shape or ()), "type": str(node.dtype)}
            shapes[name] = node.shape
            scales[name] = tuple(_scales(node))

    with opened(path, path.name) as file:
        file.visititems(note)
    return {"datasets": found, "tables": of_datasets(shapes, scales)}


@contextmanager
def opened(path: Path, where: str) -> Iterator[Any]:
    """Open a file; whatever the library makes of a damaged one, now or while reading, becomes UserError."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError) as error:
        raise UserError(f"the file is damaged or cut off: {error}", where=where, remedy="ask for the delivery again") from None


def grid_of(file: Any, given: Hdf5, where: str) -> Grid:
    """Return the chosen datasets as a grid of cells, with the scales of its axes."""
    chosen = _chosen(file, given.datasets, where)
    label, first = next(iter(chosen.items()))
    every = tuple(range(len(first.shape)))
    columns = [column for axis in every for column in _axis(first, axis, given, where)]
    columns += [column for name, one in chosen.items() for column in _columns(one, name, every, given, where)]
    check_names([one.name for one in columns], where)
    return Grid(label, first.shape, first.chunks, tuple(columns), given.cell_numbers)


def _chosen(file: Any, names: list[str], where: str) -> dict[str, Any]:
    known = ", ".join(datasets(Path(file.filename))[:30])
    chosen = {name: own(file, name.strip("/"), where) for name in names}
    for name, one in chosen.items():
        if one is None:
            raise UserError(f"there is no dataset {name!r}", where=where, remedy=f"the file has {known}")
        if one.shape is None:
            raise UserError(f"{name} is empty", where=where, remedy="name another one in the option `datasets`")
    scales = {tuple(_scales(one)) for one in chosen.values() if any(_scales(one))}
    if len(scales) > 1:
        which = ", ".join(f"{name} ({' × '.join(one or '-' for one in _scales(node))})" for name, node in chosen.items())
        raise UserError(f"the datasets do not share their scales: {which}", where=where,
                        remedy="read those of the same scales into a table, and the others into tables of their own")  # fmt: skip
    if len({one.shape for one in chosen.values()}) != 1:
        shapes = ", ".join(f"{name} {one.shape}" for name, one in chosen.items())
        raise UserError(f"the datasets are not of one shape: {shapes or 'none named'}", where=where,
                        remedy="read those of one shape into a table, and the others into tables of their own")  # fmt: skip
    return chosen


def _scales(one: Any) -> list[str]:
    """Return for each axis the path of its first dimension scale, empty where there is none."""
    return [str(axis[0].name) if len(axis) else "" for axis in one.dims] if one.shape else []


def _axis(first: Any, axis: int, given: Hdf5, where: str) -> list[Column]:
    """Return the first dimension scale of an axis, or the index along it; with its number where another has the same name."""
    dimension = first.dims[axis]
    size = first.shape[axis]
    scale = dimension[0] if len(dimension) else None
    if scale is not None and scale.shape == (size,) and not scale.external and not scale.is_virtual:
        shared = _scales(first).count(scale.name) > 1
        return _columns(scale, scale.name.rpartition("/")[2] + (f"_{axis}" if shared else ""), (axis,), given, where)
    label = dimension.label or "dim"
    shared = label == "dim" or [one.label for one in first.dims].count(label) > 1
    return [index_column(f"{label}_{axis}_index" if shared else f"{label}_index", axis, size)]


def _columns(one: Any, name: str, axes: tuple[int, ...], given: Hdf5, where: str) -> list[Column]:
    """Return a dataset as columns: one, or one for each member of a compound."""
    place = f"{where}, {name}"
    kind = np.dtype(one.dtype)

    @last
    def raw(slab: Slab) -> npt.NDArray[Any]:
        found = one[slab] if slab else one[()]
        if kind.kind == "O" and not isinstance(found, np.ndarray):
            boxed = np.empty((), dtype=object)
            boxed[()] = found
            return boxed
        # NumPy has no bytes of fixed length that keep zeros at their ends within an object; members stay as they are.
        return np.asarray(found) if kind.names or kind.subdtype else np.ascontiguousarray(np.asarray(found))

    return [Column(part, axes, type_, lambda slab, take=take: take(raw(slab)), one.name.strip("/"))  # type: ignore[misc]
            for part, type_, take in _parts(one, kind, name, given, place)]  # fmt: skip


def _parts(
    one: Any, kind: np.dtype[Any], name: str, given: Hdf5, place: str
) -> list[tuple[str, pa.DataType, Callable[[Any], pa.Array]]]:
    if h5py.check_enum_dtype(kind) is None and kind.kind in "iuf":
        native = kind.newbyteorder("=")
        how = packing(native, dict(one.attrs), where=place)
        return [(name, how.type, lambda raw: unpack(raw.astype(native, copy=False), how, place))]
    check_unpacked(kind, one.attrs, place)
    if kind.kind == "S" or h5py.check_string_dtype(kind):
        return [(name, pa.string(), lambda raw: texts(raw, place, given.encoding))]
    return list(parts(name, kind, h5py.check_enum_dtype, place, one.attrs.get("_FillValue") if kind.names else None))
