"""Cells of a grid written as rows of their table at once, typed and judged: for tables that take arrays as they stand.

Two steps, values as found and then rows by an engine, take most of their time to write and read what is not kept. Here
numbers need no parsing, so that one step does: what a rule sets aside is written as found, too, for the quarantine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
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
from schemas import types

CELLS = 1 << 18  # at once: about 30 MB of a process
ROWS = 1 << 20  # of a row group


@dataclass(frozen=True)
class Target:
    """What is to be written: columns (name, header, type), checks (bit, rule, column, limits), and this writer's share."""

    columns: Sequence[tuple[str, str, str]]
    checks: Sequence[tuple[int, str, str, float | None, float | None]]
    aside: int  # bits of the checks that set a row aside
    key: Sequence[str]
    folder: str
    share: int
    of: int


def write(request: Request, format: str, target: Target) -> dict[str, Any]:
    """Write a share of the cells; return rows, headers and whether keys are distinct, or `plain: False`, nothing written."""
    try:
        with _grid(format, request) as (grid, describe), _Writer(grid, request, target) as writer:
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

    def __init__(self, grid: Grid, request: Request, target: Target) -> None:
        self.grid, self.request, self.target, self.rows = grid, request, target, 0
        found = {one.name: one for one in grid.columns}
        self.columns = {name: (fitting(found.get(header), type_, header), type_) for name, header, type_ in target.columns}
        place = pa.int64() if grid.numbered else pa.string()
        fields = [pa.field(name, types.arrow(type_)) for name, (_, type_) in self.columns.items()]
        self.schema = pa.schema([*fields, ("_delivery", pa.int64()), ("_locator", place), ("_rules", pa.int64())])
        self.kept: dict[str, tuple[Any, tuple[pa.Array, npt.NDArray[np.bool_] | None]]] = {}
        self.files: dict[str, pq.ParquetWriter] = {}
        self.open = ExitStack()

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *error: object) -> None:
        self.open.close()

    def add(self, slab: Slab) -> None:
        """Write the cells of a slab."""
        shape = tuple(part.stop - part.start for part in slab)
        count = size_of(shape)
        values, unfit = {}, {}
        for name, (column, type_) in self.columns.items():
            values[name], unfit[name] = self._column(name, column, type_, slab, shape)
        fails = self._fails(values, unfit, count)
        place = places(self.grid, slab, shape)
        mask = pa.array(np.zeros(count, np.int64) if fails is None else fails)
        delivery = pa.repeat(pa.scalar(self.request.delivery, pa.int64()), count)
        batch = pa.record_batch([*values.values(), delivery, place, mask], schema=self.schema)
        gone = None if fails is None else (fails & self.target.aside) != 0
        if gone is not None and gone.any():
            self._put("set_aside", batch.filter(pa.array(gone)))
            self._put_raw(slab, shape, place, gone)
            batch = batch.filter(pa.array(~gone))
        self._put("ok", batch)
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

    def _fails(
        self, values: Mapping[str, pa.Array], unfit: Mapping[str, npt.NDArray[np.bool_] | None], count: int
    ) -> npt.NDArray[np.int64] | None:
        """Return the bits of the checks that each row fails, None where none fails any."""
        bits: npt.NDArray[np.int64] | None = None
        for bit, rule, name, low, high in self.target.checks:
            bad = unfit[name] if rule == "type" else broken(values[name], rule, low, high)
            if bad is not None and bad.any():
                bits = np.zeros(count, np.int64) if bits is None else bits
                bits[bad] |= np.int64(1 << bit)
        return bits

    def _put_raw(self, slab: Slab, shape: tuple[int, ...], place: pa.Array, gone: npt.NDArray[np.bool_]) -> None:
        """Write rows that are set aside as they were found, with all columns of the grid."""
        found = [spread(one.get(tuple(slab[axis] for axis in one.axes)), one.axes, shape) for one in self.grid.columns]
        delivery = pa.repeat(pa.scalar(self.request.delivery, pa.int64()), len(place))
        table = pa.table([*found, delivery, place], names=[*(one.name for one in self.grid.columns), "_delivery", "_locator"])
        self._put("", table.filter(pa.array(gone)))

    def _put(self, verdict: str, rows: pa.RecordBatch | pa.Table) -> None:
        if not rows.num_rows:
            return
        if verdict not in self.files:
            folder = Path(self.target.folder) / f"_verdict={verdict}" if verdict else self.request.out
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"part-{self.request.delivery:08d}-{self.target.share:02d}.parquet"
            self.files[verdict] = self.open.enter_context(_opened(path, rows.schema, self._data(verdict)))
        file = self.files[verdict]
        for batch in [rows] if isinstance(rows, pa.RecordBatch) else rows.to_batches():
            file.write_batch(batch, row_group_size=ROWS)

    def _data(self, verdict: str) -> list[str]:
        """Return the columns that vary along all axes."""
        columns = (
            {name: column for name, (column, _) in self.columns.items()} if verdict else {c.name: c for c in self.grid.columns}
        )
        return [name for name, column in columns.items() if len(column.axes) == len(self.grid.shape)]

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


def _opened(path: Path, schema: pa.Schema, data: Sequence[str]) -> pq.ParquetWriter:
    """Open a file. Looking each value up in a dictionary pays for the data alone.

    Coordinates come in long runs, which LZ4 makes next to nothing of; numbers of cells rise one by one, and as differences
    take as little.
    """
    plain = {field.name: "PLAIN" for field in schema if field.name not in data}
    if pa.types.is_integer(schema.field("_locator").type):
        plain["_locator"] = "DELTA_BINARY_PACKED"
    return pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=list(data), column_encoding=plain)
