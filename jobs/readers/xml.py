"""XML: the elements at a path as records, attributes and children as dotted columns; no entity is ever followed."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from xml.parsers import expat

from jobs.readers import Read, Request
from jobs.readers.options import options
from jobs.readers.records import TEXT, Record, read_records, shown
from jobs.readers.text import opened
from jobs.readers.xml_tables import tables
from schemas.errors import UserError

CHUNK = 1 << 18
DEEPEST = 200
LARGEST = 64 << 20
ROOT = "."
# Many-byte encodings that expat does not know by itself.
CHINESE = re.compile(rb"""^<\?xml[^>]*encoding=["'](gbk|gb2312|gb18030|big5)["']""", re.IGNORECASE)


@dataclass(frozen=True)
class Xml:
    """Options of XML.

    `records` is the path of the elements that are records, below the root: `TimeSeries/Period/Point`, names without
    their namespaces; `.` is the root itself, all the document as one record. `keep` names columns and what fills them
    from the way to a record: the path of an element that stands before it, or of an attribute:
    `{resolution: TimeSeries/Period/resolution, unit: "@unit"}`.
    """

    records: str
    keep: dict[str, Any] = field(default_factory=dict)
    empty_ok: bool = False


def read(request: Request) -> Read:
    """Read the records; `_locator` is the path of each, counted from 1: `/TimeSeries[2]/Period[1]/Point[7]`."""
    given = options(Xml, request.options, request.name)
    return read_records(request, lambda: _open(request.path, given, request.name), empty_ok=given.empty_ok)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say which paths there are and how often, and which tables they make; with the option `records`, how the first look."""
    if given.get("records"):
        chosen = options(Xml, given, path.name)
        return shown(lambda: _open(path, chosen, path.name), path.name)
    walk = _Walk("", {}, path.name)
    with opened(path, "utf-8", path.name) as stream:
        for _ in walk.records(stream):
            pass
    return {"elements": dict(walk.seen.most_common(50)), "tables": tables(walk.seen, walk.most, walk.attributes)}


@contextmanager
def _open(path: Path, given: Xml, where: str) -> Iterator[Iterator[Record]]:
    with opened(path, "utf-8", where) as stream:
        yield _Walk(given.records.strip("/"), given.keep, where).records(stream)


class _Walk:
    """A walk over a document; what is not within a record, or kept, is forgotten at once."""

    def __init__(self, wanted: str, keep: Mapping[str, Any], where: str) -> None:
        self.wanted, self.where = wanted, where
        self.columns = {str(path).strip("/"): name for name, path in keep.items()}
        self.seen: Counter[str] = Counter()  # in the order of first sight
        self.most: dict[str, int] = {}  # how many of a path stand in one element
        self.attributes: dict[str, set[str]] = {}
        self._path: list[str] = []
        self._numbers: list[Counter[str]] = [Counter()]
        self._kept: dict[str, str] = {}
        self._had: set[str] = set()  # elements on the way in which a record has been
        self._open: list[tuple[dict[str, Any], list[str]]] = []
        self._text: list[str] = []
        self._size = 0
        self._done: list[Record] = []

    def records(self, stream: BinaryIO) -> Iterator[Record]:
        """Yield the records; raise UserError where the document is none."""
        first = stream.read(CHUNK)
        found = CHINESE.match(first.removeprefix(b"\xef\xbb\xbf").lstrip())
        decode = codecs.getincrementaldecoder(found[1].decode() if found else "utf-8")()
        parser = self._parser("utf-8" if found else None)
        chunk = first
        while True:
            try:
                parser.Parse(decode.decode(chunk, final=not chunk).encode() if found else chunk, not chunk)
            except expat.ExpatError as error:
                raise self._wrong(error) from None
            except UnicodeDecodeError as error:
                raise UserError(f"the bytes are not what the file says: {error.reason}", where=self.where,
                                remedy="ask for the delivery again") from None  # fmt: skip
            yield from self._done
            self._done.clear()
            if not chunk:
                return
            chunk = stream.read(CHUNK)

    def _parser(self, encoding: str | None) -> expat.XMLParserType:
        parser = expat.ParserCreate(encoding, " ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler, parser.StartDoctypeDeclHandler = self._entity, self._doctype
        return parser

    def _entity(self, name: str, *about: Any) -> None:
        raise UserError(f"it declares the entity {name!r}, which may stand for anything", where=self.where,
                        remedy="ask for a file without entities of its own")  # fmt: skip

    def _doctype(self, name: str, system: str | None, public: str | None, inside: int) -> None:
        if system or public:  # an entity of that file would vanish from an attribute without a word
            raise UserError(f"it rests on another file, {system or public!r}, which is not fetched", where=self.where,
                            remedy="ask for a file that stands alone")  # fmt: skip

    def _wrong(self, error: expat.ExpatError) -> UserError:
        what = expat.errors.messages.get(error.code, str(error))
        if error.code in (expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
                          expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN]):  # fmt: skip
            return UserError(f"the file is cut off at line {error.lineno}", where=self.where, remedy="ask for the delivery again")
        return UserError(f"no XML: {what} at line {error.lineno}", where=self.where, remedy="ask for the delivery again")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        self._numbers[-1][local] += 1
        self._numbers.append(Counter())
        self._path.append(local)
        if len(self._path) > DEEPEST:
            raise UserError(f"elements in elements, more than {DEEPEST} deep", where=self.where, remedy="ask for a flatter file")
        below = "/".join(self._path[1:])
        given = {f"@{key.rpartition(' ')[2]}": value for key, value in attributes.items()}
        if self._open or (self.wanted and (below or ROOT) == self.wanted):
            self._size = self._size if self._open else 0
            self._open.append(({**given}, []))
            return
        self.seen[below] += 1
        if attributes:
            self.attributes.setdefault(below, set()).update(given)
        self._text.clear()
        # What an element of this path said before is no more.
        self._kept = {path: text for path, text in self._kept.items() if not path.startswith(f"{below}/")}
        self._had = {path for path in self._had if path != below and not path.startswith(f"{below}/")}
        for key, value in given.items():
            self._keep(f"{below}/{key}" if below else key, value)

    def _keep(self, path: str, text: str, *, holds: bool = False) -> None:
        if path not in self.columns:
            return
        why = ("holds elements: keep one of these" if holds else "stands twice" if path in self._kept else
               "stands behind the records" if path.rpartition("/")[0] in self._had else "")  # fmt: skip
        if why:
            raise UserError(f"{path!r}, which is to be kept, {why}", where=self.where, remedy="mend the option `keep`")
        self._kept[path] = text

    def _characters(self, text: str) -> None:
        if not self._open:
            self._text.append(text)
            return
        self._size += len(text)
        if self._size > LARGEST:
            raise UserError(f"a record of more than {LARGEST >> 20} MB", where=self.where, remedy="look at the option `records`")
        texts, children = self._open[-1][1], sum(self._numbers[-1].values())
        # One text for each gap between children.
        texts.extend([""] * (children + 1 - len(texts)))
        texts[children] += text

    def _end(self, name: str) -> None:
        below, local = "/".join(self._path[1:]), self._path[-1]
        self._path.pop()
        held = self._numbers.pop()
        holds = bool(held)
        if not self._open:
            for child, number in held.items():
                path = f"{below}/{child}" if below else child
                self.most[path] = max(number, self.most.get(path, 0))
            self._keep(below, "".join(self._text).strip(), holds=holds)
            self._text.clear()
            return
        fields, texts = self._open.pop()
        # Text on both sides of a child is two texts: 12 and 5 around one are not 125.
        value = _value(fields, " ".join(filter(None, map(str.strip, texts))))
        if self._open:
            _join(self._open[-1][0], local, value)
        else:
            way = {column: self._kept.get(path, "") for path, column in self.columns.items()}
            self._done.append(Record(self._place(local), way, value))
            self._had |= {"/".join(self._path[1:end]) for end in range(1, len(self._path) + 1)}

    def _place(self, local: str) -> str:
        """Return the path of the element that has just ended, each step with its number."""
        steps = [*self._path[1:], local]
        if len(self._path) == 0:
            return "/"
        return "".join(f"/{step}[{numbers[step]}]" for step, numbers in zip(steps, self._numbers[1:], strict=False))


def _value(fields: dict[str, Any], text: str) -> Any:
    """Return what an element holds: its text alone, or its attributes and children, with the text as `#text`."""
    if not fields:
        return text
    return {**fields, TEXT: text} if text else fields


def _join(fields: dict[str, Any], name: str, value: Any) -> None:
    """Put a child into its element; children of one name are a list."""
    if name not in fields:
        fields[name] = value
    elif isinstance(fields[name], list):
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]
