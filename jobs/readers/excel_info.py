"""What a reading of a workbook should be remembered for beside its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from jobs.readers.cells import canonical, letters
from jobs.readers.excel_open import Book, Opened
from jobs.readers.excel_table import Table

MOST = 50  # of each kind, so that a mark stays small
TITLES = 5  # rows above a header in which its unit is looked for
UNIT = re.compile(r"(?:单\s*位|units?)\s*[:\uff1a]\s*([^\s()\uff08\uff09\[\]。]+)", re.IGNORECASE)
SEVERAL = re.compile("[、,\uff0c;\uff1b和或]")


def info(book: Book, sheets: Sequence[Opened], tables: Sequence[Table]) -> dict[str, Any]:
    """Return what is hidden, merged, computed, linked, noted or added up; nothing of what there is none of."""
    found: dict[str, Any] = {"hidden": hidden(book, sheets)}
    found["units"] = tables[0].units if tables else {}
    found["footnotes"] = [{"place": f"{one.sheet}!{letters(at)}{row + 1}", "text": text}
                          for one in tables for (row, at), text in one.lines.notes][:MOST]  # fmt: skip
    totals = [(one, total) for one in tables for total in one.lines.totals]
    if totals:
        holding = [{"place": f"{one.sheet}!{total.row + 1}", "label": total.label, "parts": total.parts, "columns": total.columns}
                   for one, total in totals if total.holds]  # fmt: skip
        found["totals"] = {"hold": len(holding), "fail": len(totals) - len(holding), "holding": holding[:MOST]}
    found["formulas"] = formulas(sheets)
    found["merged"] = sum(len(one.sheet.merged) for one in sheets)
    return {key: value for key, value in found.items() if value} | book.facts.info()


def title_unit(opened: Opened, head: int) -> str:
    """Return the one unit that a title says, such as （单位：万吨）; `head` is the first row of the table's header, from 1."""
    for row in range(head - 2, max(head - 2 - TITLES, -1), -1):
        for at in range(len(opened.columns)):
            if told := UNIT.search(canonical(opened.cell(row, at)) or ""):
                return "" if SEVERAL.search(told[1]) else told[1]
    return ""


def hidden(book: Book, sheets: Sequence[Opened]) -> dict[str, Any]:
    """Return the sheets of the workbook, and the rows and columns of some of its sheets, that are not shown."""
    rows = {one.name: ranges(one.sheet.hidden_rows) for one in sheets if any(row < one.height for row in one.sheet.hidden_rows)}
    columns = {one.name: [letters(at) for at in sorted(one.sheet.hidden_columns) if at < len(one.columns)] for one in sheets}
    found = {"sheets": book.hidden, "rows": rows, "columns": {name: some for name, some in columns.items() if some}}
    return {key: value for key, value in found.items() if value}


def formulas(sheets: Sequence[Opened]) -> dict[str, Any]:
    """Return how many formulas there are, how many of them were computed again, and which gave something else."""
    count = sum(len(one.sheet.formulas) for one in sheets)
    if not count:
        return {}
    stale = [f"{one.name}!{wrong}" for one in sheets for wrong in one.stale]
    return {"count": count, "computed": sum(one.computed for one in sheets), "stale": len(stale)} | (
        {"first": stale[:MOST]} if stale else {})  # fmt: skip


def ranges(rows: frozenset[int]) -> list[str]:
    """Return rows, counted from 1, as ranges such as 3-7."""
    found: list[list[int]] = []
    for row in sorted(rows):
        if found and row == found[-1][1]:
            found[-1][1] = row + 1
        else:
            found.append([row + 1, row + 1])
    return [f"{first}" if first == last else f"{first}-{last}" for first, last in found][:MOST]
