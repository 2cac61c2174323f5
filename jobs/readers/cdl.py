"""CDL, the text form of NetCDF: read as the file that it describes, value by value as NetCDF is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jobs.readers import Read, Request, cf, netcdf
from jobs.readers.cdl_file import HEADER, build
from jobs.readers.cdl_text import parse
from jobs.readers.options import options
from jobs.readers.text import opened
from schemas.errors import UserError

LARGEST = 256 << 20


def read(request: Request) -> Read:
    """Read variables cell by cell, with the options of NetCDF; `_locator` is `variable[i,j]`, indices from 0."""
    given = options(netcdf.NetCdf, request.options, request.name)
    with _made(request.path, request.out.parent, request.name) as (path, empty, strange):
        _check_there(given.variables, empty, strange, request.name)
        return netcdf.read(replace(request, path=path))


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say which variables there are, which of them have values, and which can be read together."""
    chosen = options(netcdf.NetCdf, given, path.name)
    with _made(path, None, path.name) as (made, empty, strange):
        found = netcdf.probe(made, given)
        with netcdf.opened(made, path.name) as file:
            shapes = _shapes(file)
    found |= {"without_values": empty} if empty else {}
    found |= {"of_types_not_read": strange} if strange else {}
    if not chosen.variables and (len(shapes) > 1 or ((empty or strange) and shapes)):
        found["tables"] = {name: {"variables": variables} for name, variables in shapes.items()}
    return {**found, "kind": "CDL"}


def _shapes(file: Any) -> dict[str, list[str]]:
    """Return the variables that are data by the dimensions that they share, those with most cells first."""
    found: dict[tuple[str, ...], list[Any]] = {}
    every = {cf.path(one): one for one in cf.every(file)}
    for name in cf.data(file) or list(every):
        one = every[name]
        found.setdefault((one.group().path, *cf.dimensions(one)), []).append(one)
    ordered = sorted(found.values(), key=lambda some: -int(some[0].size))
    return {" ".join(cf.dimensions(some[0])) or cf.path(some[0]): [cf.path(one) for one in some] for some in ordered}


def _check_there(wanted: list[str] | None, empty: list[str], strange: list[str], where: str) -> None:
    """Raise UserError where variables that are to be read have no values here, or are of types that are not read."""
    lacking = [name for name in empty if wanted is None or name in wanted]
    if lacking:
        remedy = HEADER if wanted else f"{HEADER}; or name those that have values in the option `variables`"
        raise UserError(f"{', '.join(lacking[:10])}: the text has no values of these", where=where, remedy=remedy)
    odd = [name for name in strange if wanted is None or name in wanted]
    if odd:
        raise UserError(f"{', '.join(odd[:10])}: compounds, lists of lists and opaque types are not read from CDL", where=where,
                        remedy="ask for the NetCDF file itself, or name others in the option `variables`")  # fmt: skip


@contextmanager
def _made(path: Path, folder: Path | None, where: str) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Make the NetCDF file that a text describes, beside the result of the reading."""
    with opened(path, "utf-8", where) as stream:
        text = stream.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise UserError(f"a text of more than {LARGEST >> 20} MB", where=where, remedy="ask for the NetCDF file itself")
    try:
        tree = parse(text.decode("utf-8-sig"), where)
    except UnicodeDecodeError as error:
        raise UserError(f"the bytes are not UTF-8: {error.reason}", where=where, remedy="CDL is UTF-8: ask for it so") from None
    with tempfile.TemporaryDirectory(prefix="cdl-", dir=folder) as made:
        file = Path(made) / "a.nc"
        empty, strange = build(tree, file, where)
        yield file, empty, strange
