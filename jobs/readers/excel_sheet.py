"""What the XML of a sheet tells beside its values: errors, formulas, long numbers, what is hidden."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape
from xml.etree import ElementTree

from jobs.readers.cells import column_of
from jobs.readers.excel_package import CUT
from schemas.errors import UserError

Place = tuple[int, int]  # row and column, 0-based
YES = ("1", "true")
NEAR = 1 << 16  # bytes between the beginning of a cell and its formula at most; Excel allows 8,192 letters
LONG = 16  # digits of a whole number that a double may not tell apart from its neighbours
ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
TAG = re.compile(rb"<(?:\w+:)?(row|col)(\s[^>]*)>")


@dataclass(frozen=True)
class Formula:
    """The text of a formula; one that shares the text of another has its place in `like`."""

    text: str
    like: Place | None = None


@dataclass(frozen=True)
class Sheet:
    """What values alone do not tell. `exact` are whole numbers with all their digits."""

    errors: dict[Place, str] = field(default_factory=dict)
    unsaved: tuple[Place, ...] = ()
    formulas: dict[Place, Formula] = field(default_factory=dict)
    exact: dict[Place, str] = field(default_factory=dict)
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    merged: tuple[tuple[Place, Place], ...] = ()
    texts: dict[Place, str] = field(default_factory=dict)  # of .xls before Excel 97, in their own code page


@dataclass(frozen=True)
class _Cell:
    place: Place
    kind: str
    value: str
    formula: str | None
    shared: str | None


def structure(data: bytes, where: str) -> Sheet:
    """Read what the XML of a worksheet tells; raise UserError where it is no XML."""
    try:
        cells = list(_marked(data))
        rows, columns = _hidden(data)
    except (ElementTree.ParseError, ValueError) as error:
        raise UserError(f"the sheet is no XML as the format wants it: {error}", where=where, remedy=CUT) from None
    masters = {one.shared: one.place for one in cells if one.shared and one.formula}
    formulas = {one.place: Formula(one.formula or "", None if one.formula else masters.get(one.shared or ""))
                for one in cells if one.formula is not None}  # fmt: skip
    return Sheet(
        errors={one.place: one.value or "error" for one in cells if one.kind == "e"},
        unsaved=tuple(one.place for one in cells if one.formula is not None and not one.value and one.kind != "str"),
        formulas=formulas, hidden_rows=rows, hidden_columns=columns,
    )  # fmt: skip


def long_numbers(data: bytes) -> dict[Place, str]:
    """Return the whole numbers that a double does not hold, digit by digit."""
    return {one.place: one.value for one in _parsed(data) if one.kind in ("", "n") and _long(one.value)}


def numbers(data: bytes, places: Iterable[Place]) -> dict[Place, float]:
    """Return the numbers that stand behind what is shown as dates in some cells."""
    wanted = set(places)
    found = {}
    for one in _parsed(data) if wanted else ():
        if one.place in wanted and one.kind in ("", "n"):
            found[one.place] = float(one.value)
    return found


def _long(value: str) -> bool:
    return re.fullmatch(r"-?\d+", value) is not None and len(value) >= LONG and f"{float(value):.0f}" != value


def _marked(data: bytes) -> list[_Cell]:
    """Return the cells with a formula or an error; the raw bytes tell where they are, far cheaper than parsing them all."""
    prefix = _prefix(data)
    open_, close, formula = b"<" + prefix + b"c ", b"</" + prefix + b"c>", b"<" + prefix + b"f"
    kinds = (b't="e"', b"t='e'") if b"r='" in data[: 1 << 16] else (b't="e"',)
    marks = sorted({place for mark in (formula, *kinds) for place in _places(data, mark)
                    if mark != formula or data[place + len(formula) : place + len(formula) + 1] in b"> /\t\r\n"})  # fmt: skip
    begins = {data.rfind(open_, max(0, place - NEAR), place): place for place in marks}
    cells = []
    try:
        if begins and (b"<!" in data or any(at < 0 or data.find(close, at, place) >= 0 for at, place in begins.items())):
            raise ValueError("comments, or cells without attributes")
        for at in begins:
            head, _, rest = data[at + len(open_) : data.find(close, at)].partition(b">")
            cells.append(_cell(head.decode(), "" if head.endswith(b"/") else rest.decode(), prefix.decode()))
    except ValueError:  # anything unusual in the text, and it is parsed as any XML is
        cells = list(_parsed(data))
    return [one for one in cells if one.formula is not None or one.kind == "e"]


def _prefix(data: bytes) -> bytes:
    found = re.search(rb"<(?:(\w+):)?worksheet\b", data[: 1 << 16])
    return found[1] + b":" if found and found[1] else b""


def _places(data: bytes, mark: bytes) -> Iterator[int]:
    at = data.find(mark)
    while at >= 0:
        yield at
        at = data.find(mark, at + 1)


def _cell(head: str, body: str, prefix: str) -> _Cell:
    attributes = {name: two or three for name, two, three in ATTRIBUTE.findall(head)}
    if "r" not in attributes:
        raise ValueError("a cell with a formula does not say where it is")
    value = re.search(rf"<{prefix}v(?:\s[^>]*)?>([^<]*)<", body) or re.search(rf"<{prefix}t(?:\s[^>]*)?>([^<]*)<", body)
    formula = re.search(rf"<{prefix}f((?:\s[^>]*?)?)(?:/>|>([^<]*)<)", body)
    of = {name: two or three for name, two, three in ATTRIBUTE.findall(formula[1])} if formula else {}
    return _Cell(place_of(attributes["r"]), attributes.get("t", ""), unescape(value[1]) if value else "",
                 unescape(formula[2] or "") if formula else None, _shared(of))  # fmt: skip


def _shared(attributes: dict[str, str]) -> str | None:
    return attributes.get("si") if attributes.get("t") == "shared" else None


def place_of(text: str) -> Place:
    """Return row and column of an address such as B7; raise ValueError if it is none."""
    found = re.fullmatch(r"([A-Za-z]{1,3})([1-9]\d{0,6})", text)
    if not found:
        raise ValueError(f"{text!r} is no cell")
    return int(found[2]) - 1, column_of(found[1])


def _parsed(data: bytes) -> Iterator[_Cell]:
    """Yield every cell that has a value or a formula; a place that is not said is the next one (ECMA-376-1, 18.3.1.4)."""
    row, column = -1, -1
    for event, one in ElementTree.iterparse(io.BytesIO(data), events=("start", "end")):
        name = one.tag.rpartition("}")[2]
        if event == "start" and name == "row":
            row, column = int(one.get("r", row + 2)) - 1, -1
        elif event == "end" and name == "c":
            row, column = place_of(one.get("r", "")) if one.get("r") else (row, column + 1)
            kids = {kid.tag.rpartition("}")[2]: kid for kid in one}
            value = "".join(kids["v"].itertext()) if "v" in kids else "".join(kids["is"].itertext()) if "is" in kids else ""
            formula = kids.get("f")
            if value or formula is not None:
                yield _Cell((row, column), one.get("t", ""), value, None if formula is None else formula.text or "",
                            None if formula is None else _shared(dict(formula.attrib)))  # fmt: skip
        elif event == "end" and name == "row":
            one.clear()


def _hidden(data: bytes) -> tuple[frozenset[int], frozenset[int]]:
    """Return the rows and columns that are not shown, filtered ones included."""
    tags = {data.rfind(b"<", 0, place) for place in _places(data, b"hidden")}
    told = all(
        found is None or re.search(rb"^<(?:\w+:)?col|\sr\s*=", found[0]) for found in (TAG.match(data, tag) for tag in tags)
    )
    rows, columns, row = set[int](), set[int](), -1
    for found in (TAG.match(data, tag) for tag in sorted(tags) if tag >= 0) if told else TAG.finditer(data):
        if not found:
            continue
        said = {name: two or three for name, two, three in ATTRIBUTE.findall(found[2].decode("utf-8", "replace"))}
        if found[1] == b"row":
            row = int(said.get("r", row + 2)) - 1
            if said.get("hidden") in YES:
                rows.add(row)
        elif said.get("hidden") in YES:
            columns |= set(range(int(said["min"]) - 1, min(int(said["max"]), 1 << 14)))
    return frozenset(rows), frozenset(columns)
