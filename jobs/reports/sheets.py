"""A report as Excel: a template's cells with facts, tables (numbers as numbers) and charts put in their places."""

from __future__ import annotations

import io
import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.chart import Reference, Series
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import coordinate_from_string

from jobs.reports import unfilled
from jobs.reports.charts import chart
from jobs.reports.figures import Figures, Table
from jobs.reports.packed import settled
from jobs.reports.template import ALONE, MARK, Template, block, blocks, filled, series
from schemas.errors import UserError

DATA = "图表数据"
CHART_ROWS = 18  # rows that a chart covers
FORMATS: dict[type, str] = {Decimal: "#,##0.00", int: "#,##0", float: "General", datetime: "yyyy-mm-dd hh:mm:ss"}
THIN = Side(style="thin", color="808080")
EDGES = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)


def blank(text: str) -> Workbook:
    """Return a workbook of a text's chapters, a sheet each, with its placeholders: what a person edits further."""
    book = Workbook()
    sheet = book.active
    sheet.title = "报告"
    for kind, line in blocks(text):
        if kind == "heading2":
            sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", line)[:31])
        sheet.append([line] if sheet.max_row > 1 or sheet["A1"].value else [])
        at = sheet.cell(sheet.max_row, 1, line)
        if kind.startswith("heading"):
            at.font = Font(bold=True, size={"heading1": 16, "heading2": 14}.get(kind, 12))
    return book


def sheets(template: Template, figures: Figures) -> bytes:
    """Return the .xlsx of a template. Raise UserError for a file that is no workbook, and for unknown placeholders."""
    if template.ending == "md":
        book = blank(template.path.read_text(encoding="utf-8"))
    else:
        try:
            book = load_workbook(template.path)
        except Exception as error:  # openpyxl and zipfile raise many kinds
            raise UserError(f"no workbook: {error}", where=template.where, remedy="save it as .xlsx") from None
    for sheet in list(book.worksheets):
        _fill(book, sheet, figures, template.where)
    book.properties.creator, book.properties.created = "carbonlake", figures.as_of
    held = io.BytesIO()
    book.save(held)
    if template.ending != "md":
        unfilled.check(held.getvalue(), template.path, template.where)
    return settled(held.getvalue(), figures.as_of)


def _fill(book: Workbook, sheet: Any, figures: Figures, where: str) -> None:
    """Fill a sheet from its last row up, so that what a table pushes down is filled already."""
    marked = [cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str) and MARK.search(cell.value)]
    if any(ALONE.fullmatch(cell.value.strip()) for cell in marked):
        _no_formulas(sheet, marked, where)
    for cell in reversed(marked):
        place = f"{where}: {sheet.title}!{cell.coordinate}"
        found = block(cell.value, figures, place)
        if found is None:
            cell.value = filled(cell.value, figures, place)
            cell.data_type = "s"  # a name that begins with = is no formula
        elif found[0] == "table":
            _table(sheet, cell, found[1])
        else:
            _chart(book, sheet, cell, found[1])


def _no_formulas(sheet: Any, marked: list[Any], where: str) -> None:
    """Raise UserError for a formula where a table pushes rows down: openpyxl moves cells, and not what formulas name."""
    for row in sheet.iter_rows():
        for cell in row:
            if cell.data_type == "f" and cell not in marked:
                raise UserError("a formula beside a table or chart would point to other cells than it does now",
                                where=f"{where}: {sheet.title}!{cell.coordinate}", remedy="put it on another sheet")  # fmt: skip


def _table(sheet: Any, cell: Any, table: Table) -> None:
    top, left = cell.row, cell.column
    cell.value = table.title if table.rows else f"{table.title}：无"
    cell.font, cell.data_type = Font(bold=True), "s"
    if not table.rows:
        return
    if top < sheet.max_row:
        _pushed(sheet, top, len(table.rows) + 2)
    for down, row in enumerate([table.columns, *table.rows]):
        for right, value in enumerate(row):
            at = sheet.cell(top + 1 + down, left + right, value)
            at.data_type = "s" if isinstance(value, str) else at.data_type
            at.border, at.font = EDGES, Font(bold=down == 0)
            at.number_format = FORMATS.get(type(value), at.number_format)
            at.alignment = Alignment(vertical="top", wrap_text=down == 0)
    for right, name in enumerate(table.columns):
        letter = get_column_letter(left + right)
        sheet.column_dimensions[letter].width = max(sheet.column_dimensions[letter].width, min(2 * len(name) + 4, 30))


def _pushed(sheet: Any, top: int, rows: int) -> None:
    """Insert rows below one, and move the charts that stand there: openpyxl moves cells alone."""
    sheet.insert_rows(top + 1, rows)
    for one in sheet._charts:
        if isinstance(one.anchor, str):
            letters, row = coordinate_from_string(one.anchor)
            one.anchor = f"{letters}{row + rows}" if row > top else one.anchor
        elif (begin := getattr(one.anchor, "_from", None)) is not None and begin.row >= top:  # of the template; counts from 0
            begin.row += rows
            if (end := getattr(one.anchor, "to", None)) is not None:
                end.row += rows


def _chart(book: Workbook, sheet: Any, cell: Any, table: Table) -> None:
    """Draw a chart over the rows below a cell, of values that stand in a sheet of their own."""
    labels, lines = series(table)
    cell.value = None if lines else f"{table.title}：无"
    if not lines:
        return
    data = book[DATA] if DATA in book.sheetnames else book.create_sheet(DATA)
    top = data.max_row + 2
    for down, row in enumerate([("", *lines), *zip(labels, *lines.values(), strict=True)]):
        for right, value in enumerate(row):
            at = data.cell(top + down, 1 + right, value)
            at.data_type = "s" if isinstance(value, str) else at.data_type
    made, last = chart(table.title), top + len(labels)
    for right in range(len(lines)):
        made.append(Series(Reference(data, min_col=2 + right, min_row=top, max_row=last), title_from_data=True))
    made.set_categories(Reference(data, min_col=1, min_row=top + 1, max_row=last))
    _pushed(sheet, cell.row, CHART_ROWS)
    sheet.add_chart(made, cell.coordinate)
