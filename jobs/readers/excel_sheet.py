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
LONG = 16  # digits of a whole number that a double may not tell apart from its neighbours
ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
# What makes a cell worth a look: a formula, an error, a whole number too long for a double.
LONG_NUMBER = re.compile(rb"v>-?\d{%d,}<" % LONG)


@dataclass(frozen=True)
class Formula:
    """The text of a formula; one that shares the text of another has its place in `like`."""

    text: str
    like: Place | None = None


@dataclass(frozen=True)
class Sheet:
    """What values alone do not tell. `covered` are cells that a merge hides, `doubtful` those that are no date."""

    errors: dict[Place, str] = field(default_factory=dict)
    unsaved: tuple[Place, ...] = ()
    formulas: dict[Place, Formula] = field(default_factory=dict)
    exact: dict[Place, str] = field(default_factory=dict)
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    merged: tuple[tuple[Place, Place], ...] = ()


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
        cells = list(_interesting(data))
        rows, columns = _hidden(data)
    except (ElementTree.ParseError, ValueError) as error:
        raise UserError(f"the sheet is no XML as the format wants it: {error}", where=where, remedy=CUT) from None
    masters = {one.shared: one.place for one in cells if one.shared and one.formula}
    formulas = {one.place: Formula(one.formula or "", None if one.formula else masters.get(one.shared or ""))
                for one in cells if one.formula is not None}  # fmt: skip
    return Sheet(
        errors={one.place: one.value or "error" for one in cells if one.kind == "e"},
        unsaved=tuple(one.place for one in cells if one.formula is not None and not one.value and one.kind != "str"),
        formulas=formulas,
        exact={one.place: one.value for one in cells if one.kind in ("", "n") and _long(one.value)},
        hidden_rows=rows, hidden_columns=columns,
    )  # fmt: skip


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


def _interesting(data: bytes) -> Iterator[_Cell]:
    """Yield the cells that are worth a look; the raw bytes tell which, far cheaper than parsing them all."""
    found = re.search(rb"<(?:(\w+):)?worksheet\b", data[: 1 << 16])
    prefix = found[1] + b":" if found and found[1] else b""
    open_, formula, close = b"<" + prefix + b"c ", b"<" + prefix + b"f", b"</" + prefix + b"c>"
    marks = (formula + b">", formula + b" ", formula + b"/", b't="e"', b"t='e'")
    long = LONG_NUMBER.search(data) is not None
    if not long and not any(mark in data for mark in marks):
        return
    # Anything unusual in the text, and it is parsed as any XML is.
    odd = rb"<!--|<!\[CDATA|<\?(?!xml )|<%sc[\s/>](?<! )" % prefix
    if not found or re.search(odd, data):
        yield from _parsed(data)
        return
    for part in data.split(open_)[1:]:
        if any(mark in part for mark in marks) or (long and LONG_NUMBER.search(part)):
            head, _, rest = part.partition(b">")
            body = b"" if head.endswith(b"/") else rest.split(close, 1)[0]
            if any(mark in head + b">" + body for mark in marks) or LONG_NUMBER.search(body):
                yield _cell(head.decode(), body.decode(), prefix.decode())


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
    if not re.search(rb"hidden\s*=", data):
        return frozenset(), frozenset()
    rows, columns, row = set(), set(), -1
    for found in re.finditer(rb"<(?:\w+:)?(row|col)(\s[^>]*)>", data):
        said = {name: two or three for name, two, three in ATTRIBUTE.findall(found[2].decode("utf-8", "replace"))}
        if found[1] == b"row":
            row = int(said.get("r", row + 2)) - 1
            if said.get("hidden") in YES:
                rows.add(row)
        elif said.get("hidden") in YES:
            columns |= set(range(int(said["min"]) - 1, min(int(said["max"]), 1 << 14)))
    return frozenset(rows), frozenset(columns)
