"""One sheet of a workbook, opened: its values by column, and what is to be known of single cells."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum

from jobs.readers import excel_ods, excel_package, excel_xls
from jobs.readers.cells import LARGE
from jobs.readers.excel_formula import Stale, stale
from jobs.readers.excel_package import Facts
from jobs.readers.excel_sheet import Place, Sheet, long_numbers, numbers, structure
from schemas.errors import UserError

MIDNIGHT = datetime.time(0, 0)
# The day before the one that is not there: 1900 was no leap year, and Excel counts as if it was (ECMA-376-1, 18.17.4.1).
LEAP = datetime.date(1900, 2, 28)


@dataclass
class Opened:
    """The cells of a sheet by column, as calamine gives them; `kinds` are the types in each column.

    `doubtful` says of single cells why their value is none.
    """

    name: str
    columns: list[list[Any]]
    kinds: list[set[type]]
    sheet: Sheet
    stale: list[Stale] = field(default_factory=list)
    computed: int = 0
    doubtful: dict[Place, str] = field(default_factory=dict)
    runs: dict[int, range] = field(default_factory=dict)

    def run(self, column: int) -> range:
        """Return the rows from the first number of a column to its last, none where something else lies between."""
        return self.runs.get(column, range(0))

    @property
    def height(self) -> int:
        """The number of rows."""
        return len(self.columns[0]) if self.columns else 0

    def cell(self, row: int, column: int) -> Any:
        """Return a cell, empty beyond the last one."""
        return self.columns[column][row] if 0 <= row < self.height and 0 <= column < len(self.columns) else ""

    def put(self, row: int, column: int, value: Any) -> None:
        """Set a cell that is there to what it really is."""
        if row < self.height and column < len(self.columns):
            self.columns[column][row] = value
            self.kinds[column].add(type(value))
            if row in self.run(column):
                del self.runs[column]


@dataclass(frozen=True)
class Book:
    """An opened workbook: what it says of itself, and how a sheet of it is opened."""

    workbook: CalamineWorkbook
    facts: Facts
    raw: Callable[[str], bytes | None]
    known: list[str]
    other: list[Sheet]
    where: str

    @property
    def names(self) -> list[str]:
        """The sheets that hold cells, in their order."""
        pairs = zip(self.known, self.workbook.sheets_metadata, strict=True)
        return [name for name, one in pairs if one.typ == SheetTypeEnum.WorkSheet
                and "/worksheets/" in self.facts.parts.get(name, "/worksheets/")]  # fmt: skip

    @property
    def hidden(self) -> dict[str, str]:
        """The sheets that are not shown, and how well they are hidden."""
        says = {"Hidden": "hidden", "VeryHidden": "very hidden"}
        return {name: says[kind] for name, one in zip(self.known, self.workbook.sheets_metadata, strict=True)
                if (kind := str(one.visible).rpartition(".")[2]) in says}  # fmt: skip

    def open(self, name: str) -> Opened:
        """Open a sheet; raise UserError where it is damaged."""
        where = f"{self.where}, sheet {name!r}"
        with ThreadPoolExecutor(1) as beside:  # calamine works beside Python
            values = beside.submit(_values, self.workbook, self.known.index(name), where)
            data = self.raw(name)
            found = structure(data, where) if data is not None else self.other[self.known.index(name)]
            sheet, grid = values.result()
        merged = tuple((first, last) for first, last in sheet.merged_cell_ranges or [])
        found = replace(found, merged=merged or found.merged)
        columns = [list(column) for column in zip(*grid, strict=True)]
        runs, kinds = zip(*map(_run, columns), strict=True) if columns else ((), ())
        if data is not None and any(map(_large, columns, runs)):
            found = replace(found, exact=long_numbers(data))
        wrong, computed = ([], 0) if self.facts.rounded else stale(found, columns)
        opened = Opened(name, columns, list(kinds), found, wrong, computed, runs={at: run for at, run in enumerate(runs) if run})
        _no_dates(opened, data, self.facts.epoch)
        for places in (found.texts, found.exact, found.errors):
            for (row, column), text in places.items():
                opened.put(row, column, text)
        return opened


def book(path: Path, archive: Any, where: str) -> Book:
    """Open a workbook, whose package is `archive` if it has one; raise UserError where it can't be."""
    # Before calamine: it follows sectors that go round in a circle, and XML that does not end, for ever.
    old, open_ = _others(path, archive, where)
    try:
        workbook = CalamineWorkbook.from_path(str(path))
    except PasswordError:
        raise UserError("the workbook is under a password", where=where, remedy="ask for one without") from None
    except (CalamineError, OSError) as error:
        raise UserError(f"the workbook can't be opened: {error}", where=where, remedy=excel_package.CUT) from None
    facts = excel_package.facts(archive, where) if archive else Facts()

    def raw(name: str) -> bytes | None:
        return excel_package.content(archive, facts.parts[name], where) if archive and name in facts.parts else None

    names = workbook.sheet_names
    if old is None:
        return Book(workbook, facts, raw, names, [open_.get(name, Sheet()) for name in names], where)
    if len(old) != len(names):
        raise UserError("the workbook does not say which sheets it has", where=where, remedy="save it as xlsx")
    known = [one.name or name for one, name in zip(old, names, strict=True)]
    return Book(workbook, facts, raw, known, [one.sheet for one in old], where)


def _others(path: Path, archive: Any, where: str) -> tuple[list[excel_xls.Old] | None, dict[str, Sheet]]:
    """Return the structure of the sheets of other formats than .xlsx: in order, or by name; of .xlsb nothing tells it."""
    if archive is None:
        return excel_xls.structures(path, where), {}
    if "content.xml" in archive.namelist():
        return None, excel_ods.structures(excel_package.content(archive, "content.xml", where), where)
    return None, {}


def _values(workbook: CalamineWorkbook, index: int, where: str) -> tuple[CalamineSheet, list[list[Any]]]:
    try:
        sheet = workbook.get_sheet_by_index(index)
    except CalamineError as error:
        raise UserError(f"the sheet can't be read: {error}", where=where, remedy=excel_package.CUT) from None
    return sheet, sheet.to_python(skip_empty_area=False)


def _run(column: list[Any]) -> tuple[range, set[type]]:
    """Return the rows from the first number to the last, none where something else lies between, and the types in all rows."""
    first = next((row for row, value in enumerate(column) if type(value) is float), len(column))
    last = next((row for row in range(len(column) - 1, first, -1) if type(column[row]) is float), first)
    inside = set(map(type, column[first : last + 1]))
    return range(first, last + 1) if inside == {float} else range(0), inside.union(map(type, column[:first] + column[last + 1 :]))


def _large(column: list[Any], run: range) -> bool:
    """Tell whether a column holds a number with more digits than a double keeps."""
    numbers = column[run.start : run.stop] if run else [value for value in column if type(value) is float]
    return bool(numbers) and (max(numbers) >= LARGE or min(numbers) <= -LARGE)


def _no_dates(opened: Opened, data: bytes | None, epoch: int) -> None:
    """Note the cells whose number is no day: before the first one, or 29 February 1900."""
    places = [(row, at) for at, column in enumerate(opened.columns)
              if opened.kinds[at] & {datetime.time, datetime.date, datetime.datetime}
              for row, value in enumerate(column) if _odd(value, epoch)]  # fmt: skip
    if not places or data is None:
        return
    for (row, at), number in numbers(data, places).items():
        if number < 0:
            opened.doubtful[row, at] = f"holds {number:g}, which is no date: it is before the first day there is"
        elif epoch == 1900 and 60 <= number < 61:
            opened.doubtful[row, at] = f"holds {number:g}, which is no date: it would be 29 February 1900"
        elif epoch == 1904 and opened.columns[at][row] == MIDNIGHT and datetime.date in opened.kinds[at]:
            opened.put(row, at, datetime.date(1904, 1, 1))


def _odd(value: Any, epoch: int) -> bool:
    if isinstance(value, datetime.datetime):
        return epoch == 1900 and value.date() == LEAP
    return value == MIDNIGHT or (epoch == 1900 and value == LEAP)
