"""PDF: paragraphs and tables as passages, or the rows of chosen tables, each with page, box and the heading above it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jobs.readers import Read, Request, table_rows
from jobs.readers.file import documents
from jobs.readers.options import options
from jobs.readers.parts import Rejects, write_parts
from jobs.readers.passages import Passage, row_text, to_table
from jobs.readers.pdf_pages import fields, has_layer, holds, kind, opened, pictures, wrong_maps
from jobs.readers.pdf_tables import MOST_EDGES, grids, locator
from jobs.readers.pdf_text import paragraphs
from jobs.readers.table_grid import Grid, once
from jobs.readers.table_rows import Choice, How
from schemas.errors import UserError

COLUMNS = ("page", "heading", "kind", "text")
SAYS = {"scanned": "a picture without text: it is to be read by a person, or by recognition of characters",
        "drawn": "letters drawn as outlines: no text can be taken from it",
        "unreadable": "signs without Unicode: its fonts do not say which letters they draw"}  # fmt: skip
PROBED = 30  # pages that `probe` looks for tables on


@dataclass(frozen=True)
class Pdf(How):
    """Options of PDF: `tables` is true (tables are passages), false, or says which tables become rows."""

    tables: bool | dict[str, Any] = True
    empty_ok: bool = False


@dataclass
class _Seen:
    """What was met on the way: pages by their kind, the last heading, the last text."""

    kinds: dict[str, list[str]] = field(default_factory=dict)
    heading: str = ""
    hidden: dict[str, int] = field(default_factory=dict)

    def leave_out(self, page: Any) -> None:
        """Count the signs of a page that nobody sees, and that are left out."""
        for why, number in page.layout.hidden.items():
            told = f"page {page.page_number}: {why}"
            self.hidden[told] = self.hidden.get(told, 0) + number


def read(request: Request) -> Read:
    """Read passages, or rows of tables; `_locator` is `page 3 (x0,y0,x1,y1)` in points from the top left."""
    began = time.perf_counter()
    given = options(Pdf, request.options, request.name)
    seen = _Seen()
    with opened(request.path, request.name) as file, Rejects(request.out, request.delivery) as rejects:
        if isinstance(given.tables, dict):
            columns, rows, more = _rows(file, given, request, rejects, seen)
        else:
            passages = [one for page in file.pages for one in _passages(page, bool(given.tables), seen)]
            columns, more = COLUMNS, {}
            rows = write_parts(request.out, [to_table(passages, COLUMNS, request.delivery)])
        info = {"pages": len(file.pages), **{f"{name}_pages": len(at) for name, at in seen.kinds.items()}, **more,
                "documents": documents(request, None if isinstance(given.tables, dict) else rows)}  # fmt: skip
        info |= ({"holds": found} if (found := holds(file)) else {}) | ({"hidden_signs": seen.hidden} if seen.hidden else {})
    if not rows and not rejects.count and not given.empty_ok:
        raise UserError("no text, no table and no picture on any page", where=request.name, remedy="look at the document")
    return Read(rows, rejects.count, columns, info, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say how many pages and tables there are, what can't be read and why, what the file says of itself, how it begins."""
    options(Pdf, given, path.name)
    seen = _Seen()
    with opened(path, path.name) as file:
        first = (file.pages[0].extract_text() or "")[:500] if file.pages else ""
        found = [grid for page in file.pages[:PROBED] for grid in _tables_of(page, Choice(), path.name, seen)]
        told = {"pages": len(file.pages), "metadata": {name: str(value)[:200] for name, value in file.metadata.items()},
                "found tables": [_told(one) for one in table_rows.numbered(found, How())], "first_text": first}  # fmt: skip
        if told["found tables"]:
            told["rows of a table"] = '--option "tables={numbers: [1]}"'
        told |= {f"{name} pages": f"{', '.join(at)}: {SAYS[name]}" for name, at in seen.kinds.items()}
        told |= {"signs that nobody sees": seen.hidden} if seen.hidden else {}
        return told | ({"holds": ", ".join(extra) + "; none of it is run or opened"} if (extra := holds(file)) else {})


def _told(grid: Grid) -> str:
    size = f"{len(grid.rows)} × {grid.width}"
    return f"{grid.number}: page {grid.page}, {size}, {grid.heading[:60]!r}, {row_text(list(grid.texts(0)))[:100]}"


def _rows(file: Any, given: Pdf, request: Request, rejects: Rejects, seen: _Seen) -> tuple[tuple[str, ...], int, dict[str, Any]]:
    """Write the rows of the chosen tables; pages that can't be read and may hold some of them are set aside."""
    choice = options(Choice, given.tables if isinstance(given.tables, dict) else {}, f"{request.name}, tables")
    table_rows.check(choice, given, request.name)
    wanted = table_rows.pages(choice.pages, request.name)
    found = [grid for page in file.pages if wanted is None or page.page_number in wanted
             for grid in _tables_of(page, choice, request.name, seen)]  # fmt: skip
    for name, numbers in seen.kinds.items():
        for number in numbers:
            rejects.add(f"page {number}", f"page {number} is {name}: {SAYS[name]}", "")
    if not found and seen.kinds:
        told = "; ".join(f"{name}: page {', '.join(numbers)}" for name, numbers in seen.kinds.items())
        raise UserError(f"no table can be read ({told})", where=request.name, remedy="ask for a document with text, not a scan")
    kept = table_rows.chosen(found, choice, given, request.name)
    part, doubted = table_rows.table(kept, given, request.delivery, rejects, request.name)
    columns = tuple(name for name in part.column_names if name not in ("_delivery", "_locator"))
    return columns, write_parts(request.out, [part]), {"tables": len(kept), "doubted_rows": doubted}


def _tables_of(page: Any, choice: Choice, where: str, seen: _Seen) -> list[Grid]:
    """Return the tables of a page with the heading or caption above them, and what stands above and below them."""
    found = grids(page, choice.ruled, where)
    seen.leave_out(page)
    texts = [(text, box, top) for text, box, top in paragraphs(page, [one.box for one in found if one.box])]
    name = kind(page) or ("scanned" if pictures(page) else "")
    if name:
        seen.kinds.setdefault(name, []).append(str(page.page_number))
    extra, wrong = {"ocr"} if has_layer(page) else set(), wrong_maps(page)
    extra |= {"map"} if wrong and any(one["fontname"] in wrong for one in page.chars) else set()
    made = []
    for grid in found:
        top, bottom = (grid.box or (0, 0, 0, 0))[1], (grid.box or (0, 0, 0, 0))[3]
        above = [one for one in texts if one[1][3] <= top + 2 and not _is_folio(one[0])]
        below = [one for one in texts if one[1][1] >= bottom - 2 and not _is_folio(one[0])]
        tables_above = [one for one in found if one is not grid and one.box and one.box[3] <= top + 2]
        tables_below = [one for one in found if one is not grid and one.box and one.box[1] >= bottom - 2]
        headings = [one[0] for one in above if one[2]]
        named = dict.fromkeys([headings[-1] if headings else seen.heading, above[-1][0] if above else ""])
        heading = " / ".join(part[:200] for part in named if part)
        made.append(replace(grid, heading=heading, above=bool(above or tables_above), below=bool(below or tables_below),
                            signs=grid.signs | extra))  # fmt: skip
    seen.heading = next((text for text, _, top in reversed(texts) if top), seen.heading)
    page.close()
    return made


def _is_folio(text: str) -> bool:
    """Tell whether a text is the number of a page."""
    return len(text) < 16 and not any(sign.isalpha() and sign not in "第页共Pageof" for sign in text)


def _passages(page: Any, tables: bool, seen: _Seen) -> Iterator[Passage]:
    """Yield the passages of a page as it is read; a heading names itself as such."""
    number = str(page.page_number)
    seen.leave_out(page)
    for text, box in fields(page):
        yield Passage(seen.heading, "field", text, locator(number, box), number)
    if name := kind(page):
        seen.kinds.setdefault(name, []).append(number)
        yield Passage(seen.heading, name, "", locator(number, (0, 0, page.width, page.height)), number)
        page.close()
        return
    for box in pictures(page):
        seen.kinds.setdefault("scanned", []).append(number)
        yield Passage(seen.heading, "scanned", "", locator(number, box), number)
    # A frame around text has a single cell; it is no table, and its text is read as such.
    tables = tables and len(page.edges) <= MOST_EDGES
    found = [(one.box, once(one)) for one in grids(page, True, "") if len(one.rows) > 1 and one.box] if tables else []
    waiting = [(box, "\n".join(row_text(row) for row in rows)) for box, rows in found]
    for text, box, top in paragraphs(page, [box for box, _ in found]):
        while waiting and waiting[0][0][1] < box[1]:
            yield from _table(waiting.pop(0), seen, number)
        seen.heading = text if top else seen.heading
        if text.strip(" |\n"):
            yield Passage(seen.heading, "text", text, locator(number, box), number)
    for one in waiting:
        yield from _table(one, seen, number)
    page.close()


def _table(one: tuple[Any, str], seen: _Seen, number: str) -> Iterator[Passage]:
    if one[1].strip(" |\n"):
        yield Passage(seen.heading, "table", one[1], locator(number, one[0]), number)
