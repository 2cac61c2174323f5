"""PDF: paragraphs and tables as passages, each with page, box and the heading above it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pdfplumber
from pdfminer.pdfdocument import PDFPasswordIncorrect

from jobs.readers import Read, Request
from jobs.readers.options import options
from jobs.readers.parts import Rejects, write_parts
from jobs.readers.passages import Passage, is_heading, row_text, to_table
from schemas.errors import UserError

COLUMNS = ("page", "heading", "kind", "text")
# A heading is set larger than the body; a paragraph ends where the gap to the next line is wider than usual, or
# where a line stops short of the right margin.
LARGER, GAP, SHORT, LONGEST_TITLE = 1.15, 1.4, 0.9, 80
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Pdf:
    """Options of PDF."""

    tables: bool = True
    empty_ok: bool = False


@dataclass
class _Line:
    text: str
    box: Box
    size: float


def read(request: Request) -> Read:
    """Read passages; `_locator` is `page 3 (x0,y0,x1,y1)` in points from the top left; a scan is kind `scanned`."""
    began = time.perf_counter()
    given = options(Pdf, request.options, request.name)
    with _opened(request.path, request.name) as file, Rejects(request.out, request.delivery):
        pages = len(file.pages)
        passages = list(_passages(file, given))
        rows = write_parts(request.out, [to_table(passages, COLUMNS, request.delivery)])
    if not rows and not given.empty_ok:
        raise UserError("no text, no table and no picture on any page", where=request.name)
    scanned = sum(one.kind == "scanned" for one in passages)
    return Read(rows, 0, COLUMNS, {"pages": pages, "scanned_pages": scanned}, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say how many pages there are, what the file says of itself, and how the first page begins."""
    with _opened(path, path.name) as file:
        first = (file.pages[0].extract_text() or "")[:500] if file.pages else ""
        return {"pages": len(file.pages), "metadata": {k: str(v) for k, v in file.metadata.items()}, "first_text": first}


@contextmanager
def _opened(path: Path, where: str) -> Iterator[Any]:
    """Open a file; passwords and whatever the library makes of a damaged one become UserError."""
    try:
        with pdfplumber.open(path) as file:
            yield file
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001
        # pdfminer lets any exception through from damaged objects, and pdfplumber wraps those of opening.
        causes = (error, error.__cause__, error.__context__, *error.args)
        if any(isinstance(one, PDFPasswordIncorrect) for one in causes):
            raise UserError("the document is under a password", where=where, remedy="ask for one without") from None
        raise UserError(f"the document is damaged: {type(error).__name__} {str(error)[:200]}", where=where,
                        remedy="ask for the delivery again") from None  # fmt: skip


def _passages(file: Any, given: Pdf) -> Iterator[Passage]:
    heading = ""
    for page in file.pages:
        for one in _of_page(page, given):
            if one.heading:
                heading = one.text
            yield Passage(heading, one.kind, one.text, one.locator, one.page)
        page.close()


def _of_page(page: Any, given: Pdf) -> Iterator[Passage]:
    """Yield the passages of a page from top to bottom; a passage that is a heading names itself as such."""
    number = str(page.page_number)
    if not page.chars:
        if page.images:
            yield Passage("", "scanned", "", _locator(number, (0, 0, page.width, page.height)), number)
        return
    # A frame around text has a single cell; it is no table, and its text is read as such.
    tables = [one for one in page.find_tables() if len(one.rows) > 1 and len(one.columns) > 1] if given.tables else []
    boxes = [one.bbox for one in tables]
    found = [(one.bbox, "table", "\n".join(row_text(row) for row in one.extract()), False) for one in tables]
    found += [(box, "text", text, top) for text, box, top in _paragraphs(_lines(page, boxes))]
    for box, kind, text, top in sorted(found, key=lambda one: (one[0][1], one[0][0])):
        if text.strip(" |\n"):
            yield Passage(text if top else "", kind, text, _locator(number, box), number)


def _locator(number: str, box: Box) -> str:
    return f"page {number} ({','.join(f'{side:.0f}' for side in box)})"


def _lines(page: Any, boxes: list[Box]) -> list[_Line]:
    """Return the lines outside of tables."""
    outside = page.filter(lambda one: not any(_inside(one, box) for box in boxes)) if boxes else page
    return [
        _Line(" ".join(one["text"].split()), (one["x0"], one["top"], one["x1"], one["bottom"]),
              median(char["size"] for char in one["chars"]))
        for one in outside.extract_text_lines(return_chars=True) if one["text"].strip()
    ]  # fmt: skip


def _inside(one: Mapping[str, Any], box: Box) -> bool:
    x, y = (one["x0"] + one["x1"]) / 2, (one["top"] + one["bottom"]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _paragraphs(lines: list[_Line]) -> Iterator[tuple[str, Box, bool]]:
    """Join lines into paragraphs; a heading stands alone."""
    if not lines:
        return
    body = median(one.size for one in lines)
    right = max(one.box[2] for one in lines)
    # From line to line, of pairs that are lines of one column.
    pitch = median([b.box[1] - a.box[1] for a, b in pairwise(lines) if b.box[1] > a.box[1]] or [0.0])
    open_, open_level = [lines[0]], _level(lines[0], body)
    for one in lines[1:]:
        level = _level(one, body)
        # A title may run over several lines; a numbered heading is one line.
        goes_on = level == open_level and level != "numbered" and not _ends(open_[-1], one, pitch, right, level == "title")
        if goes_on:
            open_.append(one)
        else:
            yield _joined(open_, bool(open_level))
            open_, open_level = [one], level
    yield _joined(open_, bool(open_level))


def _level(one: _Line, body: float) -> str:
    """Say whether a line is a heading: `numbered`, a `title` by its size, or body ("")."""
    if is_heading(one.text):
        return "numbered"
    return "title" if one.size > LARGER * body and len(one.text) < LONGEST_TITLE else ""


def _ends(before: _Line, after: _Line, pitch: float, right: float, centred: bool) -> bool:
    """Tell whether a paragraph ends with a line: a wide gap follows, or it stops short of the right margin."""
    wide = after.box[1] - before.box[1] > GAP * pitch
    return wide or (not centred and before.box[2] < SHORT * right)


def _joined(lines: list[_Line], top: bool) -> tuple[str, Box, bool]:
    """Join with a blank only between words of scripts that have them; a number may break at any digit."""
    text = lines[0].text
    for one in lines[1:]:
        ends = text[-1:] + one.text[:1]
        text += (" " if ends.isascii() and not ends.isdigit() else "") + one.text
    x0, y0, x1, y1 = zip(*(one.box for one in lines), strict=True)
    return text, (min(x0), min(y0), max(x1), max(y1)), top
