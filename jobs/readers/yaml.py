"""YAML: records at a place that the options name, as of JSON; scalars as they stand in the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.readers import Read, Request
from jobs.readers.options import options
from jobs.readers.records import Record, read_records, shown
from jobs.readers.text import opened
from jobs.readers.tree import at, narrower
from jobs.readers.yaml_tree import documents
from schemas.errors import UserError

# A tree takes some twenty times its text in memory.
LARGEST = 64 << 20


@dataclass(frozen=True)
class Yaml:
    """Options of YAML: `records` and `keep` as those of JSON; what is kept may stand anywhere beside the way."""

    records: str = ""
    keep: list[str] = field(default_factory=list)
    empty_ok: bool = False


def read(request: Request) -> Read:
    """Read the records; `_locator` is the JSON Pointer of each, `document 2 /sites/0` where there are several documents."""
    given = options(Yaml, request.options, request.name)
    found = _documents(request.path, request.name)
    return read_records(
        request, lambda: _open(found, given, request.name), empty_ok=given.empty_ok, narrower=narrower(given.records, given.keep)
    )


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say which columns the records have, and how the first ones look."""
    chosen = options(Yaml, given, path.name)
    found = _documents(path, path.name)
    return shown(lambda: _open(found, chosen, path.name), path.name, narrower(chosen.records, chosen.keep))


def _documents(path: Path, where: str) -> list[Any]:
    with opened(path, "utf-8", where) as stream:
        text = stream.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise UserError(f"a text of more than {LARGEST >> 20} MB", where=where, remedy="ask for JSON, or for several files")
    return documents(text, where)


@contextmanager
def _open(found: list[Any], given: Yaml, where: str) -> Iterator[Iterator[Record]]:
    yield _records(found, given, where)


def _records(found: list[Any], given: Yaml, where: str) -> Iterator[Record]:
    way = [part for part in given.records.split(".") if part]
    for number, one in enumerate(found, 1):
        if one is None:  # an empty document, such as a `---` at the end leaves
            continue
        start = f"document {number} " if len(found) > 1 else ""
        for record in at(one, way, "", {}, given.keep, where):
            yield Record(f"{start}{record.place}", record.way, record.value)
