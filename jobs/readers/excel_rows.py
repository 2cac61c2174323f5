"""Which rows of a sheet are rows of its table: not blank ones, footnotes, totals, or hidden ones that are left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from jobs.readers.excel_open import Opened
from jobs.readers.excel_options import Block
from jobs.readers.excel_sheet import Place
from jobs.readers.excel_totals import Checked, Totals, checked
from jobs.readers.options import options
from schemas.errors import UserError

# A word that footnotes begin with stands alone or before a colon, a point or a number: 注册地 is no footnote.
NOTE = re.compile(
    r"\s*(?:[*†‡§※①-⑳]|\[\d+\]|[(（]?(?:\d{1,2}|[a-z])[)）.]\s|note that\b|"
    r"(?:附?注|备注|说明|(?:资料|数据)?来源|(?:foot)?notes?|remarks?|(?:data\s+)?sources?)\s*\d*\s*(?:[:：.、]|$))",
    re.IGNORECASE,
)
Note = tuple[Place, str]


@dataclass
class Lines:
    """The rows of a table as a mask over those of the sheet; `bad` cells hold no value, `failed` are totals."""

    mask: bytearray
    notes: list[Note] = field(default_factory=list)
    totals: list[Checked] = field(default_factory=list)
    hidden: tuple[int, ...] = ()
    bad: dict[Place, str] = field(default_factory=dict)


def lines(opened: Opened, block: Block, columns: Mapping[str, int], where: str) -> Lines:
    """Return the rows of a table and what was set apart from them. Raise UserError where an option refuses it."""
    first, last = block.first - 1, min(block.last_row or opened.height, opened.height)
    found = Lines(bytearray(opened.height))
    places = list(columns.values())
    rows = list(range(first, last))
    blank = _blank(opened, places, rows) if block.skip_blank or block.footnotes else set()
    notes = _notes(opened, places, [row for row in rows if row not in blank]) if block.footnotes and len(places) > 1 else []
    found.notes = [((row, at), opened.columns[at][row]) for row, at in notes]
    out = {row for row, _ in notes} | (blank if block.skip_blank else set())
    rows = [row for row in rows if row not in out]
    if block.totals is not None:
        rows = _without_totals(opened, block, rows, columns, found, where)
    found.hidden = tuple(row + 1 for row in rows if row in opened.sheet.hidden_rows)
    for row in rows:
        found.mask[row] = 1
    if block.hidden == "leave":
        for row in found.hidden:
            found.mask[row - 1] = 0
    found.bad = _bad(opened, block, set(places), found.mask, where)
    return found


def _blank(opened: Opened, places: list[int], rows: list[int]) -> set[int]:
    """Return the rows with nothing in any column."""
    for at in places:
        column = opened.columns[at]
        rows = [row for row in rows if column[row] in ("", None)]
        if not rows:
            break
    return set(rows)


def _notes(opened: Opened, places: list[int], rows: list[int]) -> list[Place]:
    """Return the footnotes: from the first of the last rows on that holds one text alone, beginning as footnotes do."""
    tail: list[Place] = []
    for row in reversed(rows):
        filled = [at for at in places if opened.columns[at][row] not in ("", None)]
        if len(filled) != 1 or type(opened.columns[filled[0]][row]) is not str:
            break
        tail.insert(0, (row, filled[0]))
    begin = next((n for n, (row, at) in enumerate(tail) if NOTE.match(opened.columns[at][row])), len(tail))
    return tail[begin:]


def _without_totals(
    opened: Opened, block: Block, rows: list[int], columns: Mapping[str, int], found: Lines, where: str
) -> list[int]:  # fmt: skip
    """Check the totals and return the other rows: a total is never a row of data beside its parts."""
    given = options(Totals, block.totals or {}, f"{where}, totals").check(list(columns), f"{where}, totals")
    found.totals = checked(opened, rows, dict(columns), given)
    wrong = [one for one in found.totals if not one.holds]
    if wrong and given.mismatch == "refuse":
        raise UserError(f"{len(wrong)} of {len(found.totals)} totals do not hold; the first: {wrong[0].reason}", where=where,
                        remedy="ask the publisher, or give `totals` a `tolerance` or `mismatch: set_aside`")  # fmt: skip
    out = {one.row for one in found.totals}
    return [row for row in rows if row not in out]


def _bad(opened: Opened, block: Block, places: set[int], mask: bytearray, where: str) -> dict[Place, str]:
    """Return the cells of the table's rows whose value is none, or is doubtful, and why."""
    found = dict(opened.doubtful)
    if block.errors == "set_aside":
        found |= {place: f"holds an error, {text}" for place, text in opened.sheet.errors.items()}
    stale = {one.place: f"is stale: {str(one).partition(': ')[2]}" for one in opened.stale}
    found |= stale if block.stale != "name" else {}
    found = {(row, at): why for (row, at), why in sorted(found.items()) if at in places and mask[row]}
    if block.stale == "refuse" and (first := next((place for place in found if place in stale), None)):
        told = next(str(one) for one in opened.stale if one.place == first)
        raise UserError(f"formulas were saved with other values than they give; {told}", where=where,
                        remedy="open the workbook in Excel or LibreOffice, compute it, save it, and land it again")  # fmt: skip
    return found
