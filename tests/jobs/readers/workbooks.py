"""Small workbooks for tests: made by openpyxl, and changed where it does not go."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl

SHEET = "xl/worksheets/sheet1.xml"
Rows = Sequence[Sequence[Any]]


def made(path: Path, sheets: Mapping[str, Rows], change: Callable[[openpyxl.Workbook], Any] | None = None) -> Path:
    """Write a workbook, after `change` had its way with it."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    if change:
        change(workbook)
    workbook.save(path)
    return path


def patched(path: Path, part: str, *pairs: tuple[str, str], add: Mapping[str, str] | None = None) -> Path:
    """Replace texts in a part of a package, and add parts; the checksums are those of the new bytes."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for old, new in pairs:
        assert old.encode() in parts[part], old
        parts[part] = parts[part].replace(old.encode(), new.encode())
    parts |= {name: text.encode() for name, text in (add or {}).items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path
