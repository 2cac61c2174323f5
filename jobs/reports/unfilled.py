"""What of a template's placeholders is left in a filled Word or Excel file: nothing, or it is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from urllib.parse import unquote

from docx.oxml import parse_xml

from jobs.reports.template import MARK
from schemas.errors import UserError


def check(made: bytes, given: Path, where: str) -> None:
    """Raise UserError where a placeholder of the template file `given` stands in what was made of it.

    What a person writes into a header is filled; into a footnote, a comment, a chart or the address of a link it is not.
    """
    asked = {mark for marks in _marks(given.read_bytes()).values() for mark in marks}
    for part, marks in sorted(_marks(made).items()):
        if left := sorted(marks & asked):
            raise UserError(
                f"the placeholder {left[0]} would be left as it is", where=f"{where}: {part}",
                remedy="it is filled in paragraphs, tables, headers and footers of Word and in cells of Excel: move it",
            )  # fmt: skip


def _marks(content: bytes) -> dict[str, set[str]]:
    """Return what stands in double braces by part of an office file, in its text or in an attribute."""
    found: dict[str, set[str]] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as held:
        for name in held.namelist():
            if not name.endswith((".xml", ".rels")):
                continue
            root = parse_xml(held.read(name))
            texts = ["".join(root.itertext()), *(str(value) for one in root.iter() for value in one.attrib.values())]
            found[name] = {mark[0] for text in texts for mark in MARK.finditer(unquote(text))}
    return found
