"""What variables of a NetCDF file say of each other (CF conventions 1.11): coordinates, bounds, ragged and gathered arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import UserError

# Attributes that name other variables, which then are no data of their own.
NAMING = ("bounds", "climatology", "coordinates", "grid_mapping", "cell_measures", "ancillary_variables", "formula_terms",
          "node_coordinates", "edge_node_connectivity", "face_node_connectivity", "edge_coordinates", "face_coordinates",
          "node_count", "part_node_count", "interior_ring", "geometry", "bounds_tie_points")  # fmt: skip
HELPING = ("ancillary_variables", "cell_measures")  # are data, too, where they have the dimensions of data
Positions = npt.NDArray[np.int64]


def every(group: Any) -> Iterator[Any]:
    """Yield the variables of a group and of those in it."""
    yield from group.variables.values()
    for inner in group.groups.values():
        yield from every(inner)


def path(one: Any) -> str:
    """Return the path of a variable, without a slash before it."""
    return f"{one.group().path.rstrip('/')}/{one.name}".removeprefix("/")


def dimensions(one: Any) -> tuple[str, ...]:
    """Return the dimensions of the cells; characters of a text are no cells."""
    names: tuple[str, ...] = one.dimensions
    return names[:-1] if one.dtype == "S1" and names else names


def spans(one: Any) -> tuple[str, ...]:
    """Return the dimensions of the cells by path: groups may have dimensions of one name that are not the same."""
    every_ = one.get_dims()[: len(dimensions(one))]
    return tuple(f"{dimension.group().path.rstrip('/')}/{dimension.name}".removeprefix("/") for dimension in every_)


def find(group: Any, name: str) -> Any:
    """Find a variable by its path, or by its name in a group or those around it (2.7.1). None if there is none."""
    if name.startswith("/"):
        while group.parent is not None:
            group = group.parent
    *inner, last = name.strip("/").split("/")
    while group is not None:
        at = group
        for part in inner:
            at = at.groups.get(part) if at is not None else None
        if at is not None and last in at.variables:
            return at.variables[last]
        group = group.parent
    return None


def named(one: Any, *attributes: str) -> list[str]:
    """Return the words of attributes, labels such as `area:` left out."""
    texts = [str(one.getncattr(name)) for name in attributes if name in one.ncattrs()]
    return [word for text in texts for word in text.split() if not word.endswith(":")]


def data(file: Any) -> list[str]:
    """Return the paths of the variables that are data: no coordinates, nor what others name as such."""
    known = list(every(file))
    aside = {path(found) for one in known for name in NAMING if name not in HELPING
             for word in named(one, name) if (found := find(one.group(), word)) is not None}  # fmt: skip
    counts = {path(one) for one in known if {"sample_dimension", "instance_dimension", "compress"} & set(one.ncattrs())}
    return [path(one) for one in known
            if one.dimensions and one.name not in one.dimensions and path(one) not in aside | counts]  # fmt: skip


def coordinate(of: Any, dimension: str) -> Any:
    """Return the variable that has the name of a dimension and it alone, None if there is none."""
    found = find(of.group(), dimension)
    if found is None or dimensions(found) != (dimension,):
        return None
    known = dict(zip(dimensions(of), spans(of), strict=True))
    return found if known.get(dimension) in (None, *spans(found)) else None


def auxiliary(of: Iterable[Any]) -> list[Any]:
    """Return the variables that others name as further coordinates, e.g. latitudes of a rotated grid."""
    found = [find(one.group(), name) for one in of for name in named(one, "coordinates")]
    return [one for one in found if one is not None]


def bounds(of: Any) -> Any:
    """Return the variable with the bounds of a coordinate's cells, None if there is none."""
    found = [find(of.group(), name) for name in named(of, "bounds", "climatology")]
    return found[0] if found and found[0] is not None and found[0].ndim == of.ndim + 1 else None


def stretched(first: Any, axes: tuple[str, ...], where: str) -> dict[str, tuple[int, Positions]]:
    """Return the dimensions that an axis stands for: name → axis, and for each place along it the place there.

    Samples of ragged arrays belong to an instance, such as a station (9.3.3, 9.3.4); gathered points to a place on each
    of the dimensions that were compressed (8.2).
    """
    known: dict[str, tuple[int, Positions]] = {}
    open_ = [(name, at, np.arange(first.shape[at])) for at, name in enumerate(axes)]
    while open_:
        name, axis, positions = open_.pop()
        for other, places in _steps(first.group(), name, where):
            if other not in known and other not in axes:
                known[other] = (axis, places[positions])
                open_.append((other, axis, places[positions]))
    return known


def _steps(group: Any, dimension: str, where: str) -> Iterator[tuple[str, Positions]]:
    while group is not None:
        for one in group.variables.values():
            if named(one, "sample_dimension") == [dimension]:
                yield one.dimensions[0], _counted(one, _size(group, dimension), where)
            elif "instance_dimension" in one.ncattrs() and one.dimensions == (dimension,):
                to = named(one, "instance_dimension")[0]
                yield to, _checked(_whole(one), _size(group, to), one, where)
            elif "compress" in one.ncattrs() and one.dimensions == (dimension,):
                yield from _gathered(group, one, where)
        group = group.parent


def _gathered(group: Any, one: Any, where: str) -> Iterator[tuple[str, Positions]]:
    names = named(one, "compress")
    sizes = [_size(group, name) for name in names]
    flat = _checked(_whole(one), int(np.prod(sizes)), one, where)
    for name, positions in zip(names, np.unravel_index(flat, sizes), strict=True):
        yield name, np.asarray(positions, dtype=np.int64)


def _counted(one: Any, samples: int, where: str) -> Positions:
    counts = _whole(one)
    if (counts < 0).any() or int(counts.sum()) != samples:
        raise UserError(f"{path(one)} counts {int(counts.sum()):,} samples, there are {samples:,}", where=where,
                        remedy="ask for the delivery again")  # fmt: skip
    return np.repeat(np.arange(len(counts)), counts)


def _checked(values: Positions, size: int, one: Any, where: str) -> Positions:
    if values.size and (int(values.min()) < 0 or int(values.max()) >= size):
        raise UserError(f"{path(one)} points to places beyond the {size:,} that there are", where=where,
                        remedy="ask for the delivery again")  # fmt: skip
    return values


def _whole(one: Any) -> Positions:
    return np.asarray(one[...]).astype(np.int64)


def _size(group: Any, name: str) -> int:
    while group is not None:
        if name in group.dimensions:
            return len(group.dimensions[name])
        group = group.parent
    return 0
