"""CDL, the text form of NetCDF, as a tree of groups; nothing is computed, and every value stays as it is written.

Grammar: "The NetCDF Utilities", CDL Syntax (Unidata), and ncgen's own of NetCDF-4: types, groups, lists in braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.errors import UserError

DEEPEST = 50
TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<char>'(?:[^'\\]|\\[0-7]{1,3}|\\.)')
    |(?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?)(?:[uU]?(?:[bBsS]|[lL]{1,2})?|[fFdD])?(?![\w.@+\-\\])
        |[-+]?(?:nan|infinity|inf)[fFdD]?(?![\w.@+\-\\]))
    |(?P<name>/?(?:\w|\\.)(?:[\w.@+\-/]|\\.)*)|(?P<mark>[{}()=;,:*])""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a"}
ATOMIC = (
    "byte",
    "char",
    "short",
    "int",
    "long",
    "int64",
    "float",
    "real",
    "double",
    "ubyte",
    "ushort",
    "uint",
    "uint64",
    "string",
)
SECTIONS = ("types", "dimensions", "variables", "data")


class Token(NamedTuple):
    """A piece of the text: string, char, number, name or mark; a text without its quotes; its place."""

    kind: str
    text: str
    at: int


@dataclass
class Variable:
    """A variable as it is declared: type, dimensions, attributes by name, and its values, None where the text has none."""

    type: str
    dimensions: tuple[str, ...]
    attributes: dict[str, tuple[str, list[Any]]] = field(default_factory=dict)
    values: list[Any] | None = None


@dataclass
class Group:
    """A group: dimensions with sizes (None: without limit), enums by name, what else is declared as a type, variables."""

    name: str
    dimensions: dict[str, int | None] = field(default_factory=dict)
    enums: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    strange: set[str] = field(default_factory=set)
    variables: dict[str, Variable] = field(default_factory=dict)
    attributes: dict[str, tuple[str, list[Any]]] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)


class _Reader:
    """The tokens of a text, one looked at ahead."""

    def __init__(self, text: str, where: str) -> None:
        self._text, self._where = text, where
        self._tokens = self._all()
        self._ahead: list[Token] = []

    def _all(self) -> Iterator[Token]:
        at = 0
        while at < len(self._text):
            found = TOKEN.match(self._text, at)
            if not found:
                raise self.wrong(Token("", self._text[at], at))
            if found.lastgroup != "skip":
                yield Token(str(found.lastgroup), _plain(found), at)
            at = found.end()

    def peek(self, further: int = 0) -> Token:
        """Return a token that is still to come."""
        while len(self._ahead) <= further:
            self._ahead.append(next(self._tokens, Token("end", "", len(self._text))))
        return self._ahead[further]

    def next(self, *wanted: str) -> Token:
        """Return the next token, which must be one of these marks or kinds."""
        found = self.peek()
        if wanted and found.kind not in wanted and not (found.kind == "mark" and found.text in wanted):
            raise self.wrong(found)
        self._ahead.pop(0)
        return found

    def passes(self, *marks: str) -> bool:
        """Pass over a mark if it comes next."""
        found = self.peek().kind == "mark" and self.peek().text in marks
        if found:
            self._ahead.pop(0)
        return found

    def wrong(self, token: Token, what: str = "") -> UserError:
        """Return the error for a token that can't stand where it does."""
        line = self._text.count("\n", 0, token.at) + 1
        if token.kind == "end" or (not token.kind and token.text in "\"'"):
            return UserError(f"the text is cut off at line {line}", where=self._where, remedy="ask for the delivery again")
        return UserError(what or f"no CDL: {token.text[:40]!r} at line {line}", where=self._where,
                         remedy="ask for the delivery again")  # fmt: skip


def parse(text: str, where: str) -> Group:
    """Return the groups of a text; raise UserError where it is no CDL or is cut off."""
    reader = _Reader(text, where)
    first = reader.next("name")
    if first.text.lower() != "netcdf":
        raise reader.wrong(first)
    name = ""
    while not (reader.peek().kind == "mark" and reader.peek().text == "{"):
        name += reader.next("name", "number").text
    reader.next("{")
    root = _group(reader, name, 0)
    if reader.peek().kind != "end":
        raise reader.wrong(reader.peek(), "more stands behind the end")
    return root


def _group(reader: _Reader, name: str, depth: int) -> Group:
    if depth > DEEPEST:
        raise reader.wrong(reader.peek(), f"groups in groups, more than {DEEPEST} deep")
    found, section = Group(name), ""
    while not reader.passes("}"):
        word = reader.peek().text.lower()
        if reader.peek(1)[:2] == ("mark", ":") and reader.peek().kind == "name" and word in (*SECTIONS, "group"):
            reader.next()
            reader.next(":")
            section = word
            if word == "group":
                inner = reader.next("name").text
                reader.next("{")
                found.groups.append(_group(reader, inner, depth + 1))
                section = ""
            continue
        if reader.passes(";"):
            continue
        if _is_attribute(reader):
            _attribute(reader, found)
        elif section in SECTIONS:
            {"types": _type, "dimensions": _dimension, "variables": _variable, "data": _data}[section](reader, found)
        else:
            raise reader.wrong(reader.peek())
    return found


def _is_attribute(reader: _Reader) -> bool:
    """Tell `x:a =`, `:a =` and `double x:a =` from what else may stand there."""
    ahead = [reader.peek(at).text if reader.peek(at).kind == "mark" else reader.peek(at).kind for at in range(5)]
    return any(ahead[at : at + 3] == [":", "name", "="] and set(ahead[:at]) <= {"name"} for at in range(3))


def _attribute(reader: _Reader, group: Group) -> None:
    words = []
    while not reader.passes(":"):
        words.append(reader.next("name").text)
    name = reader.next("name").text
    reader.next("=")
    values = _values(reader, 0)
    reader.next(";")
    type_, owner = "", ""
    if len(words) == 2:
        type_, owner = words
    elif words:
        # `string :a = …` declares a type, `x:a = …` names a variable.
        type_, owner = (words[0], "") if words[0].lower() in ATOMIC and words[0] not in group.variables else ("", words[0])
    if owner and owner not in group.variables:
        raise reader.wrong(reader.peek(), f"the attribute {name!r} is of {owner!r}, which is not declared")
    (group.variables[owner].attributes if owner else group.attributes)[name] = (type_, values)


def _type(reader: _Reader, group: Group) -> None:
    kind = reader.next("name").text
    if kind.lower() == "compound":
        name = reader.next("name").text
        _braces(reader)
    elif kind.lower() == "opaque":
        reader.next("(")
        reader.next("number")
        reader.next(")")
        name = reader.next("name").text
    elif reader.passes("("):
        reader.next("*")
        reader.next(")")
        name = reader.next("name").text
        group.lists[name] = kind
        return
    else:
        _enum(reader, group, kind)
        return
    group.strange.add(name)


def _enum(reader: _Reader, group: Group, kind: str) -> None:
    word = reader.next("name")
    if word.text.lower() != "enum":
        raise reader.wrong(word)
    name, members = reader.next("name").text, {}
    reader.next("{")
    while not reader.passes("}"):
        member = reader.next("name").text
        reader.next("=")
        members[member] = reader.next("number").text
        reader.passes(",")
    group.enums[name] = (kind, members)


def _braces(reader: _Reader) -> None:
    """Pass over what stands in braces."""
    reader.next("{")
    depth = 1
    while depth:
        token = reader.next("name", "number", "string", "char", *"{}()=;,:*")
        depth += (token.kind == "mark") * ({"{": 1, "}": -1}.get(token.text, 0))


def _dimension(reader: _Reader, group: Group) -> None:
    name = reader.next("name", "number").text
    reader.next("=")
    size = reader.next("number", "name")
    if name in group.dimensions:
        raise reader.wrong(size, f"the dimension {name!r} is declared twice")
    if size.kind == "number" and re.fullmatch(r"\d{1,18}", size.text):
        group.dimensions[name] = int(size.text)
    elif size.text.lower() == "unlimited":
        group.dimensions[name] = None
    else:
        raise reader.wrong(size)
    reader.next(";", ",")


def _variable(reader: _Reader, group: Group) -> None:
    type_ = reader.next("name").text
    while True:
        name = reader.next("name")
        dimensions = []
        if reader.passes("("):
            while not reader.passes(")"):
                dimensions.append(reader.next("name", "number").text)
                reader.passes(",")
        if name.text in group.variables:
            raise reader.wrong(name, f"the variable {name.text!r} is declared twice")
        group.variables[name.text] = Variable(type_, tuple(dimensions))
        if reader.next(",", ";").text == ";":
            return


def _data(reader: _Reader, group: Group) -> None:
    name = reader.next("name")
    variable = group.variables.get(name.text)
    if variable is None or variable.values is not None:
        what = "which is not declared" if variable is None else "which has values already"
        raise reader.wrong(name, f"values of {name.text!r}, {what}")
    reader.next("=")
    variable.values = _values(reader, 0)
    reader.next(";")


def _values(reader: _Reader, depth: int) -> list[Any]:
    """Return values with commas between: tokens, and lists of what stands in braces."""
    if depth > DEEPEST:
        raise reader.wrong(reader.peek(), f"lists in lists, more than {DEEPEST} deep")
    found: list[Any] = []
    while True:
        if reader.passes("{"):
            found.append([] if reader.passes("}") else _values(reader, depth + 1))
        else:
            found.append(reader.next("number", "string", "char", "name"))
        if reader.passes(","):
            continue
        if depth:
            reader.next("}")
        return found


def _plain(found: re.Match[str]) -> str:
    """Return a token's text: strings and signs without quotes, names without backslashes."""
    text = found[0]
    if found.lastgroup in ("string", "char"):
        return re.sub(r"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", _escape, text[1:-1], flags=re.DOTALL)
    return re.sub(r"\\(.)", r"\1", text) if found.lastgroup == "name" else text


def _escape(found: re.Match[str]) -> str:
    text = found[1]
    if text[0] in "01234567":
        return chr(int(text, 8))
    return chr(int(text[1:], 16)) if text[0] == "x" and len(text) > 1 else ESCAPES.get(text, text)
