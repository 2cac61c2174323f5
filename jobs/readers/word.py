"""Word: paragraphs and rows of tables as passages, or the rows of chosen tables, each with its place and heading."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jobs.readers import Read, Request, table_rows
from jobs.readers.docx_body import content, grids, paragraph, style, wear
from jobs.readers.docx_parts import BODY, holds, looks, opened, part, parts, styles, tag, value
from jobs.readers.file import documents
from jobs.readers.options import options
from jobs.readers.parts import Rejects, write_parts
from jobs.readers.passages import Passage, is_heading, row_text, to_table
from jobs.readers.table_grid import Cell, Grid
from jobs.readers.table_rows import Choice, How
from schemas.errors import UserError

COLUMNS = ("heading", "kind", "text")
STYLE = re.compile(r"(heading|标题|title|subtitle|副标题)\s*\d*", re.IGNORECASE)


@dataclass(frozen=True)
class Word(How):
    """Options of Word: `tables` is true (rows of tables are passages), false, or says which tables become rows."""

    tables: bool | dict[str, Any] = True
    empty_ok: bool = False


def read(request: Request) -> Read:
    """Read passages, or rows of tables; `_locator` is `paragraph 12` or `table 2 row 3`, counted from 1 in the body."""
    began = time.perf_counter()
    given = options(Word, request.options, request.name)
    with opened(request.path, request.name) as archive, Rejects(request.out, request.delivery) as rejects:
        info: dict[str, Any] = {"holds": found} if (found := holds(archive)) else {}
        pieces = list(_pieces(archive, request.name))
        if isinstance(given.tables, dict):
            return _table_rows(pieces, given, request, rejects, info | {"documents": documents(request)}, began)
        passages = [one for piece in pieces for one in _passages(piece, bool(given.tables))]
        rows = write_parts(request.out, [to_table(passages, COLUMNS, request.delivery)])
    if not rows and not given.empty_ok:
        raise UserError("no paragraph and no table has text", where=request.name, remedy="look at the document")
    return Read(rows, 0, COLUMNS, info | {"documents": documents(request, rows)}, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say how many passages and tables there are, and how the document begins."""
    options(Word, given, path.name)
    with opened(path, path.name) as archive:
        pieces = list(_pieces(archive, path.name))
        passages = [one for piece in pieces for one in _passages(piece, True)]
        found = [one for one in pieces if isinstance(one, Grid)]
        tables = [_told(one) for one in table_rows.numbered(found, How())]
        told: dict[str, Any] = {
            "passages": len(passages), "found tables": tables, "first_text": [one.text for one in passages[:5]],
            "headings": list(dict.fromkeys(one.heading for one in passages if one.heading))[:20],
        }  # fmt: skip
        if tables:
            told["rows of a table"] = '--option "tables={numbers: [1]}"'
        return told | ({"holds": ", ".join(extra) + "; none of it is run or opened"} if (extra := holds(archive)) else {})


def _told(grid: Grid) -> str:
    place, size = grid.places[0].removesuffix(" row 1"), f"{len(grid.rows)} × {grid.width}"
    return f"{grid.number}: {place}, {size}, {grid.heading[:60]!r}, {row_text(list(grid.texts(0)))[:100]}"


def _table_rows(
    pieces: list[Passage | Grid], given: Word, request: Request, rejects: Rejects, info: dict[str, Any], began: float
) -> Read:  # fmt: skip
    choice = options(Choice, given.tables if isinstance(given.tables, dict) else {}, f"{request.name}, tables")
    if choice.pages is not None or not choice.ruled:
        raise UserError("option 'tables': `pages` and `ruled` are for PDF", where=request.name,
                        remedy="choose by numbers, heading or header")  # fmt: skip
    table_rows.check(choice, given, request.name)
    kept = table_rows.chosen([one for one in pieces if isinstance(one, Grid)], choice, given, request.name)
    found, doubted = table_rows.table(kept, given, request.delivery, rejects, request.name)
    columns = tuple(name for name in found.column_names if name not in ("_delivery", "_locator"))
    rows = write_parts(request.out, [found])
    return Read(rows, rejects.count, columns, {**info, "tables": len(kept), "doubted_rows": doubted}, time.perf_counter() - began)


def _pieces(archive: zipfile.ZipFile, where: str) -> Iterator[Passage | Grid]:
    """Yield paragraphs and tables of the body in order, then notes, headers and footers."""
    names = styles(archive, where)
    bodies = [one for one in part(archive, BODY, where) if tag(one) == "body"]
    for one in bodies:
        wear(one, looks(archive, where))
    heading, paragraphs, tables, number = "", 0, 0, 0
    for one in (piece for body in bodies for piece in content(body)):
        if tag(one) == "tbl":
            tables += 1
            for grid in grids(one, str(tables)):
                number += 1
                yield replace(grid, heading=heading, number=number)
            continue
        paragraphs += 1
        found = paragraph(one)
        if found.text:
            heading = found.text if STYLE.match(names.get(style(one), "")) or is_heading(found.text) else heading
            yield Passage(heading, "text", found.text, f"paragraph {paragraphs}")
        for at, text in enumerate(found.boxes, 1):
            yield Passage(heading, "textbox", text, f"paragraph {paragraphs} box {at}")
    for kind in ("footnotes", "endnotes", "header", "footer"):
        yield from _beside(archive, kind, where)


def _beside(archive: zipfile.ZipFile, kind: str, where: str) -> Iterator[Passage]:
    """Yield the notes by their numbers, the headers and footers by the names of their parts."""
    single = kind.removesuffix("s")
    for name, root in parts(archive, kind, where):
        notes = kind != single
        for one in [note for note in root if tag(note) == single and not value(note, "type")] if notes else [root]:
            texts = [paragraph(piece) for piece in content(one) if tag(piece) == "p"]
            text = " ".join(piece for found in texts for piece in (found.text, *found.boxes) if piece)
            if text:
                yield Passage("", single, text, f"{single} {value(one, 'id')}" if notes else name)


def _passages(piece: Passage | Grid, tables: bool) -> Iterator[Passage]:
    if isinstance(piece, Passage):
        yield piece
        return
    for row, place in zip(piece.rows if tables else [], piece.places, strict=False):
        # A merged cell stands in every column that it spans; its text counts once.
        cells: list[Cell | None] = [cell for at, cell in enumerate(row) if at == 0 or cell is None or cell is not row[at - 1]]
        text = row_text([cell.text if cell else "" for cell in cells])
        if text.strip(" |"):
            yield Passage(piece.heading, "table", text, place)
