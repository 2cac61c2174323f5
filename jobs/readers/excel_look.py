"""How a workbook wants to be read: its tables, where their headers, units and totals are, which sheets are of one shape."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.readers.cells import canonical, column_of, letters
from jobs.readers.excel_open import Book, Opened
from jobs.readers.excel_options import Block, Excel, blocks
from jobs.readers.excel_table import Table, headings, table
from jobs.readers.options import options
from schemas.errors import UserError

LOOKED = 2000  # rows; what comes after them is taken to go on as they do
HEADER = 5  # rows of a header at most
PATTERNS = (r"\d{4}", r"\d{2}", r".*\d{4}", r".*\d{2}")
MANY = 60  # tables proposed of one workbook
FAILING = 3  # totals of a sheet that are told of
PLAIN = re.compile(r"((^|.*\s)[合总小共]\s*计|((sub|grand|overall)[\s-]*)?totals?|sum)[:\uff1a]?", re.IGNORECASE)


@dataclass
class Found:
    """A table that was found: where, with which options, and what it has."""

    sheet: str
    options: dict[str, Any]
    columns: tuple[str, ...] = ()
    says: dict[str, Any] = field(default_factory=dict)


def tables(book: Book, sheets: Mapping[str, Opened], given: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return name → options of the tables of a workbook, equal sheets as one, and what should be known of them."""
    found = [one for opened in sheets.values() for one in _tables(opened, given)]
    several = {one.sheet for one in found if sum(other.sheet == one.sheet for other in found) > 1}
    proposed: dict[str, dict[str, Any]] = {}
    notes = []
    for one in found:
        alike = [other for other in found if other.columns == one.columns and other.options == one.options
                 and one.columns and other.sheet not in several]  # fmt: skip
        if one.sheet not in several and len(alike) > 1:
            if one is alike[0]:
                names = [other.sheet for other in alike]
                proposed[_stem(names)] = {"sheets": _pattern(names, book.names)} | _joined(alike)
                notes.append(
                    f"{len(names)} sheets of one shape are stacked: {', '.join(names[:5])}{' …' if len(names) > 5 else ''}"
                )
            continue
        place = (
            f"{one.sheet} {one.options.get('area', '')}{one.options.get('header') or ''}" if one.sheet in several else one.sheet
        )
        proposed[place] = {"sheet": one.sheet} | one.options | one.says.get("totals", {})
    notes += [f"sheet {name!r} has several tables, a contract for each" for name in sorted(several)]
    notes += [f"sheet {one.sheet!r}: {reason}" for one in found for reason in one.says.get("failing", ())[:FAILING]]
    notes += [f"sheet {name!r} holds no table" for name in sheets if name not in {one.sheet for one in found}]
    notes += [f"only the first {MANY} of {len(proposed)} tables are proposed; name others with the option `sheet`"] * (
        len(proposed) > MANY
    )
    return dict(list(proposed.items())[:MANY]), notes


def _joined(alike: Sequence[Found]) -> dict[str, Any]:
    """Return the options that hold for all sheets of one shape: totals are compared where each sheet proposes it."""
    wrong = any("failing" in one.says and "totals" not in one.says for one in alike)
    totals: dict[str, Any] = next((one.says["totals"] for one in alike if "totals" in one.says), {})
    return alike[0].options | ({} if wrong else totals)


def _stem(names: Sequence[str]) -> str:
    """Return what the names of sheets begin with, or the first one."""
    first, last = min(names), max(names)
    same = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:same].strip(" _-") or names[0]


def _pattern(names: Sequence[str], known: Sequence[str]) -> str:
    """Return a regular expression that these sheets match and no other does."""
    for pattern in PATTERNS:
        if [name for name in known if re.fullmatch(pattern, name)] == list(names):
            return pattern
    return "|".join(re.escape(name) for name in names)


def _tables(opened: Opened, given: Mapping[str, Any]) -> list[Found]:
    """Find the tables of a sheet, each with the options that read it."""
    found = []
    for begin, end, low, high in _areas(opened):
        heads = [row + 1 for row in _header(opened, begin, end, low, high)]
        said: dict[str, Any] = {} if heads == [1] else {"header": heads[0] if len(heads) == 1 else heads}
        whole = low == 0 and high >= len(opened.columns)
        said |= {} if whole else {"area": f"{letters(low)}:{letters(high - 1)}"}
        said |= {"last_row": end} if end < min(opened.height, LOOKED) else {}
        # What comes after a formula without a value can't be read; what is above it can.
        unsaved = [row for row, at in opened.sheet.unsaved if heads[-1] < row < end and low <= at < high]
        said |= {"last_row": min(unsaved)} if unsaved else {}
        said |= {"units_row": True} if _units(opened, heads, low, high) else {}
        if one := _tried(opened, said, given):
            found.append(one)
    return found


def _tried(opened: Opened, said: dict[str, Any], given: Mapping[str, Any]) -> Found | None:
    """Read a table as proposed; headers that come twice get a number, totals are compared where they hold or are plain ones."""
    said |= _renamed(opened, blocks(options(Excel, {**said, **given}, opened.name), opened.name)[0])
    try:
        one: Table = table(opened, blocks(options(Excel, {"totals": {}} | said | dict(given), ""), "")[0], "")
    except UserError as error:
        return Found(opened.name, said, (), {"refused": str(error)})
    if len(one.locators) < 1 or len(one.columns) < 2:
        return None
    totals = one.lines.totals
    failing = [total for total in totals if not total.holds]
    says: dict[str, Any] = {"failing": [total.reason for total in failing]} if failing else {}
    # What says no more than that it is a total is no row beside its parts, even where it does not hold.
    if totals and all(PLAIN.fullmatch(total.label) for total in failing):
        says["totals"] = {"totals": {}}
    return Found(opened.name, said, one.named, says)


def _renamed(opened: Opened, block: Block) -> dict[str, Any]:
    low, high = (column_of(part) for part in block.area.split(":")) if block.area else (0, len(opened.columns) - 1)
    seen: dict[str, int] = {}
    columns = {}
    for at, name in headings(opened, block, range(low, min(high + 1, len(opened.columns)))).items():
        seen[name.casefold()] = seen.get(name.casefold(), 0) + 1
        if name and seen[name.casefold()] > 1:
            columns[letters(at)] = f"{name} ({seen[name.casefold()]})"
    return {"columns": {**columns, **(block.columns or {})}} if columns else {}


def _areas(opened: Opened) -> list[tuple[int, int, int, int]]:
    """Return the tables of a sheet: first row, row after the last, first column, column after the last."""
    rows = range(min(opened.height, LOOKED))
    found = []
    for low, high in _beside(opened, rows):
        filled = {row: _filled(opened, row, low, high) for row in rows}
        begins = [row for row in rows if _begins(opened, filled, row)]
        # The first row that looks like a header, and each later one after an empty row, when there were data between.
        starts: list[int] = []
        for row in begins:
            if not starts or (
                not filled[row - 1] and any(_numbers(opened, one, filled[one]) for one in range(starts[-1] + 1, row))
            ):
                starts.append(row)
        if not starts:
            continue
        ends = [_end(opened, filled, start, after) for start, after in zip(starts, [*starts[1:], len(rows)], strict=True)]
        found += [(start, end, low, high) for start, end in zip(starts, ends, strict=True)]
    return found


def _end(opened: Opened, filled: Mapping[int, list[int]], start: int, after: int) -> int:
    """Return the row after the last one of a table: all there are, where no other table comes after."""
    if after == len(filled):
        return opened.height if opened.height > LOOKED else after
    last = max(row for row in range(start, after) if len(filled[row]) > 1)
    return last + 1


def _beside(opened: Opened, rows: range) -> list[tuple[int, int]]:
    """Return the columns of tables that stand beside each other: of other rows, and with an empty column between."""
    used = [at for at in range(len(opened.columns)) if any(opened.columns[at][row] not in ("", None) for row in rows)]
    groups: list[list[int]] = []
    for at in used:
        if groups and groups[-1][-1] == at - 1:
            groups[-1].append(at)
        else:
            groups.append([at])
    spans = [_span(opened, group, rows) for group in groups]
    apart = len(groups) > 1 and all(len(group) > 1 for group in groups) and len(set(spans)) == len(spans)
    if apart:
        return [(group[0], group[-1] + 1) for group in groups]
    return [(0, len(opened.columns))] if used else []


def _span(opened: Opened, group: Sequence[int], rows: range) -> tuple[int, int]:
    full = [row for row in rows if sum(opened.columns[at][row] not in ("", None) for at in group) > 1]
    return (full[0], full[-1]) if full else (-1, -1)


def _begins(opened: Opened, filled: Mapping[int, list[int]], row: int) -> bool:
    """Tell whether a row may be a header: two texts or years, none of them a number, over rows of more than one cell."""
    if len(filled[row]) < 2 or _numbers(opened, row, filled[row]):
        return False
    below = [one for one in range(row + 1, min(row + 8, len(filled))) if len(filled[one]) > 1]
    wide = max((len(filled[one]) for one in below), default=0)
    return bool(below) and 2 * len(filled[row]) >= wide


def _filled(opened: Opened, row: int, low: int, high: int) -> list[int]:
    return [at for at in range(low, high) if opened.cell(row, at) not in ("", None)]


def _numbers(opened: Opened, row: int, filled: Sequence[int]) -> bool:
    """Tell whether a row holds a number that is no year."""
    return any(type(value) not in (str, bool) and not (type(value) is float and value.is_integer() and 1800 <= value <= 2200)
               for value in (opened.cell(row, at) for at in filled))  # fmt: skip


def _header(opened: Opened, begin: int, end: int, low: int, high: int) -> list[int]:
    """Return the rows of a header: those of texts above columns that hold numbers."""
    rows = [begin]
    while rows[0] > 0 and (over := _filled(opened, rows[0] - 1, low, high))[1:] and not _numbers(opened, rows[0] - 1, over):
        rows.insert(0, rows[0] - 1)
    for row in range(begin + 1, min(begin + HEADER, end, opened.height)):
        filled = _filled(opened, row, low, high)
        below = range(row + 1, min(row + 12, end, opened.height))
        counted = [at for at in filled if any(type(opened.cell(one, at)) is float for one in below)]
        if (
            not filled
            or _numbers(opened, row, filled)
            or 2 * len(counted) < len(filled)
            or _units(opened, [r + 1 for r in rows], low, high)
        ):
            break
        rows.append(row)
    return rows


def _units(opened: Opened, heads: Sequence[int], low: int, high: int) -> bool:
    """Tell whether the row below a header holds the units of numbers."""
    from jobs.readers.csv_look import is_units  # units are looked up by a library that takes a while to begin

    rows = range(heads[-1] - 1, min(heads[-1] + 25, opened.height))
    texts = [[canonical(opened.cell(row, at)) or "" for at in range(low, high)] for row in rows]
    return is_units([texts[0], *(row for row in texts[1:] if any(row))])
