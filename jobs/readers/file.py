"""Any file: kept as it came, and described in one row: type, size, pixels, pages, title, author, time, camera, place."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs.readers import Read, Request, sniff
from jobs.readers.file_about import of_image, of_office, of_pdf
from jobs.readers.options import options
from jobs.readers.parts import Rejects, with_locators, write_parts
from schemas.errors import UserError

COLUMNS = ("file", "description", "media_type", "size_bytes", "sha256", "width_px", "height_px", "pages", "title", "author",
           "created_at", "taken_at", "camera", "latitude_deg", "longitude_deg", "holds", "doubt")  # fmt: skip
ABOUT = {sniff.PDF: of_pdf, sniff.DOCX: of_office, sniff.XLSX: of_office}


@dataclass(frozen=True)
class File:
    """Options of any file: none."""

    empty_ok: bool = False


def read(request: Request) -> Read:
    """Write one row about the file; what can't be looked into is kept too, with the reason in `doubt`."""
    began = time.perf_counter()
    options(File, request.options, request.name)
    row = about(request.path, request.name)
    schema = with_locators([pa.field(name, pa.string()) for name in COLUMNS], pa.string())
    data = {**{name: [row.get(name)] for name in COLUMNS}, "_delivery": [request.delivery], "_locator": ["file"]}
    with Rejects(request.out, request.delivery):
        rows = write_parts(
            request.out, [pa.table({name: pa.array(data[name], schema.field(name).type) for name in schema.names})]
        )
    return Read(rows, 0, COLUMNS, {"documents": [row]}, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say what a row about the file would say."""
    options(File, given, path.name)
    return {name: value for name, value in about(path, path.name).items() if value is not None}


def documents(request: Request, passages: int | None = None) -> list[dict[str, Any]]:
    """Return what is kept of a document beside its rows, for knowledge.document: the row about it, and how many passages."""
    return [{**about(request.path, request.name), "passages": passages}]


def about(path: Path, name: str) -> dict[str, str | None]:
    """Return the row about a file. Raise UserError for one without bytes, and for a picture that would fill the memory."""
    size = path.stat().st_size
    if not size:
        raise UserError("the file is empty", where=name, remedy="ask for the delivery again")
    kind = sniff.media_type(path, name)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    known = ABOUT.get(kind, of_image if kind in sniff.READABLE["file"] else None)
    found: dict[str, str | None] = {}
    if known:
        try:
            found = known(path, name)
        except UserError as error:
            if error.remedy == "ask for a smaller picture":
                raise
            found = {"doubt": error.what}
    row = {"file": name.rsplit("/", 1)[-1], "media_type": kind, "size_bytes": str(size), "sha256": digest, **found}
    # Neither who made it nor where: what is found by everybody is to be known to everybody.
    told = (row["file"], found.get("title"), kind, found.get("taken_at") or found.get("created_at"))
    return {**row, "description": "; ".join(part for part in told if part)}
