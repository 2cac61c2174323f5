"""NetCDF: the cells of variables that share their dimensions as rows, with coordinates and places."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pyarrow as pa

from jobs.readers import Read, Request
from jobs.readers.grid import (
    Column,
    Grid,
    Slab,
    arrow,
    batches,
    check_axes,
    index_column,
)
from jobs.readers.links import check_own
from jobs.readers.netcdf3 import check_whole
from jobs.readers.options import options
from jobs.readers.packed import packing, unpack
from jobs.readers.parts import Rejects, write_parts
from schemas.errors import UserError


@dataclass(frozen=True)
class NetCdf:
    """Options of NetCDF: the variables to read; without them all that are neither coordinates nor bounds."""

    variables: list[str] | None = None
    empty_ok: bool = False


def read(request: Request) -> Read:
    """Read variables cell by cell; `_locator` is `variable[i,j]` of the first one, indices from 0."""
    began = time.perf_counter()
    given = options(NetCdf, request.options, request.name)
    check_whole(request.path, request.name)
    with _opened(request.path, request.name) as file, Rejects(request.out, request.delivery):
        chosen = _chosen(file, given, request.name)
        check_own(request.path, [_path(one) for one in chosen], request.name)
        grid = _grid(chosen, request.name)
        rows = write_parts(request.out, batches(grid, request.delivery))
        info = {"dimensions": dict(zip(chosen[0].dimensions, grid.shape, strict=False)), "kind": file.data_model}
    if not rows and not given.empty_ok:
        raise UserError("no data rows", where=request.name)
    return Read(rows, 0, tuple(one.name for one in grid.columns), info, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say which variables there are, with dimensions, types, units and calendars."""
    check_whole(path, path.name)
    with _opened(path, path.name) as file:
        return {"kind": file.data_model, "variables": {_path(one): _look(one) for one in _every(file)}}


def _look(one: Any) -> dict[str, Any]:
    told = {name: str(one.getncattr(name)) for name in ("units", "calendar", "long_name") if name in one.ncattrs()}
    return {"dimensions": dict(zip(one.dimensions, map(int, one.shape), strict=True)), "type": str(one.dtype)} | told


@contextmanager
def _opened(path: Path, where: str) -> Iterator[Any]:
    """Open a file; whatever the library makes of a damaged one, now or while reading, becomes UserError."""
    try:
        with netCDF4.Dataset(path) as file:
            file.set_auto_maskandscale(False)
            file.set_auto_chartostring(False)
            yield file
    except (OSError, RuntimeError) as error:
        raise UserError(f"the file is damaged or cut off: {error}", where=where, remedy="ask for the delivery again") from None


def _every(group: Any) -> Iterator[Any]:
    yield from group.variables.values()
    for inner in group.groups.values():
        yield from _every(inner)


def _path(one: Any) -> str:
    return f"{one.group().path.rstrip('/')}/{one.name}".removeprefix("/")


def _chosen(file: Any, given: NetCdf, where: str) -> list[Any]:
    every = {_path(one): one for one in _every(file)}
    names = given.variables or _data(every)
    known = ", ".join(f"{name}({', '.join(one.dimensions)})" for name, one in list(every.items())[:30])
    for name in names:
        if name not in every:
            raise UserError(f"there is no variable {name!r}", where=where, remedy=f"the file has {known}")
    if not names or len({_dimensions(every[name]) for name in names}) > 1:
        raise UserError("the variables do not share their dimensions" if names else "there are no data variables",
                        where=where, remedy=f"name those to read in the option `variables`; the file has {known}")  # fmt: skip
    return [every[name] for name in names]


def _data(every: dict[str, Any]) -> list[str]:
    """Return the variables that are data: no coordinates, bounds, or what others refer to as such."""
    aside = {word for one in every.values() for attribute in ("bounds", "coordinates", "climatology", "grid_mapping")
             if attribute in one.ncattrs() for word in str(one.getncattr(attribute)).split()}  # fmt: skip
    return [path for path, one in every.items()
            if one.dimensions and one.name not in one.dimensions and one.name not in aside]  # fmt: skip


def _dimensions(one: Any) -> tuple[str, ...]:
    """Return the dimensions of the cells; characters of a text are no cells."""
    names: tuple[str, ...] = one.dimensions
    return names[:-1] if one.dtype == "S1" and names else names


def _grid(chosen: list[Any], where: str) -> Grid:
    first = chosen[0]
    axes = _dimensions(first)
    check_axes(axes, _path(first), where)
    coordinates = {name: _coordinate(first, name) for name in axes}
    along = [_column(one, axes, name, where) if one is not None else index_column(f"{name}_index", at, first.shape[at])
             for at, (name, one) in enumerate(coordinates.items())]  # fmt: skip
    taken = {one.name for one in along} | {_path(one) for one in chosen}
    others = [_column(one, axes, one.name, where) for one in _auxiliary(first, axes) if one.name not in taken]
    data = [_column(one, axes, _path(one), where) for one in chosen if _path(one) not in coordinates]
    chunks = first.chunking()
    sizes = tuple(first.shape[: len(axes)])
    return Grid(_path(first), sizes, tuple(chunks[: len(axes)]) if isinstance(chunks, list) else None,
                (*along, *others, *data))  # fmt: skip


def _find(group: Any, name: str) -> Any:
    """Find a variable by name in a group or those around it (CF conventions 1.11, 2.7.1)."""
    while group is not None:
        if name in group.variables:
            return group.variables[name]
        group = group.parent
    return None


def _coordinate(first: Any, name: str) -> Any:
    found = _find(first.group(), name)
    return found if found is not None and _dimensions(found) == (name,) else None


def _auxiliary(first: Any, axes: tuple[str, ...]) -> list[Any]:
    """Return the variables that the first one names as further coordinates, e.g. latitudes of a rotated grid."""
    names = str(first.getncattr("coordinates")).split() if "coordinates" in first.ncattrs() else []
    found = [_find(first.group(), name) for name in names]
    return [one for one in found if one is not None and set(_dimensions(one)) <= set(axes)]


def _column(one: Any, axes: tuple[str, ...], name: str, where: str) -> Column:
    """Return a variable as a column; `get` reads its slab and decodes it."""
    place = f"{where}, {name}"
    own = tuple(axes.index(dimension) for dimension in _dimensions(one))
    order = tuple(sorted(own))
    turn = tuple(own.index(axis) for axis in order)
    if one.dtype is str or one.dtype == "S1" or np.dtype(one.dtype).kind in "SU":
        return Column(name, order, pa.string(), lambda slab: arrow(_texts(one, slab), None, place))
    how = packing(np.dtype(one.dtype), {key: one.getncattr(key) for key in one.ncattrs()}, _default_fill(one))

    def get(slab: Slab) -> pa.Array:
        raw = np.asarray(one[tuple(slab[order.index(axis)] for axis in own)] if own else one[...])
        return unpack(np.ascontiguousarray(raw.transpose(turn) if own else raw), how, place)

    return Column(name, order, how.type, get)


def _texts(one: Any, slab: Slab) -> Any:
    if one.dtype == "S1":
        return netCDF4.chartostring(one[(*slab, slice(None))], encoding="utf-8")
    return np.asarray(one[slab] if slab else one[...], dtype=object)


def _default_fill(one: Any) -> Any:
    """Return what the library writes where nothing was written; single bytes have no such value."""
    kind = np.dtype(one.dtype)
    return None if kind.itemsize == 1 else netCDF4.default_fillvals.get(kind.str[1:])
