"""One table in a sheet: its headers, its rows as text with locators, and its wide columns turned into rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import pyarrow as pa

from jobs.readers.cells import canonical, column_of, letters, texts
from jobs.readers.csv_head import check_names
from jobs.readers.excel_open import Opened
from jobs.readers.excel_options import Block, Unpivot
from jobs.readers.excel_rows import Lines, lines
from jobs.readers.excel_sheet import Place
from jobs.readers.options import options
from schemas.errors import UserError

WIDEST = 400  # columns under one header that was not merged: a year of days, and some
Aside = tuple[str, str, str]  # locator, reason, the row as text


@dataclass(frozen=True)
class Table:
    """A table as text, by column. `named` are its columns that have a header or a name from the contract."""

    sheet: str
    place: str
    columns: tuple[str, ...]
    named: tuple[str, ...]
    letters: tuple[str, ...]
    values: list[pa.Array]
    locators: list[str]
    aside: list[Aside]
    units: dict[str, str]
    lines: Lines


def table(opened: Opened, block: Block, where: str) -> Table:
    """Read one table; raise UserError for duplicate headers and for formulas that were saved without a value."""
    where = f"{where}, sheet {opened.name!r}"
    low, high = _area(block, len(opened.columns), where)
    heads = headings(opened, block, range(low, high))
    kept = {at: name for at, name in _kept(opened, block, heads).items()
            if block.hidden == "read" or at not in opened.sheet.hidden_columns}  # fmt: skip
    if not kept:
        raise UserError("there is no table", where=where, remedy="check the options sheet, header and area")
    names = check_names([name or letters(at) for at, name in kept.items()], where)
    places = dict(zip(names, kept, strict=True))
    _check_formulas(opened, block, kept, where)
    _merged(opened, block, places, where)
    one = _gathered(opened, block, kept, names, lines(opened, block, places, where))
    return _unpivoted(one, opened, block, where) if block.unpivot is not None else one


def _area(block: Block, width: int, where: str) -> tuple[int, int]:
    if not block.area:
        return 0, width
    try:
        first, last = (column_of(part) for part in block.area.split(":"))
    except ValueError:
        raise UserError(f"option 'area': {block.area!r} is no area", where=where, remedy="write it like A:M") from None
    return first, min(last + 1, max(width, first))


def _check_formulas(opened: Opened, block: Block, kept: dict[int, str], where: str) -> None:
    last = block.last_row or opened.height
    inside = [(row, at) for row, at in opened.sheet.unsaved if block.first - 1 <= row < last and at in kept]
    if inside:
        some = ", ".join(f"{letters(at)}{row + 1}" for row, at in inside[:5])
        raise UserError(f"{len(inside)} formulas were saved without their values: {some}", where=where,
                        remedy="open the workbook in Excel or LibreOffice, save it, and land it again")  # fmt: skip


def headings(opened: Opened, block: Block, columns: range) -> dict[int, str]:
    """Return column → header, empty where there is none."""
    merged = [area for area in opened.sheet.merged if area[0][1] < area[1][1]]
    return {at: _heading(opened, block.heads, at, merged) for at in columns}


def _heading(opened: Opened, rows: list[int], at: int, merged: list[tuple[Place, Place]]) -> str:
    """Join the headers above a column."""
    parts: list[str] = []
    for row in rows:
        head = opened.cell(row - 1, _head_of(opened, row - 1, rows[-1] - 1, at, merged))
        text = " ".join((canonical(head) or "").split())
        if text and text not in parts[-1:]:
            parts.append(text)
    return " | ".join(parts)


def _head_of(opened: Opened, row: int, last: int, at: int, merged: list[tuple[Place, Place]]) -> int:
    """Return the column whose cell heads column `at` in a header row.

    A merged header stands above every column that it spans. One that was not merged but leaves its neighbours empty
    stands above them too, as long as it and they have headers of their own below.
    """
    for begin, end in merged:
        if begin[0] <= row <= end[0] and begin[1] <= at <= end[1]:
            return begin[1]
    if row >= last or not opened.cell(last, at):
        return at
    column = at
    while column > max(0, at - WIDEST) and not opened.cell(row, column):
        column -= 1
    return column if opened.cell(last, column) else at


def _kept(opened: Opened, block: Block, heads: dict[int, str]) -> dict[int, str]:
    """Name the columns: from the contract, by header, or not where there is neither but values."""
    given = {column_of(key): name for key, name in (block.columns or {}).items()}
    names = {at: given.get(at) or heads[at] for at in heads}
    first, last = block.first - 1, block.last_row
    return {at: name for at, name in names.items()
            if name or any(value not in ("", None) for value in opened.columns[at][first:last])}  # fmt: skip


def _merged(opened: Opened, block: Block, columns: dict[str, int], where: str) -> None:
    """Spread merged cells where the contract says so; everywhere else what a merge covers is no value."""
    spread = set()
    for name in block.spread or []:
        if name not in columns:
            raise UserError(f"option 'spread': there is no column {name!r}", where=where, remedy=f"columns: {', '.join(columns)}")
        spread.add(columns[name])
    for begin, end in opened.sheet.merged:
        if begin[0] < block.first - 1:
            continue
        top = opened.cell(*begin)
        for row in range(begin[0], min(end[0] + 1, opened.height)):
            for at in range(begin[1], min(end[1] + 1, len(opened.columns))):
                if (row, at) != begin:
                    opened.put(row, at, top if at == begin[1] and at in spread else "")


def _gathered(opened: Opened, block: Block, kept: dict[int, str], names: Sequence[str], found: Lines) -> Table:
    """Gather the rows of a table; those that hold a cell without a value, and totals that do not hold, are set aside."""
    cells = list(kept)
    aside = [(f"{opened.name}!{one.row + 1}", one.reason, _raw(opened, one.row, cells)) for one in found.totals if not one.holds]
    if block.unpivot is None:
        for row, reason in _by_row(found.bad).items():
            found.mask[row] = 0
            aside.append((f"{opened.name}!{row + 1}", reason, _raw(opened, row, cells)))
    rows = list(compress(range(1, opened.height + 1), found.mask))
    units = {name: text for name, at in zip(names, kept, strict=True)
             if block.units and (text := canonical(opened.cell(block.units - 1, at)))}  # fmt: skip
    return Table(
        sheet=opened.name, place=f"sheet {opened.name!r}", columns=tuple(names),
        named=tuple(name for name, given in zip(names, kept.values(), strict=True) if given),
        letters=tuple(map(letters, kept)),
        values=_texts([opened.columns[at] for at in kept], found.mask),
        locators=[f"{opened.name}!{row}" for row in rows], aside=aside, units=units, lines=found,
    )  # fmt: skip


def _texts(columns: Sequence[Sequence[Any]], mask: bytearray) -> list[pa.Array]:
    """Return the rows of columns as texts; Arrow writes numbers beside Python."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda column: texts(list(compress(column, mask))), columns))


def _says(place: Place, why: str) -> str:
    return f"{letters(place[1])}{place[0] + 1} {why}"


def _by_row(bad: Mapping[Place, str]) -> dict[int, str]:
    """Return row → what is wrong in its cells, the first three."""
    rows: dict[int, list[str]] = {}
    for place, why in bad.items():
        rows.setdefault(place[0], []).append(_says(place, why))
    return {row: "; ".join(some[:3]) + (f"; and {len(some) - 3} more" if len(some) > 3 else "") for row, some in rows.items()}


def _raw(opened: Opened, row: int, kept: list[int]) -> str:
    return "\t".join(canonical(opened.cell(row, at)) or "" for at in kept)


def _unpivoted(one: Table, opened: Opened, block: Block, where: str) -> Table:
    """Turn every column that is no id into rows; a locator is then the cell of the value."""
    how = options(Unpivot, block.unpivot or {}, f"{where}, unpivot")
    for name in how.id:
        if name not in one.columns:
            raise UserError(f"unpivot: there is no column {name!r}", where=where,
                            remedy=f"columns: {', '.join(one.columns)}")  # fmt: skip
    keep = [one.columns.index(name) for name in how.id]
    wide = [at for at, name in enumerate(one.columns) if name not in how.id]
    ids = [column_of(one.letters[at]) for at in keep]
    out: list[tuple[Any, ...]] = []
    aside = list(one.aside)
    cells = [column.to_pylist() for column in one.values]
    for n, place in enumerate(one.locators):
        row = place.removeprefix(f"{one.sheet}!")
        id_ = [cells[index][n] for index in keep]
        for at in wide:
            value, cell = cells[at][n], f"{one.sheet}!{one.letters[at]}{row}"
            if value is None and block.skip_blank:
                continue
            if one.lines.bad and (why := _wrong(one.lines.bad, int(row) - 1, [column_of(one.letters[at]), *ids])):
                aside.append((cell, why, value or ""))
            else:
                out.append((*id_, one.columns[at], value, cell))
    names = tuple(check_names([*how.id, how.name, how.value], where))
    *values, locators = map(list, zip(*out, strict=True)) if out else [[] for _ in range(len(names) + 1)]
    units = set(one.units.values())
    if len(units) > 1:
        raise UserError(f"unpivot: the columns that become one have several units: {', '.join(sorted(units))}", where=where,
                        remedy="read them without unpivot, or as a block of each unit")  # fmt: skip
    one = replace(one, units=dict.fromkeys([how.value], units.pop()) if units else {})
    columns = [pa.array(some, pa.string()) for some in values]
    return replace(one, columns=names, named=names, letters=(), values=columns, locators=locators, aside=aside)


def _wrong(bad: Mapping[Place, str], row: int, columns: Sequence[int]) -> str:
    """Return what is wrong with a value or with what it belongs to."""
    return next((_says((row, at), why) for at in columns if (why := bad.get((row, at)))), "")
