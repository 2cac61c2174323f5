"""Which tables a file of arrays holds: variables that share their dimensions are the columns of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

MOST = 50


def of_variables(shapes: Mapping[str, tuple[str, ...]], data: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return name → options of the tables of a NetCDF file, from the dimensions of each variable and which are data.

    Where none are data, as in a file of coordinates alone, all are.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in list(data) or [name for name in shapes if shapes[name]] or list(shapes):
        groups.setdefault(shapes[name], []).append(name)
    return _named({"_".join(axes) or "scalars": {"variables": names} for axes, names in groups.items()})


def of_datasets(shapes: Mapping[str, tuple[int, ...] | None], scales: Mapping[str, tuple[str, ...]]) -> dict[str, dict[str, Any]]:
    """Return name → options of the tables of an HDF5 file: datasets of one group, shape and scales are the columns of one."""
    groups: dict[tuple[str, tuple[int, ...], tuple[str, ...]], list[str]] = {}
    for name, shape in shapes.items():
        if shape is not None:
            groups.setdefault((name.rpartition("/")[0], shape, scales[name] if any(scales[name]) else ()), []).append(name)
    named = {}
    for (group, shape, _), names in groups.items():
        name = names[0] if len(names) == 1 else "_".join([group, *map(str, shape)])
        named[name if name not in named else names[0]] = {"datasets": names}
    return _named(named)


def _named(tables: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return dict(list(tables.items())[:MOST])
