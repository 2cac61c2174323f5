"""Rows of values from the tables of a document: chosen, joined over pages, named by their headers, with confidence and doubt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from jobs.readers.doubts import THRESHOLD, confidence, doubt, is_number, signs_of
from jobs.readers.parts import Rejects, check_names, with_locators
from jobs.readers.pdf_tables import edges, words_by_column
from jobs.readers.table_grid import Box, Cell, Grid, across, row_signs
from schemas.errors import UserError

# What stands beside the columns of the table: its number, page and heading, and what is thought of the row.
BESIDE = ("_table", "_page", "_heading", "_confidence", "_cells", "_doubt")
NEAR = 6.0  # points: how far the sides of a table may move from page to page


@dataclass(frozen=True)
class Choice:
    """Which tables: by page (1-3,5), number (counted on these pages), heading or caption, header; the last two are patterns."""

    pages: str | int | None = None
    numbers: list[int] | None = None
    heading: str | None = None
    header: str | None = None
    ruled: bool = True


@dataclass(frozen=True)
class How:
    """How they become rows. `header` is the number of header rows, or a regular expression of the row that is the header."""

    header: int | str = 1
    columns: list[str] | None = None
    join: bool = True
    confidence: int | float = THRESHOLD


def check(choice: Choice, how: How, where: str) -> None:
    """Raise UserError for expressions and numbers that can't be meant."""
    for name, given in (("tables.heading", choice.heading), ("tables.header", choice.header),
                        ("header", how.header if isinstance(how.header, str) else None)):  # fmt: skip
        try:
            re.compile(given or "")
        except re.error as error:
            raise UserError(
                f"option {name!r}: {given!r} is no regular expression: {error}", where=where, remedy="mend it"
            ) from None
    if not 0 <= how.confidence <= 1:
        raise UserError(f"option 'confidence': {how.confidence!r} is not from 0 to 1", where=where, remedy="0.8 is usual")
    if isinstance(how.header, int) and how.header < 0:
        raise UserError(f"option 'header': {how.header} rows", where=where, remedy="0 where the table has no header")
    pages(choice.pages, where)


def pages(given: str | int | None, where: str) -> set[int] | None:
    """Return the pages that are named, None for all."""
    if given is None:
        return None
    found: set[int] = set()
    for part in str(given).split(","):
        span = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+))?\s*", part)
        if not span or int(span[2] or span[1]) - int(span[1]) > 100_000:
            raise UserError(f"option 'tables': pages {given!r}", where=where, remedy="write them like 1-3,5")
        found |= set(range(int(span[1]), int(span[2] or span[1]) + 1))
    return found


def chosen(found: Sequence[Grid], choice: Choice, how: How, where: str) -> list[Grid]:
    """Return the tables that are meant, parts on several pages joined; raise UserError where there is none."""
    joined = numbered(found, how)
    kept = []
    for grid in joined:
        wanted = choice.numbers is None or grid.number in choice.numbers
        wanted = wanted and (not choice.heading or bool(re.search(choice.heading, grid.heading)))
        if wanted and (not choice.header or any(re.search(choice.header, _line(grid, row)) for row in range(len(grid.rows)))):
            kept.append(grid)
    if not kept:
        seen = "; ".join(f"{one.number}: page {one.page}, {_line(one, 0)[:60]}" for one in joined[:12] if one.rows)
        raise UserError(f"no table is the one that the option `tables` names; there are {len(joined)}", where=where,
                        remedy=f"choose by number, page, heading or header among {seen}" if seen else
                        "a table without lines is looked for with `tables: {ruled: false}`")  # fmt: skip
    return kept


def numbered(found: Sequence[Grid], how: How) -> list[Grid]:
    """Return the tables of a document with their numbers, from 1, parts on several pages joined where that is asked for."""
    made = _joined(found, how)
    return [replace(grid, number=grid.number or number) for number, grid in enumerate(made, 1)]


def _line(grid: Grid, row: int) -> str:
    return " | ".join(grid.texts(row)) if row < len(grid.rows) else ""


def _joined(found: Sequence[Grid], how: How) -> list[Grid]:
    """Join a table that ends its page with one that begins the next, where they have the same columns."""
    made: list[Grid] = []
    last_page = ""
    for grid in found:
        before = made[-1] if made else None
        if how.join and before and before.rows and _goes_on(before, grid, last_page) and not _headed_anew(before, grid, how):
            begin = _repeated(before, grid, how)
            before.breaks.add(len(before.rows))
            before.rows += grid.rows[begin:]
            before.places += grid.places[begin:]
            before.below = grid.below
        else:
            made.append(replace(grid, rows=list(grid.rows), places=list(grid.places), breaks=set()))
        last_page = grid.page
    return [one for one in made if len(one.rows) > 1]


def _goes_on(before: Grid, after: Grid, last_page: str) -> bool:
    if not (before.box and after.box and after.page.isdigit() and last_page.isdigit()):
        return False
    same = before.width == after.width and all(abs(before.box[at] - after.box[at]) < NEAR for at in (0, 2))
    return same and int(after.page) == int(last_page) + 1 and not before.below and not after.above


def _headed_anew(before: Grid, after: Grid, how: How) -> bool:
    """Tell whether a header that is not the first one stands above the next part: the same figures in another unit, say."""
    heads, begin = _header_rows(before, how)
    body = [row for row in range(begin, len(before.rows)) if not across(before.rows[row])]
    head, top = before.texts(heads[-1]) if heads else [], after.texts(0)
    # A word of the header that no row has: above other years or units it is one again.
    rows = [before.texts(row) for row in body]
    named = any(text and not is_number(text) and text == top[column] and all(row[column] != text for row in rows)
                for column, text in enumerate(head))  # fmt: skip
    return named and not _repeated(before, after, how)


def _repeated(before: Grid, after: Grid, how: How) -> int:
    """Return how many rows of the next part repeat the header."""
    heads, _ = _header_rows(before, how)
    texts = [before.texts(row) for row in heads]
    return len(texts) if texts and texts == [after.texts(row) for row in range(min(len(texts), len(after.rows)))] else 0


def _header_rows(grid: Grid, how: How) -> tuple[list[int], int]:
    """Return the rows of the header and where the body begins; titles across the table come before the header."""
    if isinstance(how.header, str):
        row = next((row for row in range(len(grid.rows)) if re.search(how.header, _line(grid, row))), None)
        return ([], 0) if row is None else ([row], row + 1)
    first = 0
    while how.header and first < len(grid.rows) - 1 and across(grid.rows[first]):
        first += 1
    return list(range(first, min(first + how.header, len(grid.rows)))), min(first + how.header, len(grid.rows))


def names(grid: Grid, how: How, where: str) -> tuple[str, ...]:
    """Return the names of the columns: those given, or from the header; a second one of a name gets its number."""
    if how.columns is not None:
        if len(how.columns) != grid.width:
            raise UserError(f"option 'columns': {len(how.columns)} names for the {grid.width} columns of the table", where=where,
                            remedy=f"the first row is {_line(grid, 0)[:200]}")  # fmt: skip
        return tuple(check_names([*how.columns, *BESIDE], where)[: grid.width])
    heads, _ = _header_rows(grid, how)
    if isinstance(how.header, str) and not heads:
        raise UserError(f"no row of table {grid.number} on page {grid.page} fits the header {how.header!r}", where=where,
                        remedy=f"its first row is {_line(grid, 0)[:200]}")  # fmt: skip
    found: list[str] = []
    for column in range(grid.width):
        parts = list(dict.fromkeys(text for row in heads if (text := _head(grid, row, column))))
        name = plain = " | ".join(parts) or f"column_{column + 1}"
        number = 1
        while name.casefold() in {other.casefold() for other in found}:
            number += 1
            name = f"{plain} #{number}"
        found.append(name)
    return tuple(check_names([*found, *BESIDE], where)[: grid.width])


def _head(grid: Grid, row: int, column: int) -> str:
    """Return the header above a column; names set side by side in one wide cell are told apart by their place."""
    cell = grid.rows[row][column]
    if cell is None or not cell.wide or across(grid.rows[row]):
        return cell.text if cell and not across(grid.rows[row]) else ""
    borders = edges(grid)[cell.columns[0] : cell.columns[1]]
    shares = words_by_column(cell, borders) if borders else None
    if not shares:
        return cell.text
    above = " ".join(line.text for line in cell.lines[:-1])
    return " | ".join(part for part in (above, shares[column - cell.columns[0]]) if part)


def table(grids: Sequence[Grid], how: How, delivery: int, rejects: Rejects, where: str) -> tuple[pa.Table, int]:
    """Return the rows of all tables as a part, and how many of them are doubted; titles and notes are set aside."""
    headers = {grid.number: names(grid, how, where) for grid in grids}
    first = headers[grids[0].number]
    for grid in grids:
        if headers[grid.number] != first:
            raise UserError(f"table {grid.number} on page {grid.page} has the columns {', '.join(headers[grid.number])}, "
                            f"table {grids[0].number} has {', '.join(first)}", where=where,
                            remedy="choose tables of one kind by the option `tables` (pages, numbers, heading, header), "
                            "or name the columns by the option `columns`")  # fmt: skip
    rows = [row for grid in grids for row in _rows(grid, how, first, rejects)]
    schema = with_locators([pa.field(name, pa.string()) for name in (*first, *BESIDE)], pa.string())
    found: dict[str, list[str | int | None]] = {name: [row[name] for row in rows] for name in (*first, *BESIDE, "_locator")}
    found["_delivery"] = [delivery] * len(rows)
    doubted = sum(row["_doubt"] is not None for row in rows)
    return pa.table({name: pa.array(found[name], schema.field(name).type) for name in schema.names}, schema), doubted


def _rows(grid: Grid, how: How, header: tuple[str, ...], rejects: Rejects) -> Iterator[Mapping[str, str | None]]:
    _, first = _header_rows(grid, how)
    body = [row for row in range(first, len(grid.rows)) if any(grid.texts(row))]
    values = [row for row in body if not across(grid.rows[row])]
    numbers = [_of_numbers(grid, values, column) for column in range(grid.width)]
    seen: dict[str, int] = {}
    for row in body:
        place = _own_place(grid.places[row], seen)
        if row not in values:
            rejects.add(place, "one cell across the whole table: a title or a note, no row of values", grid.texts(row)[-1])
            continue
        signs = row_signs(grid.rows[row]) | grid.signs | _over_pages(grid, row, first)
        for column, text in enumerate(grid.texts(row)):
            signs |= signs_of(text, numbers[column])
        texts = [text or None for text in grid.texts(row)]
        beside = (str(grid.number), _page(place, grid), grid.heading or None, f"{confidence(signs):.2f}",
                  _boxes(header, grid.rows[row]), doubt(signs, how.confidence))  # fmt: skip
        yield dict(zip((*header, *BESIDE, "_locator"), (*texts, *beside, place), strict=True))


def _of_numbers(grid: Grid, rows: Sequence[int], column: int) -> bool:
    """Tell whether most cells of a column are numbers."""
    texts = [text for row in rows if (text := grid.texts(row)[column])]
    return sum(map(is_number, texts)) * 2 > len(texts)


def _over_pages(grid: Grid, row: int, first: int) -> set[str]:
    """Doubt the rows on both sides of a page's end where the first cell after it is empty: one row it may be."""
    for broken in (row, row + 1):
        if broken in grid.breaks and first < broken < len(grid.rows) and not grid.texts(broken)[0]:
            return {"pages"}
    return set()


def _own_place(place: str, seen: dict[str, int]) -> str:
    seen[place] = seen.get(place, 0) + 1
    return place if seen[place] == 1 else f"{place} #{seen[place]}"


def _page(place: str, grid: Grid) -> str | None:
    found = re.match(r"page (\d+)", place)
    return found[1] if found else grid.page or None


def _boxes(header: tuple[str, ...], row: Sequence[Cell | None]) -> str | None:
    """Return the box of each cell as JSON, in points from the top left of its page."""
    found: dict[str, Box] = {name: tuple(round(side, 1) for side in cell.box)  # type: ignore[misc]
                             for name, cell in zip(header, row, strict=True) if cell and cell.box}  # fmt: skip
    return json.dumps(found, ensure_ascii=False) if found else None
