"""Cells of a grid written as rows of their table at once, typed and judged: for tables that take arrays as they stand.

Two steps, values as found and then rows by an engine, take most of their time to write and read what is not kept. Here
numbers need no parsing, so that one step does: what a rule sets aside is written as found, too, for the quarantine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.readers import Request, described, guards, hdf5, netcdf
from jobs.readers.fitting import NotPlain, broken, fitting, typed
from jobs.readers.grid import Column, Grid, Slab, places, size_of, slabs, spread
from jobs.readers.options import options
from jobs.readers.shares import FOUND, Files, Open, Target, failing
from schemas import types

CELLS = 1 << 18  # at once: about 30 MB of a process


def write(request: Request, format: str, target: Target) -> dict[str, Any]:
    """Write a share of the cells; return rows, headers and whether keys are distinct, or `plain: False`, nothing written."""
    try:
        with _grid(format, request) as (grid, describe), Files(request, target, _opener(grid, target)) as files:
            writer = _Writer(grid, request, target, files)
            every = list(slabs(grid.shape, grid.chunks, CELLS)) if grid.shape else [()]
            first, last = (len(every) * step // target.of for step in (target.share, target.share + 1))
            for slab in every[first:last]:
                writer.add(slab)
            variables = describe() if target.share == 0 else []
            distinct = target.share > 0 or writer.distinct()
        grade = guards.grade(format, request.path, {"variables": variables})
    except NotPlain as why:
        return {"plain": False, "why": str(why)}
    return {"plain": True, "rows": writer.rows, "columns": [one.name for one in grid.columns], "distinct": distinct,
            "info": {"shape": list(grid.shape), "variables": variables, "integrity": grade}}  # fmt: skip


@contextmanager
def _grid(format: str, request: Request) -> Iterator[tuple[Grid, Callable[[], list[dict[str, Any]]]]]:
    if format == "netcdf":
        given = options(netcdf.NetCdf, request.options, request.name)
        with netcdf.opened(request.path, request.name) as file:
            grid = netcdf.grid_of(file, request.path, given, request.name)
            yield grid, lambda: described.netcdf(file, request.path, grid.used)
    else:
        wanted = options(hdf5.Hdf5, request.options, request.name)
        with hdf5.opened(request.path, request.name) as file:
            grid = hdf5.grid_of(file, wanted, request.name)
            yield grid, lambda: described.hdf5(file, request.path, grid.used)


class _Writer:
    """The files of one share: accepted rows, rows set aside, and these as found."""

    def __init__(self, grid: Grid, request: Request, target: Target, files: Files) -> None:
        self.grid, self.request, self.target, self.files, self.rows = grid, request, target, files, 0
        found = {one.name: one for one in grid.columns}
        self.columns = {name: (fitting(found.get(header), type_, header), type_) for name, header, type_ in target.columns}
        place = pa.int64() if grid.numbered else pa.string()
        fields = [pa.field(name, types.arrow(type_)) for name, (_, type_) in self.columns.items()]
        self.schema = pa.schema([*fields, ("_delivery", pa.int64()), ("_locator", place), ("_rules", pa.int64())])
        self.judged: dict[tuple[Any, ...], tuple[pa.Array | None, npt.NDArray[np.bool_] | None]] = {}
        self.kept: dict[str, tuple[Any, tuple[pa.Array, npt.NDArray[np.bool_] | None]]] = {}
        self.same: tuple[pa.Array, pa.Array] | None = None  # the delivery and no broken rule, of every row of a slab

    def add(self, slab: Slab) -> None:
        """Write the cells of a slab."""
        shape = tuple(part.stop - part.start for part in slab)
        count = size_of(shape)
        values, unfit = {}, {}
        for name, (column, type_) in self.columns.items():
            values[name], unfit[name] = self._column(name, column, type_, slab, shape)
        fails = failing(self.target.checks, count, lambda rule, name, low, high:
                        unfit[name] if rule == "type" else self._broken(values[name], rule, name, low, high))  # fmt: skip
        place = places(self.grid, slab, shape)
        if self.same is None or len(self.same[0]) != count:
            self.same = pa.repeat(pa.scalar(self.request.delivery, pa.int64()), count), pa.array(np.zeros(count, np.int64))
        delivery, fine = self.same
        mask = fine if fails is None else pa.array(fails)
        batch = pa.record_batch([*values.values(), delivery, place, mask], schema=self.schema)
        gone = self.files.judged(batch, fails)
        if gone is not None:
            self._put_raw(slab, shape, place, gone)
        self.rows += count

    def _column(
        self, name: str, column: Column, type_: str, slab: Slab, shape: tuple[int, ...]
    ) -> tuple[pa.Array, npt.NDArray[np.bool_] | None]:
        """Return the values of a slab in their type, and where what was found does not fit it."""
        own = tuple(slab[axis] for axis in column.axes)
        known, made = self.kept.get(name, (None, None))
        if made is None or known != (own, shape):
            fits, unfit = typed(column.get(own), type_)
            wide = None if unfit is None else spread(pa.array(unfit), column.axes, shape).to_numpy(zero_copy_only=False)
            made = spread(fits, column.axes, shape), wide
            # Most coordinates are the same in slab after slab; what varies along all axes never is.
            self.kept = {**self.kept, name: ((own, shape), made)} if len(column.axes) < len(shape) else self.kept
        return made

    def _broken(self, values: pa.Array, rule: str, name: str, low: Any, high: Any) -> npt.NDArray[np.bool_] | None:
        """Judge a column; what was judged for the slab before and is the same is not judged again."""
        asked = (rule, name, low, high)
        before, bad = self.judged.get(asked, (None, None))
        if before is not values:
            bad = broken(values, rule, low, high)
            self.judged[asked] = (values, bad) if name in self.kept else (None, None)
        return bad

    def _put_raw(self, slab: Slab, shape: tuple[int, ...], place: pa.Array, gone: npt.NDArray[np.bool_]) -> None:
        """Write rows that are set aside as they were found, with all columns of the grid."""
        found = [spread(one.get(tuple(slab[axis] for axis in one.axes)), one.axes, shape) for one in self.grid.columns]
        delivery = pa.repeat(pa.scalar(self.request.delivery, pa.int64()), len(place))
        table = pa.table([*found, delivery, place], names=[*(one.name for one in self.grid.columns), "_delivery", "_locator"])
        self.files.put(FOUND, table.filter(pa.array(gone)))

    def distinct(self) -> bool:
        """Tell whether the key tells all cells apart: for each axis it has a coordinate that never comes twice along it."""
        told = set()
        for name in self.target.key:
            column, type_ = self.columns[name]
            if len(column.axes) == 1 and column.axes[0] not in told:
                size = self.grid.shape[column.axes[0]]
                values = typed(column.get((slice(0, size),)), type_)[0]
                told |= {column.axes[0]} if not values.null_count and pc.count_distinct(values).as_py() == size else set()
        return told == set(range(len(self.grid.shape)))


def _opener(grid: Grid, target: Target) -> Open:
    """Return what opens a file. Looking each value up in a dictionary pays alone for the data, which vary along all axes.

    Coordinates come in long runs, which LZ4 makes next to nothing of; numbers of cells rise one by one, and as differences
    take as little.
    """
    data = {one.name for one in grid.columns if len(one.axes) == len(grid.shape)}
    named = {name for name, header, _ in target.columns if header in data}

    def opened(verdict: str, path: Path, schema: pa.Schema) -> pq.ParquetWriter:
        wanted = [name for name in schema.names if name in (data if verdict == FOUND else named)]
        plain = {field.name: "PLAIN" for field in schema if field.name not in wanted}
        if pa.types.is_integer(schema.field("_locator").type):
            plain["_locator"] = "DELTA_BINARY_PACKED"
        return pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=wanted, column_encoding=plain)

    return opened
