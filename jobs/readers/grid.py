"""Cells of arrays as rows: which slab to read next, and how values of fewer dimensions spread over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jobs.readers.parts import with_locators
from schemas.errors import UserError

# Cells in memory at once; a row of some ten columns of 8 bytes and a locator makes about 200 MB of it.
CELLS = 1 << 20
Slab = tuple[slice, ...]


@dataclass(frozen=True)
class Column:
    """One column: the axes of the grid that it varies along, and how to get a slab of those axes as Arrow."""

    name: str
    axes: tuple[int, ...]
    type: pa.DataType
    get: Callable[[Slab], pa.Array]
    of: str = ""  # path of the array that its values are from


@dataclass(frozen=True)
class Grid:
    """A grid of cells: its shape, the chunks it is stored in (None: contiguous), the columns, the name in locators."""

    label: str
    shape: tuple[int, ...]
    chunks: tuple[int, ...] | None
    columns: tuple[Column, ...]
    numbered: bool = False  # the place of a row is the number of its cell

    @property
    def used(self) -> set[str]:
        """The paths of the arrays that values are from."""
        return {one.of for one in self.columns}

    @property
    def schema(self) -> pa.Schema:
        """The schema of a part."""
        place = pa.int64() if self.numbered else pa.string()
        return with_locators([pa.field(one.name, one.type) for one in self.columns], place)


def last(get: Callable[[Slab], npt.NDArray[Any]]) -> Callable[[Slab], npt.NDArray[Any]]:
    """Return a function that keeps what it gave last: the members of a compound are read together."""
    kept: list[Any] = [None, None]

    def remembered(slab: Slab) -> npt.NDArray[Any]:
        if kept[0] != slab:
            kept[:] = slab, get(slab)
        found: npt.NDArray[Any] = kept[1]
        return found

    return remembered


def index_column(name: str, axis: int, size: int) -> Column:
    """Return the 0-based index along an axis that has no coordinates."""
    return Column(name, (axis,), pa.int64(), lambda slab: pa.array(np.arange(size, dtype=np.int64)[slab[0]]))


def slabs(shape: Sequence[int], chunks: Sequence[int] | None, cells: int = CELLS) -> Iterator[Slab]:
    """Yield slabs that cover the shape once, of at most `cells` cells where chunks allow, along chunk borders.

    A slab across part of a chunk would unpack that chunk again for every slab.
    """
    step = [min(size, chunk) for size, chunk in zip(shape, chunks or [1] * len(shape), strict=True)]
    for axis in range(len(shape)):
        while step[axis] > 1 and size_of(step) > 4 * cells:
            step[axis] = -(-step[axis] // 2)
    for axis in reversed(range(len(shape))):
        room = cells // max(1, size_of(step))
        step[axis] = min(shape[axis], step[axis] * max(1, room))
    starts = [range(0, size, max(1, width)) for size, width in zip(shape, step, strict=True)]
    for corner in product(*starts):
        yield tuple(slice(at, min(at + width, size)) for at, width, size in zip(corner, step, shape, strict=True))


def size_of(step: Sequence[int]) -> int:
    """Return the number of cells of a shape."""
    total = 1
    for width in step:
        total *= width
    return total


def batches(grid: Grid, delivery: int) -> Iterator[pa.Table]:
    """Yield the cells of the grid as tables, slab by slab."""
    if not grid.shape:
        yield _batch(grid, (), delivery)
        return
    for slab in slabs(grid.shape, grid.chunks):
        yield _batch(grid, slab, delivery)


def _batch(grid: Grid, slab: Slab, delivery: int) -> pa.Table:
    shape = tuple(part.stop - part.start for part in slab)
    arrays = [spread(one.get(tuple(slab[axis] for axis in one.axes)), one.axes, shape) for one in grid.columns]
    rows = size_of(shape)
    arrays += [pa.repeat(pa.scalar(delivery, pa.int64()), rows), places(grid, slab, shape)]
    return pa.Table.from_arrays([_whole(one) for one in arrays], schema=grid.schema)


def _whole(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _positions(axes: tuple[int, ...], shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Return for every cell of the slab the position of its value among the values along `axes`."""
    own = tuple(shape[axis] for axis in axes)
    wide = [1] * len(shape)
    for axis in axes:
        wide[axis] = shape[axis]
    positions = np.arange(size_of(own), dtype=np.int64).reshape(wide)
    return np.broadcast_to(positions, shape).ravel()


def spread(values: pa.Array, axes: tuple[int, ...], shape: tuple[int, ...]) -> pa.Array:
    """Return for every cell of a slab its value of those along some axes."""
    return values if axes == tuple(range(len(shape))) else values.take(pa.array(_positions(axes, shape)))


def places(grid: Grid, slab: Slab, shape: tuple[int, ...]) -> pa.Array:
    """Return `label[i,j]` of every cell, or its number, counted from 0 over the whole grid, the last axis first."""
    return _numbers(grid.shape, slab, shape) if grid.numbered else _locators(grid.label, slab, shape)


def _numbers(whole: tuple[int, ...], slab: Slab, shape: tuple[int, ...]) -> pa.Array:
    wide = next((axis for axis, size in enumerate(shape) if size > 1), len(shape))
    if shape[wide + 1 :] == whole[wide + 1 :]:  # one after the other in the whole grid
        first = int(np.ravel_multi_index([part.start for part in slab], whole)) if size_of(shape) else 0
        return pa.array(np.arange(first, first + size_of(shape), dtype=np.int64))
    number: npt.NDArray[np.int64] = np.zeros(shape, np.int64)
    step = 1
    for axis in reversed(range(len(shape))):
        along = np.arange(slab[axis].start, slab[axis].stop, dtype=np.int64) * step
        number = number + along.reshape([-1 if at == axis else 1 for at in range(len(shape))])
        step *= whole[axis]
    return pa.array(number.ravel())


def place(label: str, shape: Sequence[int], number: int) -> str:
    """Return `label[i,j]` of the cell of a number."""
    return f"{label}[{','.join(str(int(at)) for at in np.unravel_index(number, tuple(shape)))}]" if shape else f"{label}[]"


def _locators(label: str, slab: Slab, shape: tuple[int, ...]) -> pa.Array:
    if not shape:
        return pa.array([f"{label}[]"])
    parts = []
    for axis, part in enumerate(slab):
        begin = f"{label}[" if axis == 0 else ","
        end = "]" if axis == len(slab) - 1 else ""
        texts = pa.array([f"{begin}{at}{end}" for at in range(part.start, part.stop)], pa.string())
        parts.append(spread(texts, (axis,), shape))
    return pc.binary_join_element_wise(*parts, "") if len(parts) > 1 else parts[0]


def check_axes(axes: Sequence[str], of: str, where: str) -> None:
    """Raise UserError where one dimension appears twice, so that its coordinate would be ambiguous."""
    if len(set(axes)) < len(axes):
        raise UserError(f"{of} has a dimension twice: {', '.join(axes)}", where=where,
                        remedy="name other variables in the option `variables`")  # fmt: skip


def arrow(values: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None, where: str) -> pa.Array:
    """Return numbers as bigint or double, missing ones as NULL; raise UserError for what fits neither."""
    flat, mask = values.ravel(), None if missing is None else missing.ravel()
    kind = flat.dtype.kind
    if kind in "iub":
        there = flat if mask is None or flat.dtype != np.uint64 else np.where(mask, 0, flat)
        if flat.dtype == np.uint64 and int(there.max(initial=0)) > np.iinfo(np.int64).max:
            raise UserError("an unsigned 64-bit number is beyond bigint", where=where,
                            remedy="ask for the file with numbers of 63 bits, or as text")  # fmt: skip
        return pa.array(flat.astype(np.int64), mask=mask)
    if kind == "f":
        wide = flat.astype(np.float64, copy=False)
        if flat.dtype.itemsize > 8 and not ((wide == flat) | np.isnan(flat)).all():
            raise UserError(f"a {flat.dtype} has more digits than a double holds", where=where,
                            remedy="ask for the file with doubles")  # fmt: skip
        return pa.array(wide, mask=mask)
    raise UserError(f"{flat.dtype} is no number", where=where, remedy="name other variables to read")


def arrow_type(dtype: Any) -> pa.DataType:
    """Return the type that `arrow` gives for values of a NumPy type."""
    kind = np.dtype(dtype).kind
    return pa.int64() if kind in "iub" else pa.float64() if kind == "f" else pa.string()
