"""The body of a Word file in its order: paragraphs with text boxes beside, tables as grids, changes as if accepted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from jobs.readers.docx_parts import tag, value
from jobs.readers.pdf_cells import LOWERED, RAISED
from jobs.readers.table_grid import Cell, Grid

AROUND = ("sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo")  # what stands around content without being any
GONE = ("del", "moveFrom", "delText", "instrText", "Fallback")
# Letters that Word keeps as elements.
MARKS = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": ""}
SHIFTED = {"superscript": RAISED, "subscript": LOWERED}
STRUCK = ("vanish", "strike", "dstrike")
MOST_COLUMNS = 1000


@dataclass
class Text:
    """Text of a paragraph, with the paragraphs of text boxes that hang on it, and what makes it doubtful."""

    text: str = ""
    boxes: list[str] = field(default_factory=list)
    signs: set[str] = field(default_factory=set)
    shifted: bool = False


def wear(body: Any, looks: Mapping[str, Sequence[Any]]) -> None:
    """Give every run the marks of its style that it does not have itself."""
    for mark in [one for one in body.iter() if tag(one) == "rStyle" and looks.get(value(one))]:
        own = {tag(one) for one in mark.getparent()}
        mark.getparent().extend([deepcopy(one) for one in looks[value(mark)] if tag(one) not in own])


def content(parent: Any) -> Iterator[Any]:
    """Yield paragraphs and tables below an element in their order, through what stands around them."""
    for one in parent:
        if tag(one) in ("p", "tbl"):
            yield one
        elif tag(one) in AROUND:
            yield from content(one)


def paragraph(one: Any, *, shifted: bool = False) -> Text:
    """Return the text of a paragraph as it stands once every change is accepted; a footnote leaves its number in brackets.

    With `shifted` raised and lowered figures stay such; in running text CO₂ is looked for as CO2.
    """
    found = Text(shifted=shifted)
    pieces: list[str] = []
    _walk(one, found, pieces)
    found.text = " ".join("".join(pieces).split())
    return found


def _walk(one: Any, found: Text, pieces: list[str], shift: Mapping[int, Any] = MappingProxyType({})) -> None:
    for child in one:
        kind = tag(child)
        if kind in ("ins", "del", "moveFrom", "moveTo"):
            found.signs.add("tracked")
        if kind in GONE:
            continue
        if kind == "t":
            pieces.append((child.text or "").translate(shift))
        elif kind in MARKS:
            pieces.append(MARKS[kind])
        elif kind in ("footnoteReference", "endnoteReference"):
            pieces.append(f"[{value(child, 'id')}]")
        elif kind == "sym":
            pieces.append(_symbol(value(child, "char")))
        elif kind == "txbxContent":
            inner = [paragraph(p) for p in content(child) if tag(p) == "p"]
            found.boxes += [text for part in inner for text in (part.text, *part.boxes) if text]
        elif len(child) and kind not in ("pPr", "rPr"):
            _walk(child, found, pieces, _shift(child, found) if kind == "r" else shift)


def _shift(run: Any, found: Text) -> Mapping[int, Any]:
    """Return what raised or lowered figures of a run become, so that 12³ is not 123; note text that is struck or hidden."""
    given = {tag(mark): value(mark) for part in run if tag(part) == "rPr" for mark in part}
    if any(given.get(name, "0") not in ("0", "false", "off") for name in STRUCK):
        found.signs.add("struck")
    return SHIFTED.get(given.get("vertAlign", ""), {}) if found.shifted else {}


def _symbol(code: str) -> str:
    """Return a sign of a symbol font by its number, as it stands: those above F000 are private to the font."""
    try:
        return chr(int(code, 16))
    except ValueError:
        return ""


def style(one: Any) -> str:
    """Return the id of a paragraph's style."""
    marks = [child for part in one if tag(part) == "pPr" for child in part if tag(child) == "pStyle"]
    return value(marks[0]) if marks else ""


def grids(table: Any, number: str) -> Iterator[Grid]:
    """Yield a table and the tables in its cells, which count on as 2.1; merged cells stand in every place they span."""
    rows: list[list[Cell | None]] = []
    nested: list[Any] = []
    for at, row in enumerate(_rows(table)):
        line, inner = _row(row, at, rows[-1] if rows else [])
        rows.append(line)
        nested += inner
    width = max((len(row) for row in rows), default=0)
    filled = [row + [None] * (width - len(row)) for row in rows]
    yield Grid(_whole(filled), [f"table {number} row {at}" for at in range(1, len(rows) + 1)])
    for at, one in enumerate(nested, 1):
        yield from grids(one, f"{number}.{at}")


def _rows(parent: Any) -> Iterator[Any]:
    for one in parent:
        if tag(one) == "tr" and not any(tag(mark) == "del" for part in one if tag(part) == "trPr" for mark in part):
            yield one
        elif tag(one) in AROUND:
            yield from _rows(one)


def _row(row: Any, at: int, above: list[Cell | None]) -> tuple[list[Cell | None], list[Any]]:
    marks = {tag(mark): value(mark) for part in row if tag(part) == "trPr" for mark in part}
    line: list[Cell | None] = [None] * min(_count(marks.get("gridBefore", "0"), 0), MOST_COLUMNS)
    nested: list[Any] = []
    for cell in _cells(row):
        given = {tag(mark): value(mark) for part in cell if tag(part) == "tcPr" for mark in part}
        begin, span = len(line), min(_count(given.get("gridSpan", "1"), 1), MOST_COLUMNS)
        upper = above[begin] if begin < len(above) else None
        if "vMerge" in given and given["vMerge"] != "restart" and upper:
            line += [upper] * span
            continue
        inner = list(content(cell))
        nested += [one for one in inner if tag(one) == "tbl"]
        line += [_cell(inner, at, begin, span, "ins" in marks)] * span
    return line, nested


def _cells(parent: Any) -> Iterator[Any]:
    for one in parent:
        if tag(one) == "tc":
            yield one
        elif tag(one) in AROUND:
            yield from _cells(one)


def _cell(inner: list[Any], row: int, begin: int, span: int, added: bool) -> Cell:
    texts = [paragraph(one, shifted=True) for one in inner if tag(one) == "p"]
    signs = {sign for text in texts for sign in text.signs} | ({"tracked"} if added else set())
    signs |= {"nested"} if any(tag(one) == "tbl" for one in inner) else set()
    text = " ".join(piece for found in texts for piece in (found.text, *found.boxes) if piece)
    return Cell(text, (row, row + 1), (begin, begin + span), signs=frozenset(signs))


def _count(text: str, least: int) -> int:
    return max(int(text), least) if text.isdigit() else least


def _whole(rows: list[list[Cell | None]]) -> list[list[Cell | None]]:
    """Give cells that go on downwards the rows that they span."""
    last = {id(cell): at for at, row in enumerate(rows) for cell in row if cell}
    made: dict[int, Cell] = {}
    for row in rows:
        for cell in row:
            if cell and id(cell) not in made:
                made[id(cell)] = Cell(cell.text, (cell.rows[0], last[id(cell)] + 1), cell.columns, None, (), cell.signs)
    return [[made[id(cell)] if cell else None for cell in row] for row in rows]
