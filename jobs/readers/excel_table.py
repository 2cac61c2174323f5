"""One table in a sheet: its headers, its rows as text with locators, and its wide columns turned into rows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from jobs.readers.cells import Marks, canonical, column_of, letters, marks
from jobs.readers.csv_head import check_names
from jobs.readers.options import options
from schemas.errors import UserError


@dataclass(frozen=True)
class Unpivot:
    """Wide columns as rows: `id` columns stay, every other becomes a row with its header and its value."""

    id: list[str]
    name: str = "variable"
    value: str = "value"


@dataclass(frozen=True)
class Block:
    """Where a table is. Rows are as people count them, from 1; `area` limits columns, e.g. A:M; `columns` renames.

    `only` is a regular expression of the sheets that have this block, where there are several.
    """

    header: int | list[int] = 1
    first_row: int | None = None
    last_row: int | None = None
    area: str | None = None
    skip_blank: bool = True
    columns: dict[str, str] | None = None
    unpivot: dict[str, Any] | None = None
    only: str | None = None


@dataclass(frozen=True)
class Excel(Block):
    """Options of Excel. `sheets` is a regular expression; `blocks` are several tables in a sheet, stacked."""

    sheet: str | None = None
    sheets: str | None = None
    blocks: list[dict[str, Any]] | None = None
    empty_ok: bool = False


@dataclass(frozen=True)
class Table:
    """A table as text. `named` are its columns that have a header or a name from the contract."""

    sheet: str
    place: str
    columns: tuple[str, ...]
    named: tuple[str, ...]
    letters: tuple[str, ...]
    rows: list[list[str | None]]
    locators: list[str]


def blocks(given: Excel) -> list[Block]:
    """Return the tables of a sheet; what a block does not say it takes from the options around it."""
    common = {one.name: getattr(given, one.name) for one in fields(Block)}
    if not given.blocks:
        return [Block(**common)]
    return [options(Block, common | one, f"blocks[{place}]") for place, one in enumerate(given.blocks)]


def table(path: Path, workbook: CalamineWorkbook, sheet: str, block: Block, where: str) -> Table:
    """Read one table; raise UserError for duplicate headers and for formulas that were saved without a value."""
    place = f"sheet {sheet!r}"
    opened = workbook.get_sheet_by_name(sheet)
    grid = opened.to_python(skip_empty_area=False, nrows=block.last_row)
    header_rows = [block.header] if isinstance(block.header, int) else block.header
    first = block.first_row or max(header_rows, default=0) + 1
    low, high = _area(block, max((len(row) for row in grid), default=0), f"{where}, {place}")
    found = marks(path, sheet)
    _check_formulas(found, first, block.last_row or len(grid), low, high, f"{where}, {place}")
    merged = [area for area in opened.merged_cell_ranges or [] if area[0][1] < area[1][1]]
    heads = {at: _heading(grid, header_rows, at, merged) for at in range(low, high)}
    body = [(row, _cells(grid[row], row, low, high, found)) for row in range(first - 1, len(grid))]
    body = [(row, cells) for row, cells in body if not block.skip_blank or any(cell is not None for cell in cells)]
    one = _named(heads, body, block, sheet, f"{where}, {place}")
    return _unpivoted(one, block, f"{where}, {place}") if block.unpivot is not None else one


def _area(block: Block, width: int, where: str) -> tuple[int, int]:
    if not block.area:
        return 0, width
    try:
        first, last = (column_of(part) for part in block.area.split(":"))
    except ValueError:
        raise UserError(f"option 'area': {block.area!r} is not like A:M", where=where) from None
    return first, last + 1


def _check_formulas(found: Marks, first: int, last: int, low: int, high: int, where: str) -> None:
    inside = [(row, at) for row, at in found.empty_formulas if first - 1 <= row < last and low <= at < high]
    if inside:
        some = ", ".join(f"{letters(at)}{row + 1}" for row, at in inside[:5])
        raise UserError(f"{len(inside)} formulas were saved without their values: {some}", where=where,
                        remedy="open the workbook in Excel or LibreOffice, save it, and land it again")  # fmt: skip


def _cells(row: list[Any], at: int, low: int, high: int, found: Marks) -> list[str | None]:
    cells = [canonical(value) for value in row[low:high]] + [None] * (high - low - len(row[low:high]))
    if not found.errors:
        return cells
    return [found.errors.get((at, low + index), cell) for index, cell in enumerate(cells)]


def _heading(grid: list[list[Any]], rows: list[int], at: int, merged: list[Any]) -> str:
    """Join the headers above a column."""
    parts: list[str] = []
    for row in rows:
        text = " ".join((canonical(_cell(grid, row - 1, _head_of(grid, row - 1, rows[-1] - 1, at, merged))) or "").split())
        if text and text not in parts[-1:]:
            parts.append(text)
    return " | ".join(parts)


def _head_of(grid: list[list[Any]], row: int, last: int, at: int, merged: list[Any]) -> int:
    """Return the column whose cell heads column `at` in a header row.

    A merged header stands above every column that it spans. One that was not merged but leaves its neighbours empty
    stands above them too, as long as it and they have headers of their own below.
    """
    for begin, end in merged:
        if begin[0] <= row <= end[0] and begin[1] <= at <= end[1]:
            return int(begin[1])
    column = at
    while column > 0 and not _cell(grid, row, column):
        column -= 1
    grouped = row < last and _cell(grid, last, at) and _cell(grid, last, column)
    return column if grouped else at


def _cell(grid: list[list[Any]], row: int, column: int) -> Any:
    return grid[row][column] if row < len(grid) and column < len(grid[row]) else None


def _named(heads: dict[int, str], body: list[tuple[int, list[str | None]]], block: Block, sheet: str, where: str) -> Table:
    """Name the columns: from the contract, by header, or by letter where there is neither but values."""
    low = min(heads, default=0)
    given = {column_of(key): name for key, name in (block.columns or {}).items()}
    filled = {at for at in heads if any(cells[at - low] is not None for _, cells in body)}
    kept = [at for at in heads if at in given or heads[at] or at in filled]
    if not kept:
        raise UserError("there is no table", where=where, remedy="check the options sheet, header and area")
    names = check_names([given.get(at) or heads[at] or letters(at) for at in kept], where)
    named = tuple(name for at, name in zip(kept, names, strict=True) if at in given or heads[at])
    rows = [[cells[at - low] for at in kept] for _, cells in body]
    places = tuple(letters(at) for at in kept)
    return Table(sheet, f"sheet {sheet!r}", names, named, places, rows, [f"{sheet}!{row + 1}" for row, _ in body])


def _unpivoted(one: Table, block: Block, where: str) -> Table:
    """Turn every column that is no id into rows; a locator is then the cell of the value."""
    how = options(Unpivot, block.unpivot or {}, f"{where}, unpivot")
    for name in how.id:
        if name not in one.columns:
            raise UserError(f"unpivot: there is no column {name!r}", where=where,
                            remedy=f"columns: {', '.join(one.columns)}")  # fmt: skip
    keep = [one.columns.index(name) for name in how.id]
    wide = [at for at, name in enumerate(one.columns) if name not in how.id]
    rows, locators = [], []
    for row, place in zip(one.rows, one.locators, strict=True):
        number = place.removeprefix(f"{one.sheet}!")
        for at in wide:
            if row[at] is not None or not block.skip_blank:
                rows.append([*(row[index] for index in keep), one.columns[at], row[at]])
                locators.append(f"{one.sheet}!{one.letters[at]}{number}")
    names = check_names([*how.id, how.name, how.value], where)
    return Table(one.sheet, one.place, names, names, (), rows, locators)
