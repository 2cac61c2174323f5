"""Readers: one module per format turns the bytes of a delivery into Parquet of values as found, with locators.

An empty field is NULL in every format. Text formats give strings only; NetCDF, HDF5 and Parquet give bigint, double and string.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from schemas.errors import UserError

# Native libraries and archives of strangers: they run in a process of their own (jobs/readers/cage.py).
CAGED = ("excel", "netcdf", "hdf5", "pdf", "word", "json", "parquet", "xml", "yaml", "orc", "avro", "html", "fixed", "cdl",
         "messages", "file", "boundaries")  # fmt: skip
TYPED = ("netcdf", "hdf5", "cdl", "parquet", "orc", "avro", "boundaries")  # give numbers as numbers
# Of what a reader tells of a file, this is kept: what is in it and no row of it, and the units it names.
AROUND = ("units", "footer", "repeated_headers", "footnotes", "totals", "hidden", "formulas", "external_links", "macros",
          "date_system", "holds", "scanned_pages", "drawn_pages", "unreadable_pages", "doubted_rows", "hidden_signs",
          "variables", "documents", "integrity")  # fmt: skip
FORMATS = ("csv", *CAGED)
TOGETHER = ("csv",)  # many small deliveries of these are read at once


@dataclass(frozen=True)
class Request:
    """One delivery to read: its bytes, an empty folder for the result, and the options of its contract."""

    path: Path
    out: Path
    delivery: int
    name: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Read:
    """What was read: rows in part-*.parquet, malformed rows in rejected.parquet, the headers as found."""

    rows: int
    rejected: int
    columns: tuple[str, ...]
    info: dict[str, Any]
    seconds: float


def read(format: str, request: Request) -> Read:
    """Read one delivery into `request.out`. Raise UserError with the reason if it can't be read at all."""
    found = read_many(format, [request])[0]
    if isinstance(found, UserError):
        raise found
    return found


def read_many(format: str, requests: Sequence[Request]) -> list[Read | UserError]:
    """Read deliveries of one format in turn; each gives its result or the reason why it can't be read.

    Formats of CAGED share one process of their own, which is started anew after a crash.
    """
    if format not in FORMATS:
        raise UserError(f"there is no reader for format {format!r}", remedy=f"known: {', '.join(FORMATS)}")
    if any("members" in request.options for request in requests):
        from jobs.readers.archive import read_archive

        return [read_archive(format, request) for request in requests]
    if format in CAGED:
        from jobs.readers.cage import read_caged

        return read_caged(format, requests)
    return [_direct(format, request) for request in requests]


def read_together(
    format: str, requests: Sequence[Request], folder: Callable[[tuple[str, ...]], Path]
) -> list[Read | UserError]:  # fmt: skip
    """Read small deliveries of a format of TOGETHER; rows of one set of columns go to the folder that `folder` names."""
    found: list[Read | UserError] = importlib.import_module(f"jobs.readers.{format}_together").read_together(requests, folder)
    return [graded(format, one, result) if isinstance(result, Read) else result
            for one, result in zip(requests, found, strict=True)]  # fmt: skip


def _direct(format: str, request: Request) -> Read | UserError:
    try:
        found: Read = importlib.import_module(f"jobs.readers.{format}").read(request)
    except UserError as error:
        return error
    return graded(format, request, found)


def graded(format: str, request: Request, found: Read) -> Read:
    """Return what was read with its grade of integrity."""
    from jobs.readers import guards

    return replace(found, info={**found.info, "integrity": guards.grade(format, request.path, found.info)})
