"""What the XML of an OpenDocument spreadsheet tells beside its values: errors, what is hidden, what is merged."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree

from jobs.readers.excel_package import CUT
from jobs.readers.excel_sheet import Place, Sheet
from schemas.errors import UserError

ERROR = ("#", "Err:")
ROWS, COLUMNS = 1 << 20, 1 << 14


@dataclass
class _Table:
    """A sheet as far as it was read: where the next row and the next cell are, and what was found."""

    row: int = 0
    column: int = 0
    errors: dict[Place, str] = field(default_factory=dict)
    unsaved: list[Place] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[tuple[Place, Place]] = field(default_factory=list)
    here: list[ElementTree.Element] = field(default_factory=list)


def structures(content: bytes, where: str) -> dict[str, Sheet]:
    """Return sheet → what its XML tells (OpenDocument 1.3, part 3, 9.1); raise UserError where it is no XML."""
    found: dict[str, Sheet] = {}
    table, name = _Table(), ""
    try:
        for event, one in ElementTree.iterparse(io.BytesIO(content), events=("start", "end")):
            tag = one.tag.rpartition("}")[2]
            if event == "start" and tag == "table":
                table, name = _Table(), _said(one).get("name", "")
            elif event == "end" and tag == "table-column":
                _column(table, _said(one))
            elif event == "end" and tag in ("table-cell", "covered-table-cell"):
                table.here.append(one)
            elif event == "end" and tag == "table-row":
                _row(table, _said(one))
                one.clear()
            elif event == "end" and tag == "table" and name:
                found[name] = Sheet(
                    table.errors, tuple(table.unsaved), hidden_rows=frozenset(table.hidden_rows),
                    hidden_columns=frozenset(table.hidden_columns), merged=tuple(table.merged),
                )  # fmt: skip
    except (ElementTree.ParseError, ValueError) as error:
        raise UserError(f"the workbook is no XML as the format wants it: {error}", where=where, remedy=CUT) from None
    return found


def _said(one: ElementTree.Element) -> dict[str, str]:
    return {key.rpartition("}")[2]: value for key, value in one.attrib.items()}


def _times(said: Mapping[str, str], of: str, most: int) -> int:
    return max(1, min(int(said.get(f"number-{of}-repeated", "1")), most))


def _column(table: _Table, said: Mapping[str, str]) -> None:
    times = _times(said, "columns", COLUMNS)
    if said.get("visibility", "visible") != "visible":
        table.hidden_columns |= set(range(table.column, min(table.column + times, COLUMNS)))
    table.column += times


def _row(table: _Table, said: Mapping[str, str]) -> None:
    """Take up a row with its cells; one that is repeated stands for many."""
    times = _times(said, "rows", ROWS)
    rows = range(table.row, min(table.row + times, ROWS))
    if said.get("visibility", "visible") != "visible":
        table.hidden_rows |= set(rows)
    column = 0
    for one in table.here:
        its = _said(one)
        many = _times(its, "columns", COLUMNS)
        _cell(table, one, its, rows[:1] if len(rows) * many > COLUMNS else rows, range(column, column + many))
        column += many
    table.here = []
    table.row += times


def _cell(table: _Table, one: ElementTree.Element, said: Mapping[str, str], rows: range, columns: range) -> None:
    text = " ".join("".join(kid.itertext()) for kid in one if kid.tag.endswith("}p"))
    formula = "formula" in said
    places = [(row, at) for row in rows for at in columns]
    if one.get("{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type") == "error" or (
        formula and text.startswith(ERROR) and said.get("value-type") in (None, "string")
    ):  # fmt: skip
        table.errors |= dict.fromkeys(places, text or "error")
    elif formula and "value-type" not in said and not text:
        table.unsaved += places
    down, right = int(said.get("number-rows-spanned", "1")), int(said.get("number-columns-spanned", "1"))
    if down > 1 or right > 1:
        table.merged.append(((rows[0], columns[0]), (rows[0] + down - 1, columns[0] + right - 1)))
