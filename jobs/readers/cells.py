"""Cells of a spreadsheet: addresses, canonical text, and what only the XML of a sheet tells."""

from __future__ import annotations

import datetime
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

RELATION = re.compile(r"\{.*\}id$")


def letters(column: int) -> str:
    """Return the letters of a column, 0-based: 0 is A, 26 is AA."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def column_of(text: str) -> int:
    """Return the 0-based column of letters; raise ValueError if they are none."""
    if not re.fullmatch(r"[A-Za-z]{1,3}", text):
        raise ValueError(f"{text!r} is not a column")
    number = 0
    for char in text.upper():
        number = number * 26 + ord(char) - 64
    return number - 1


def canonical(value: Any) -> str | None:
    """Return a cell as text: integers without a point, floats as Python writes them, dates in ISO; NULL if empty."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


@dataclass(frozen=True)
class Marks:
    """Cells (row, column), 0-based: errors with their text, and formulas that were saved without a value."""

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    empty_formulas: tuple[tuple[int, int], ...] = ()


def marks(path: Path, sheet: str) -> Marks:
    """Return what the values alone do not tell: calamine gives an error cell and an unsaved formula as empty.

    Only for .xlsx; other containers give no marks.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entry = _entry(archive, sheet)
            if not entry or not _worth(archive, entry):
                return Marks()
            with archive.open(entry) as file:
                return _scan(file)
    except (zipfile.BadZipFile, KeyError):
        return Marks()


def _entry(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Find the part of a sheet by way of the workbook and its relations (ECMA-376-1, 12.3.24)."""
    relations = {one.get("Id"): one.get("Target", "")
                 for one in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))}  # fmt: skip
    for one in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():
        if one.tag.endswith("}sheet") and one.get("name") == sheet:
            target = relations[next(value for key, value in one.attrib.items() if RELATION.match(key))]
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return None


def _worth(archive: zipfile.ZipFile, entry: str) -> bool:
    """Look for a formula or an error in the raw bytes, which is far cheaper than parsing them."""
    with archive.open(entry) as file:
        tail = b""
        while chunk := file.read(1 << 20):
            if re.search(rb'<(\w+:)?f[ >/]|t="e"', tail + chunk):
                return True
            tail = chunk[-8:]
    return False


def _scan(file: Any) -> Marks:
    errors, formulas = {}, []
    row = -1
    for event, one in ElementTree.iterparse(file, events=("start", "end")):
        name = one.tag.rpartition("}")[2]
        if event == "start" and name == "row":
            row = int(one.get("r", row + 2)) - 1
            column = -1
        elif event == "end" and name == "c":
            place = one.get("r", "").rstrip("0123456789")
            column = column_of(place) if place else column + 1
            kids = {kid.tag.rpartition("}")[2]: kid.text or "" for kid in one}
            if one.get("t") == "e":
                errors[row, column] = kids.get("v", "")
            if "f" in kids and not kids.get("v") and one.get("t") != "str":
                formulas.append((row, column))
        elif event == "end" and name == "row":
            one.clear()
    return Marks({place: text for place, text in errors.items() if text}, tuple(formulas))
