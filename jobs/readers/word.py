"""Word: paragraphs and rows of tables as passages, each with its place and the heading above it."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph

from jobs.readers import Read, Request
from jobs.readers.options import options
from jobs.readers.parts import Rejects, write_parts
from jobs.readers.passages import Passage, is_heading, row_text, to_table
from schemas.errors import UserError

COLUMNS = ("heading", "kind", "text")
STYLE = re.compile(r"(heading|标题|title|subtitle|副标题)\s*\d*", re.IGNORECASE)


@dataclass(frozen=True)
class Word:
    """Options of Word."""

    empty_ok: bool = False


def read(request: Request) -> Read:
    """Read passages; `_locator` is `paragraph 12` or `table 2 row 3`, both counted from 1 in the order of the body."""
    began = time.perf_counter()
    given = options(Word, request.options, request.name)
    with Rejects(request.out, request.delivery):
        passages = list(_passages(_open(request.path, request.name)))
        rows = write_parts(request.out, [to_table(passages, COLUMNS, request.delivery)])
    if not rows and not given.empty_ok:
        raise UserError("no paragraph and no table has text", where=request.name)
    return Read(rows, 0, COLUMNS, {}, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say how many passages there are and how the document begins."""
    passages = list(_passages(_open(path, path.name)))
    return {"passages": len(passages), "headings": list(dict.fromkeys(one.heading for one in passages if one.heading))[:20],
            "first_text": [one.text for one in passages[:5]]}  # fmt: skip


def _open(path: Path, where: str) -> Any:
    try:
        return docx.Document(str(path))
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError, SyntaxError) as error:
        raise UserError(f"the document can't be opened: {type(error).__name__} {str(error)[:200]}", where=where,
                        remedy="open it in Word or LibreOffice, save it as .docx, and land it again") from None  # fmt: skip


def _passages(document: Any) -> Iterator[Passage]:
    heading, paragraphs, tables = "", 0, 0
    for one in document.iter_inner_content():
        if isinstance(one, Table):
            tables += 1
            yield from _rows(one, heading, tables)
            continue
        paragraphs += 1
        text = " ".join(one.text.split())
        if text:
            heading = text if _is_heading(one, text) else heading
            yield Passage(heading, "text", text, f"paragraph {paragraphs}")


def _is_heading(one: Paragraph, text: str) -> bool:
    style = one.style.name if one.style else ""
    return bool(STYLE.match(style or "")) or is_heading(text)


def _rows(table: Table, heading: str, number: int) -> Iterator[Passage]:
    for place, row in enumerate(table.rows, 1):
        # A merged cell is given once for every column that it spans; its text counts once.
        cells = [cell.text for at, cell in enumerate(row.cells) if at == 0 or cell._tc is not row.cells[at - 1]._tc]
        text = row_text(list(cells))
        if text.strip(" |"):
            yield Passage(heading, "table", text, f"table {number} row {place}")
