"""NetCDF: the cells of variables that share their dimensions as rows, with coordinates and places."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.readers import Read, Request, cf, described
from jobs.readers.grid import Column, Grid, Slab, batches, check_axes, index_column, last, size_of
from jobs.readers.groups import of_variables
from jobs.readers.links import check_own, datasets
from jobs.readers.netcdf3 import check_whole
from jobs.readers.options import options
from jobs.readers.packed import check_unpacked, packing, unpack
from jobs.readers.parts import Rejects, check_names, no_rows, write_parts
from jobs.readers.shapes import parts, texts, without
from schemas.errors import UserError


@dataclass(frozen=True)
class NetCdf:
    """Options of NetCDF: the variables to read; without them all that are neither coordinates nor bounds.

    `bounds` adds the bounds of coordinates as columns; `encoding` is that of texts, where the file itself says none.
    `cell_numbers` counts cells instead of naming them in `_locator`, for grids of many millions.
    """

    variables: list[str] | None = None
    bounds: bool = False
    encoding: str = "utf-8"
    cell_numbers: bool = False
    empty_ok: bool = False


def read(request: Request) -> Read:
    """Read variables cell by cell; `_locator` is `variable[i,j]` of the first one, indices from 0."""
    began = time.perf_counter()
    given = options(NetCdf, request.options, request.name)
    with opened(request.path, request.name) as file, Rejects(request.out, request.delivery):
        grid = grid_of(file, request.path, given, request.name)
        rows = write_parts(request.out, batches(grid, request.delivery))
        info = {"shape": list(grid.shape), "kind": file.data_model, "variables": described.netcdf(file, request.path, grid.used)}
    if not rows and not given.empty_ok:
        raise no_rows(request.name)
    return Read(rows, 0, tuple(one.name for one in grid.columns), info, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say which variables there are, with dimensions, types, units and calendars."""
    with opened(path, path.name) as file:
        every = {cf.path(one): one for one in cf.every(file)}
        tables = of_variables({name: cf.spans(one) for name, one in every.items()}, cf.data(file))
        return {"kind": file.data_model, "variables": {name: _look(one) for name, one in every.items()}, "tables": tables}


def _look(one: Any) -> dict[str, Any]:
    told = {name: str(one.getncattr(name)) for name in ("units", "calendar", "long_name") if name in one.ncattrs()}
    return {"dimensions": dict(zip(one.dimensions, map(int, one.shape), strict=True)), "type": str(one.dtype)} | told


@contextmanager
def opened(path: Path, where: str) -> Iterator[Any]:
    """Open a file; whatever the library makes of a damaged one, now or while reading, becomes UserError.

    Numbers come as they are stored: neither masked nor scaled.
    """
    check_whole(path, where)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the library leaves out is named when it is asked for
            file = netCDF4.Dataset(path)
        with file:
            file.set_auto_maskandscale(False)
            file.set_auto_chartostring(False)
            yield file
    except (OSError, RuntimeError) as error:
        raise UserError(f"the file is damaged or cut off: {error}", where=where, remedy="ask for the delivery again") from None


def grid_of(file: Any, path: Path, given: NetCdf, where: str) -> Grid:
    """Return the chosen variables as a grid of cells, with the columns that belong to it."""
    chosen = _chosen(file, path, given, where)
    first = chosen[0]
    axes = cf.dimensions(first)
    check_axes(axes, cf.path(first), where)
    columns = _columns(chosen, axes, given, where)
    check_own(path, sorted({one.of for one in columns if one.of}), where)
    check_names([one.name for one in columns], where)
    chunks = first.chunking()
    if isinstance(chunks, list):  # one chunk is read after the other, and none again: 16 MB a variable would be for nothing
        for one in chosen:
            one.set_var_chunk_cache(
                size=max(1 << 20, size_of(chunks) * np.dtype(one.dtype).itemsize if one.dtype is not str else 0)
            )
    stored = tuple(chunks[: len(axes)]) if isinstance(chunks, list) else None
    return Grid(cf.path(first), tuple(first.shape[: len(axes)]), stored, tuple(columns), given.cell_numbers)


def _chosen(file: Any, path: Path, given: NetCdf, where: str) -> list[Any]:
    every = {cf.path(one): one for one in cf.every(file)}
    names = given.variables or cf.data(file)
    known = ", ".join(f"{name}({', '.join(one.dimensions)})" for name, one in list(every.items())[:30])
    for name in names:
        if name not in every:
            raise UserError(f"there is no variable {name!r}", where=where, remedy=f"the file has {known}")
    if not given.variables and (strange := [name for name in datasets(path) if name not in every and _is_data(file, name)]):
        raise UserError(f"{', '.join(strange[:5])}: of types that the NetCDF library does not know", where=where,
                        remedy=f"name those to read in the option `variables`; the file has {known}")  # fmt: skip
    if not names or len({cf.spans(every[name]) for name in names}) > 1:
        raise UserError("the variables do not share their dimensions" if names else "there are no data variables",
                        where=where, remedy=f"name those to read in the option `variables`; the file has {known}")  # fmt: skip
    return [every[name] for name in names]


def _is_data(file: Any, name: str) -> bool:
    """Tell whether a dataset of the file is a variable, and not just the mark of a dimension without one."""
    *groups, last_ = name.split("/")
    group = file
    for part in groups:
        group = group.groups.get(part)
        if group is None:
            return False
    return last_ not in group.dimensions and not last_.startswith("_nc4_non_coord_")


def _columns(chosen: list[Any], axes: tuple[str, ...], given: NetCdf, where: str) -> list[Column]:
    """Return coordinates or indices of every axis, what else belongs to its places, and the data, each name once."""
    first = chosen[0]
    found: dict[str, Column] = {}

    def add(columns: list[Column]) -> None:
        found.update((one.name, one) for one in columns if one.name not in found)

    for at, name in enumerate(axes):
        one = cf.coordinate(first, name)
        add(_made(one, axes, name, given, where) if one is not None else [index_column(f"{name}_index", at, first.shape[at])])
    places = cf.stretched(first, axes, where)
    for name, (axis, positions) in places.items():
        one = cf.coordinate(first, name)
        add(_taken(one, axis, positions, name, given, where) if one is not None else [_numbers(f"{name}_index", axis, positions)])
    data = {cf.path(one) for one in chosen}
    for one in cf.auxiliary(chosen):
        own = cf.dimensions(one)
        if set(cf.spans(one)) <= set(cf.spans(first)) and cf.path(one) not in data:
            add(_made(one, axes, one.name, given, where))
        elif len(own) == 1 and own[0] in places:
            add(_taken(one, *places[own[0]], one.name, given, where))
    for one in chosen:
        if cf.coordinate(first, one.name) is None or cf.path(one) not in found:
            add(_made(one, axes, cf.path(one), given, where))
    return list(found.values())


def _made(one: Any, axes: tuple[str, ...], name: str, given: NetCdf, where: str) -> list[Column]:
    """Return a variable as columns: one, or one for each member of a compound; and its bounds where they are asked for."""
    own = tuple(axes.index(dimension) for dimension in cf.dimensions(one))
    order = tuple(sorted(own))

    @last
    def raw(slab: Slab) -> npt.NDArray[Any]:
        return _raw(one, tuple(slab[order.index(axis)] for axis in own), tuple(own.index(axis) for axis in order))

    columns = [Column(part, order, kind, lambda slab, take=take: take(raw(slab)), cf.path(one))  # type: ignore[misc]
               for part, kind, take in _parts(one, name, given, where)]  # fmt: skip
    around = cf.bounds(one) if given.bounds and own else None
    if around is not None:
        how = _packing(around, f"{where}, {around.name}", one)
        columns += [_bound(around, how, own, order, vertex, f"{where}, {around.name}") for vertex in range(around.shape[-1])]
    return columns


def _bound(one: Any, how: Any, own: tuple[int, ...], order: tuple[int, ...], vertex: int, place: str) -> Column:
    def get(slab: Slab) -> pa.Array:
        raw = np.asarray(one[(*(slab[order.index(axis)] for axis in own), vertex)])
        return unpack(np.ascontiguousarray(raw.transpose([own.index(axis) for axis in order])), how, place)

    return Column(f"{one.name}_{vertex}", order, how.type, get, cf.path(one))


def _taken(one: Any, axis: int, positions: cf.Positions, name: str, given: NetCdf, where: str) -> list[Column]:
    """Return what belongs to places that samples point to, e.g. the latitude of a station, as columns of the samples."""

    @last
    def raw(slab: Slab) -> npt.NDArray[Any]:
        return _raw(one, (slice(None),), (0,))[positions[slab[0]]]

    return [Column(part, (axis,), kind, lambda slab, take=take: take(raw(slab)), cf.path(one))  # type: ignore[misc]
            for part, kind, take in _parts(one, name, given, where)]  # fmt: skip


def _numbers(name: str, axis: int, positions: cf.Positions) -> Column:
    return Column(name, (axis,), pa.int64(), lambda slab: pa.array(positions[slab[0]]))


def _raw(one: Any, slab: Slab, turn: tuple[int, ...]) -> npt.NDArray[Any]:
    """Read a slab of a variable with its axes in the order of the grid's; characters become bytes of a text."""
    if one.dtype == "S1" and one.ndim:
        letters = np.ascontiguousarray(one[(*slab, slice(None))])
        raw = letters.view(f"S{letters.shape[-1]}")[..., 0] if letters.shape[-1] else np.zeros(letters.shape[:-1], "S1")
    else:
        found = one[slab] if slab else one[...]
        if one.dtype is str or isinstance(one.datatype, netCDF4.VLType):
            raw = np.empty(found.shape if slab else (), dtype=object)
            raw[...] = found if slab else [found] if raw.ndim else found
        else:
            raw = np.asarray(found)
    return np.ascontiguousarray(raw.transpose(turn)) if raw.ndim else raw


def _parts(one: Any, name: str, given: NetCdf, where: str) -> list[tuple[str, pa.DataType, Callable[[Any], pa.Array]]]:
    place = f"{where}, {name}"
    check_unpacked(np.dtype(object) if isinstance(one.datatype, netCDF4.VLType) else one.dtype, one.ncattrs(), place)
    enum = one.datatype.enum_dict if isinstance(one.datatype, netCDF4.EnumType) else None
    gone = {str(one.getncattr(key)) for key in ("_FillValue", "missing_value") if isinstance(one.__dict__.get(key), str)}
    if one.dtype is str or isinstance(one.datatype, netCDF4.VLType):
        return [(part, kind, lambda raw, take=take: without(take(raw), gone))  # type: ignore[misc]
                for part, kind, take in parts(name, np.dtype(object), lambda kind: None, place)]  # fmt: skip
    if np.dtype(one.dtype).kind in "SU":
        encoding = str(one.getncattr("_Encoding")) if "_Encoding" in one.ncattrs() else given.encoding
        return [(name, pa.string(), lambda raw: without(texts(raw, place, encoding), gone))]
    if enum is not None or np.dtype(one.dtype).kind == "V":
        fill = one.getncattr("_FillValue") if enum is None and "_FillValue" in one.ncattrs() else None
        return list(parts(name, np.dtype(one.dtype), lambda kind: enum, place, fill))
    how = _packing(one, place)
    return [(name, how.type, lambda raw: unpack(raw, how, place))]


def _packing(one: Any, where: str, parent: Any = None) -> Any:
    """Return how a variable is packed; bounds have units and calendar from their coordinate (7.1)."""
    attributes = {key: one.getncattr(key) for key in one.ncattrs()}
    from_parent = {key: parent.getncattr(key) for key in ("units", "calendar") if parent is not None and key in parent.ncattrs()}
    return packing(np.dtype(one.dtype), from_parent | attributes, _default_fill(one), where)


def _default_fill(one: Any) -> Any:
    """Return what the library writes where nothing was written; single bytes have no such value."""
    kind = np.dtype(one.dtype)
    return None if kind.itemsize == 1 else netCDF4.default_fillvals.get(kind.str[1:])
