"""A page of HTML as tables of texts: spans of rows and columns resolved as the HTML standard lays down.

Algorithm: HTML Living Standard, 4.9.12.1 "Forming a table"; text is what is seen: scripts, styles and hidden cells are none.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree, html

from jobs.readers.encodings import BOMS, canonical, fitting
from jobs.readers.text import opened
from schemas.errors import UserError

LARGEST = 128 << 20
META = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([\w:.-]+)""", re.IGNORECASE)
# What the end of a table is not looked for in.
ASIDE = re.compile(r"<!--.*?(-->|$)|<(script|style|template|textarea)\b.*?(</\2\s*>|$)", re.IGNORECASE | re.DOTALL)
HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
SPAN = 1000  # the standard's limit of colspan
CELLS = 5_000_000
ACROSS = "one cell across the row"
FOOT = "a row of the foot, which sums up its columns"  # HTML Living Standard, 4.9.7
UNSEEN = ("script", "style", "template", "noscript")
BREAKS = ("br", "p", "div", "li", "tr")
# What a page may say of itself (Encoding Standard, 4.2); other codecs of Python are no encodings of pages.
OF_PAGES = re.compile(
    r"utf-8|gb18030|gbk|gb2312|big5(hkscs)?|euc[_-](jp|kr)|shift_jis|cp(932|949|125\d|866|874)|iso8859-\d+|koi8-[ru]|ascii"
)
# Pages that say Latin-1 are read as Windows-1252 (Encoding Standard, 4.2).
AS_BROWSERS = {"iso8859-1": "cp1252", "ascii": "cp1252"}


@dataclass
class Row:
    """The texts of one row, and what is wrong with it: hidden, one cell across it, two cells that want one place."""

    cells: list[str | None]
    wrong: str = ""


@dataclass
class Table:
    """One table of a page: its number from 1, its id and caption, its rows, how many of them are the header."""

    number: int
    id: str
    caption: str
    rows: list[Row] = field(default_factory=list)
    header: int = 0

    @property
    def width(self) -> int:
        """The cells of its widest row."""
        return max((len(row.cells) for row in self.rows), default=0)


def tables(path: Path, encoding: str | None, where: str) -> list[Table]:
    """Return the tables of a page that hold rows, those in other tables after these. Raise UserError where it is none."""
    with opened(path, "utf-8", where) as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise UserError(f"a page of more than {LARGEST >> 20} MB", where=where, remedy="ask for the table as CSV")
    text = _text(data, encoding, where)
    if re.search(r"<frameset\b", text, re.IGNORECASE):
        raise UserError("the page is a set of frames, which are not fetched", where=where, remedy="save the frame with the table")
    plain = ASIDE.sub("", text)
    if len(re.findall(r"<table\b", plain, re.IGNORECASE)) > len(re.findall(r"</table\s*>", plain, re.IGNORECASE)):
        raise UserError("the page is cut off: a table has no end", where=where, remedy="ask for the delivery again")
    # Names of encodings in it are of no meaning any more; the library must not follow them.
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True, remove_comments=True, remove_pis=True)
    root = etree.fromstring(text.encode("utf-8", "surrogatepass"), parser)
    found = [] if root is None else [_table(one, number, where) for number, one in enumerate(root.iter("table"), 1)]
    return [one for one in found if one.rows]


def _text(data: bytes, encoding: str | None, where: str) -> str:
    """Return the page as text: by the option, its mark, its meta element, or UTF-8; never by a guess."""
    mark = next((name for bom, name in BOMS.items() if data.startswith(bom)), None)
    said = META.search(data[:4096])
    meta = said[1].decode("ascii", "replace").lower() if said else ""
    name = encoding or mark or ("utf-8" if meta.startswith("utf-16") else meta) or "utf-8"
    codec = codecs.lookup(canonical(name, where)).name
    if not encoding and not mark and not OF_PAGES.fullmatch(codec):
        raise UserError(
            f"the page says that it is {name!r}, which no page is in", where=where, remedy="set the option `encoding`"
        )
    try:
        text = data.decode(codec if encoding else AS_BROWSERS.get(codec, codec))
    except UnicodeDecodeError as error:
        how = "the option says" if encoding else "the page says" if mark or meta else "a page that says nothing is"
        raise UserError(f"the bytes are not {name}, as {how}: {error.reason} at byte {error.start}", where=where,
                        remedy=f"set the option `encoding: {fitting(data)}`") from None  # fmt: skip
    if "\0" in text:
        raise UserError("the page holds bytes of zero", where=where, remedy="it is damaged; ask for the delivery again")
    return text.removeprefix("\ufeff")


def _table(element: Any, number: int, where: str) -> Table:
    caption = next((_seen(one) or "" for one in element.iterchildren("caption")), "")
    found = Table(number, element.get("id", ""), caption)
    sections = _sections(element)
    for kind, rows in sections:
        grid = _grid(rows, f"{where}, table {number}")
        if kind == "thead" and found.header == len(found.rows):
            found.header += len(grid)
        found.rows += [Row(row.cells, row.wrong or FOOT) for row in grid] if kind == "tfoot" else grid
    if not found.header:
        flat = [row for _, rows in sections for row in rows]
        heads = next((at for at, row in enumerate(flat) if any(cell.tag != "th" for cell in _cells(row))), len(flat))
        found.header = heads if heads < max(2, len(flat)) else 0
    return found


def _sections(element: Any) -> list[tuple[str, list[Any]]]:
    """Return the rows of a table by its sections, `tfoot` last; cells do not span from one to the next."""
    found: list[tuple[str, list[Any]]] = []
    for child in element.iterchildren():
        if child.tag == "tr":
            if not found or found[-1][0] != "":
                found.append(("", []))
            found[-1][1].append(child)
        elif child.tag in ("thead", "tbody", "tfoot"):
            found.append((child.tag, list(child.iterchildren("tr"))))
    return sorted(found, key=lambda one: {"thead": 0, "tfoot": 2}.get(one[0], 1))


def _cells(row: Any) -> list[Any]:
    return [cell for cell in row.iterchildren() if cell.tag in ("td", "th")]


def _grid(rows: list[Any], where: str) -> list[Row]:
    """Return the rows of a section, each cell in every place that it spans."""
    found: list[Row] = []
    total = 0
    down: dict[int, tuple[int, str | None]] = {}  # column → rows that a cell from above still takes, and its text
    for place, row in enumerate(rows):
        taken: dict[int, str | None] = {at: text for at, (_, text) in down.items()}
        left = {at: (rest - 1, text) for at, (rest, text) in down.items() if rest > 1}
        at, clash, cells = 0, False, _cells(row)
        for cell in cells:
            while at in taken:
                at += 1
            wide, tall = _span(cell, "colspan", 1), _span(cell, "rowspan", len(rows) - place)
            tall = min(tall, len(rows) - place)
            text = _seen(cell)
            for column in range(at, at + wide):
                clash |= column in taken
                taken[column] = text
                if tall > 1:
                    left[column] = (tall - 1, text)
            at += wide
        width = max(taken, default=-1) + 1
        if (total := total + width) > CELLS:
            raise UserError(f"more than {CELLS:,} cells", where=where, remedy="ask for the table as CSV")
        across = len(cells) == 1 and width > 1 and not down
        within = any(cell.find(".//table") is not None and not _seen(cell) for cell in cells)
        wrong = "two cells want the same place" if clash else ACROSS if across else ""
        wrong = wrong or ("a cell holds nothing but a table of its own" if within else "")
        found.append(Row([taken.get(column) for column in range(width)], wrong or ("a hidden row" if _hidden(row) else "")))
        down = left
    return found


def _span(cell: Any, name: str, of_zero: int) -> int:
    """Return a span; nothing or nonsense is 1, and zero rows are all that are left."""
    digits = re.match(r"\s*(\d{1,9})", cell.get(name) or "")
    number = int(digits[1]) if digits else 1
    return min(number, SPAN if name == "colspan" else 65_534) or of_zero


def _seen(element: Any) -> str | None:
    """Return the text of a cell as it is seen: blanks as one, tables in it apart, nothing for none."""
    parts: list[str] = []
    _gather(element, parts)
    return " ".join("".join(parts).replace("\xa0", " ").split()) or None


def _gather(element: Any, parts: list[str]) -> None:
    parts.append(element.text or "")
    for child in element.iterchildren():
        if isinstance(child.tag, str) and child.tag not in (*UNSEEN, "table") and not _hidden(child):
            parts.append(_between(child.tag, parts))
            _gather(child, parts)
            parts.append(" " if child.tag in BREAKS else "")
        parts.append(child.tail or "")


def _between(tag: str, parts: list[str]) -> str:
    """Return what stands before an element: 10 with a 6 above is not 106, nor is 12 with a note 3 below 123."""
    before = "".join(parts[-3:])[-1:]
    if tag == "sup" and before.strip():
        return "^"
    return "_" if tag == "sub" and before.isdigit() else " " if tag in BREAKS else ""


def _hidden(element: Any) -> bool:
    return "hidden" in element.attrib or bool(HIDDEN.search(element.get("style") or ""))
