"""The two files of a new table: a contract and a transform that load, ready to be edited."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from schemas.contract import LAYERS
from schemas.contracts import contracts, fields
from schemas.errors import UserError
from schemas.rooms import rooms

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST = 60  # letters of a column's name that is made of a header: some headers are whole paragraphs
PERSONAL = ("author", "camera", "latitude_deg", "longitude_deg")  # where and by whom a picture was taken
# A document's passages are found by a search where a table has these columns.
_PASSAGES = """\
  document: {from: _name, pattern: '([^/]+?)(\\.[^./]*)?$', required: true}
  place: {type: string, from: _locator, required: true, description: Place in the document}
  text: {from: text}"""
_PAGE = "\n  page: {from: _locator, pattern: 'page ([0-9]+)'}"
_MADE_BY_PEOPLE = tuple(layer for layer in LAYERS if layer not in ("raw", "ops"))
_CLEANED = """\
# yaml-language-server: $schema=../contract.schema.json
description: What one row is, in one sentence.
owner: me
source:
{place}
  format: {format}{options}
{key}
write: replace                # replace | merge (latest receipt wins by key) | append | period
columns:
{columns}
{rules}
"""
_OWN = """\
  zone: {name}
  path: {name}/*.{extension}
  publisher: Who published it
  licence: Under which licence"""
_MADE = """\
# yaml-language-server: $schema=../contract.schema.json
description: What one row is, in one sentence.
owner: me
inputs: [{table}]
key: [{key}]
columns:
{columns}
"""
_TRANSFORM = '''\
"""What {table} is, in one line."""

from __future__ import annotations

from pyspark.sql import DataFrame


def transform({parameter}: DataFrame) -> DataFrame:
    """Return one row for each {key}."""
    return {parameter}.select({columns})
'''


def write_table(table: str, folder: Path, probe: Mapping[str, Any] | None = None) -> list[Path]:
    """Write the files of a table into a folder with rooms; return their paths. Raise UserError where one exists."""
    return write_texts(texts(table, probe), folder)


def write_texts(files: Mapping[str, str], folder: Path) -> list[Path]:
    """Write files into a folder with rooms; return their paths. Raise UserError where one exists, before any is written."""
    paths = {folder / name: text for name, text in files.items()}
    for path in paths:
        if path.exists():
            raise UserError("this file exists already", where=str(path), remedy="choose another name, or edit it")
    for path, text in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(paths)


def texts(table: str, probe: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return path → text of the files of a new table.

    `probe` says what a delivery holds: `format`, the reader's `options`, `columns` (header → type), `more` (header →
    further keys), the headers of its `key`, those whose values are `positive` or in a short list of `values`, how many
    `rows` were read and how many `rejected`, how it is to `fetch`, and the table `of` whose deliveries are read, where
    these are not its own.
    A table that is not cleaned starts from the keys of one it may be made from. Raise UserError for a name that no table
    can have.
    """
    layer, _, name = table.partition(".")
    if layer not in _MADE_BY_PEOPLE or not _NAME.fullmatch(name):
        raise UserError(f"{table!r} is no name of a table", remedy=f"write <layer>.<name> in small letters; "
                        f"layers: {', '.join(_MADE_BY_PEOPLE)}")  # fmt: skip
    if table in contracts():
        raise UserError(f"there is a table {table!r} already", where=contracts()[table].file)
    return _cleaned(name, probe or {}) if layer == "cleaned" else _made(layer, name)


def _cleaned(name: str, probe: Mapping[str, Any]) -> dict[str, str]:
    headers: Mapping[str, str] = probe.get("columns") or {"id": "string"}
    names = _column_names(list(headers))
    more: Mapping[str, Mapping[str, Any]] = probe.get("more") or {}
    lines = [_column(own, headers[header], header, more.get(header, {})) for own, header in zip(names, headers, strict=True)]
    format_ = str(probe.get("format") or "csv")
    extension = {"excel": "xlsx", "netcdf": "nc", "hdf5": "h5", "word": "docx", "file": "*"}.get(format_, format_)
    extension = extension if format_ == "file" else str(probe.get("extension") or extension)
    options = f"\n  options: {json.dumps(probe['options'], ensure_ascii=False)}" if probe.get("options") else ""
    keys = [own for own, header in zip(names, headers, strict=True) if header in probe.get("key", list(headers)[:1])]
    if format_ in ("pdf", "word") and not isinstance((probe.get("options") or {}).get("tables"), Mapping):
        keys, lines = _passages(format_, dict(zip(headers, lines, strict=True)))
    key = f"key: [{', '.join(keys)}]" if keys else "# No columns tell the rows apart, so that there is no key."
    place = f"  of: {probe['of']}" if "of" in probe else _OWN.format(name=name, extension=extension)
    place += f"\n  fetch: {json.dumps(probe['fetch'], ensure_ascii=False)}" if "fetch" in probe else ""
    text = _CLEANED.format(place=place, format=format_, options=options, key=key, columns="\n".join(lines),
                           rules=_rules(dict(zip(headers, names, strict=True)), probe))  # fmt: skip
    if unread := probe.get("rejected"):
        text += (
            f"# Rows that can't be read: {unread} of {unread + probe['rows']}. A build sets them aside, each with the reason.\n"
        )
    return {f"schemas/cleaned/{name}.yaml": text}


def _passages(format_: str, lines: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the key and the columns of a table of passages: the document, its place, and what its reader says of it."""
    if not lines.keys() >= {"kind", "text"}:
        return list(lines)[:1], list(lines.values())
    first = _PASSAGES + (_PAGE if format_ == "pdf" else "")
    return ["document", "place"], [first, *(line for header, line in lines.items() if header not in ("text", "page"))]


def _rules(names: Mapping[str, str], probe: Mapping[str, Any]) -> str:
    """Propose what holds for every value seen; as a warning, for a person decides what must hold."""
    rules = [f"{{rule: at_least, column: {names[header]}, limit: 0, else: warn}}" for header in probe.get("positive", ())]
    rules += [f"{{rule: one_of, column: {names[header]}, values: {json.dumps(list(some), ensure_ascii=False)}, else: warn}}"
              for header, some in probe.get("values", {}).items()]  # fmt: skip
    if not rules:
        return "rules: []                     # - {rule: at_least, column: x, limit: 0}"
    return "\n".join(["rules:                        # they hold for every value seen; drop `else: warn` where they must",
                      *(f"  - {rule}" for rule in rules)])  # fmt: skip


def _column_names(headers: list[str]) -> list[str]:
    """Name columns after their headers; a header without Latin letters gets a number, to be named by a person."""
    names: list[str] = []
    shared = fields(rooms())
    for place, header in enumerate(headers, start=1):
        plain = re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_")[:_LONGEST].rstrip("_")
        # A shared field means something, and has a unit: a header of the same name may mean another thing.
        plain = f"source_{plain}" if plain in shared else plain
        fits = _NAME.fullmatch(plain) and plain not in names
        names.append(plain if fits else next(n for n in map("column_{}".format, count(place)) if n not in names))
    return names


def _column(name: str, type_: str, header: str, more: Mapping[str, Any]) -> str:
    given, kept = {**more, **({"grade": "restricted"} if name in PERSONAL else {})}, ""
    if "qualifier" in more.get("written", {}):
        given["written"] = {**more["written"], "qualifier": f"{name}_qualifier"}
        kept = f"\n  {name}_qualifier: {{type: string, description: What stands before {name}}}"
    written = "".join(f", {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in given.items())
    return (
        f'  {name}: {{type: "{type_}", description: What it is, from: {json.dumps(header, ensure_ascii=False)}{written}}}{kept}'
    )


def _made(layer: str, name: str) -> dict[str, str]:
    """Start from the first table of the nearest layer below; the person puts in the tables that are meant."""
    below = _MADE_BY_PEOPLE[: max(_MADE_BY_PEOPLE.index(layer), 1)]
    origin = next(c for lower in reversed(below) for t, c in sorted(contracts().items()) if c.layer == lower and c.key)
    lines = [f'  {key}: {{type: "{origin.columns[key].type}", description: What it is}}' for key in origin.key]
    listed = ", ".join(origin.key)
    contract = _MADE.format(table=origin.table, key=listed, columns="\n".join(lines))
    code = _TRANSFORM.format(table=f"{layer}.{name}", parameter=origin.name, key=listed.replace(", ", " and "),
                             columns=", ".join(f'"{key}"' for key in origin.key))  # fmt: skip
    return {f"schemas/{layer}/{name}.yaml": contract, f"layers/{layer}/{name}.py": code}
