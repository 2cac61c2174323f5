"""Excerpts of the UK Government's flat files of conversion factors, a workbook for each year, the same bytes on every run."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from python_calamine import CalamineWorkbook

from samples.documents import DAY, timeless

FILES = {
    "conversion-factors-2020-flat-file-excerpt.xlsx": "Conversion_Factors_2020_-_Flat_file__for_automatic_processing_only_.xlsx",
    "conversion-factors-2021-flat-file-excerpt.xlsx": "conversion-factors-2021-flat-file-automatic-processing.xls",
}
SHEET, HEADER = "Factors by Category", 5
FUELS = ("Natural gas", "Diesel (average biofuel blend)", "LPG")
KINDS = ("UK electricity", "Hotel stay", "Water supply", "Heat and steam")


def write_flat_files(data: Path, folder: Path) -> None:
    """Write what fuels, electricity, heat, water and hotels have in both years; the rows stand as they came."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, origin in FILES.items():
        found = CalamineWorkbook.from_path(data / origin).get_sheet_by_name(SHEET).to_python(skip_empty_area=False)
        head, body = found[:HEADER], [row for row in found[HEADER:] if row[1] in KINDS or (row[3] in FUELS and row[1] == "Fuels")]
        (folder / name).write_bytes(_workbook([*head, *body]))


def _workbook(rows: Iterable[list[Any]]) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = SHEET
    for row in rows:
        sheet.append([None if cell == "" else cell for cell in row[:11]])
    book.properties.created = DAY.replace(tzinfo=None)
    raw = io.BytesIO()
    book.save(raw)
    return timeless(raw.getvalue())
