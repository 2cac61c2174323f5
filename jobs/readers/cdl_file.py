"""A tree of CDL as a NetCDF file, as ncgen makes it; only that nothing is filled up, cut or wrapped round."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt

from jobs.readers.cdl_text import Group, Token, Variable
from schemas.errors import UserError

TYPES = {"byte": "i1", "char": "S1", "short": "i2", "int": "i4", "long": "i4", "int64": "i8", "float": "f4", "real": "f4",
         "double": "f8", "ubyte": "u1", "ushort": "u2", "uint": "u4", "uint64": "u8"}  # fmt: skip
SUFFIX = {
    "b": "i1",
    "ub": "u1",
    "s": "i2",
    "us": "u2",
    "u": "u4",
    "l": "i4",
    "ul": "u4",
    "ll": "i8",
    "ull": "u8",
    "f": "f4",
    "d": "f8",
}
FILL = "_"
# What tells ncgen how to store a variable; it is no attribute (NetCDF attribute conventions).
STORAGE = re.compile(r"_(Format|Storage|ChunkSizes|DeflateLevel|Shuffle|Endianness|Fletcher32|NoFill|Filter|Codecs"
                     r"|NCProperties|IsNetcdf4|SuperblockVersion|QuantizeMode\w*)")  # fmt: skip
NUMBER = re.compile(
    r"(?P<value>[-+]?(?:0[xX][0-9a-fA-F]+?|[\d.]+(?:[eE][-+]?\d+)?|nan|infinity|inf))(?P<suffix>[a-z]*)", re.IGNORECASE
)
LARGEST = 100_000_000
HEADER = "it is a header alone, or in part: ask for a dump with the values (ncdump without -h)"


class _Scope:
    """What names stand for in a group: those of the groups around it, too."""

    def __init__(self, tree: Group, where: str, around: _Scope | None = None) -> None:
        self.where = where
        self.enums: dict[str, tuple[str, dict[str, str]]] = {**(around.enums if around else {}), **tree.enums}
        self.lists: dict[str, str] = {**(around.lists if around else {}), **tree.lists}
        self.strange: set[str] = (around.strange if around else set()) | tree.strange
        self.sizes: dict[str, int] = {**(around.sizes if around else {}), **_sizes(tree, around, where)}
        self.made: dict[str, Any] = dict(around.made) if around else {}

    def wrong(self, name: str, what: str, remedy: str = "ask for the delivery again") -> UserError:
        """Return the error for a variable."""
        return UserError(what, where=f"{self.where}, {name}", remedy=remedy)


def build(tree: Group, path: Path, where: str) -> tuple[list[str], list[str]]:
    """Write the variables that have values; return the paths of those that have none, and of those of types left out.

    Raise UserError where there are fewer or more values than the dimensions say, or one that its type can't hold.
    """
    empty: list[str] = []
    strange: list[str] = []
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        _fill(tree, file, _Scope(tree, where), "", empty, strange)
    return empty, strange


def _fill(tree: Group, target: Any, scope: _Scope, place: str, empty: list[str], strange: list[str]) -> None:
    for name in tree.dimensions:
        target.createDimension(name, scope.sizes[name])
    for name, (kind, members) in tree.enums.items():
        dtype = _dtype(kind, scope, name)
        scope.made[name] = target.createEnumType(dtype, name, {key: int(value) for key, value in members.items()})
    for name, kind in tree.lists.items():
        if kind in TYPES and kind != "char":
            scope.made[name] = target.createVLType(np.dtype(TYPES[kind]), name)
    for key, given in tree.attributes.items():
        _set(target, key, given, scope, place or "the file")
    for name, variable in tree.variables.items():
        if _is_strange(variable.type, scope):
            strange.append(place + name)
        elif variable.values is None:
            empty.append(place + name)
        else:
            _write(target, name, variable, scope)
    for inner in tree.groups:
        _fill(inner, target.createGroup(inner.name), _Scope(inner, scope.where, scope), f"{place}{inner.name}/", empty, strange)


def _is_strange(kind: str, scope: _Scope) -> bool:
    """Tell whether the library that writes the file knows no such type: lists of lists, compounds, opaque bytes."""
    return kind in scope.strange or (kind in scope.lists and kind not in scope.made)


def _sizes(tree: Group, around: _Scope | None, where: str) -> dict[str, int]:
    """Return the sizes of a group's dimensions: one without limit is as long as the values of its variables."""
    found = {name: size for name, size in tree.dimensions.items() if size is not None}
    known = {**(around.sizes if around else {}), **found}
    for name, variable in _within(tree):
        first = variable.dimensions[0] if variable.dimensions else ""
        if first not in tree.dimensions or tree.dimensions[first] is not None or variable.values is None:
            continue
        inner = math.prod(known.get(other, 0) for other in variable.dimensions[1:])
        count = len(variable.values) * (inner if _is_rows(variable) else 1)
        size = count // inner if inner else 0
        if size * inner != count or found.setdefault(first, size) != size:
            raise UserError(f"{count} values are no whole number of records of {inner}, or of {found.get(first)} as others have",
                            where=f"{where}, {name}", remedy="ask for the delivery again")  # fmt: skip
    return {name: found.get(name, 0) for name in tree.dimensions}


def _within(tree: Group) -> Iterator[tuple[str, Variable]]:
    yield from tree.variables.items()
    for inner in tree.groups:
        yield from _within(inner)


def _is_rows(variable: Variable) -> bool:
    """Tell whether each value of a variable of signs is a text along its last dimension."""
    return variable.type == "char" and len(variable.dimensions) > 1 and any(
        isinstance(one, Token) and one.kind == "string" for one in variable.values or [])  # fmt: skip


def _dtype(kind: str, scope: _Scope, name: str) -> np.dtype[Any]:
    if kind.lower() not in TYPES:
        raise scope.wrong(name, f"there is no type {kind!r}")
    return np.dtype(TYPES[kind.lower()])


def _write(target: Any, name: str, variable: Variable, scope: _Scope) -> None:
    lacking = [one for one in variable.dimensions if one not in scope.sizes]
    if lacking:
        raise scope.wrong(name, f"the dimension {lacking[0]!r} is not declared")
    shape = tuple(scope.sizes[one] for one in variable.dimensions)
    kind: Any = scope.made.get(variable.type) or (str if variable.type == "string" else _dtype(variable.type, scope, name))
    plain = isinstance(kind, np.dtype) and kind.kind != "S"
    fill = None
    if "_FillValue" in variable.attributes and plain:
        (fill,) = _numbers(variable.attributes["_FillValue"][1], kind, scope, f"{name}:_FillValue", None)
    made = target.createVariable(name, kind, variable.dimensions, fill_value=fill)
    made.set_auto_maskandscale(False)
    made.set_auto_chartostring(False)
    for key, given in variable.attributes.items():
        if key != "_FillValue":
            _set(made, key, given, scope, name)
    values = _values(variable, shape, kind, fill, scope, name)
    if shape:
        made[...] = values.reshape(shape)
    elif kind is str:
        made[0] = values[0]
    else:
        made[...] = values[0]


def _values(variable: Variable, shape: tuple[int, ...], kind: Any, fill: Any, scope: _Scope, name: str) -> npt.NDArray[Any]:
    given = variable.values or []
    if isinstance(kind, np.dtype) and kind.kind == "S":
        return _signs(given, shape, scope, name)
    cells = math.prod(shape)
    if len(given) != cells or cells > LARGEST:
        raise scope.wrong(
            name, f"{len(given)} values are there, of {cells}", HEADER if len(given) < cells else "ask for the delivery again"
        )
    if kind is str:
        return _array([_text(one, scope, name) for one in given])
    if isinstance(kind, netCDF4.VLType):
        return _array([np.array(_numbers(_list(one, scope, name), kind.dtype, scope, name, None), kind.dtype) for one in given])
    if isinstance(kind, netCDF4.EnumType):
        return np.array([_member(one, kind, scope, name) for one in given], kind.dtype)
    if fill is None:
        fill = netCDF4.default_fillvals.get(kind.str[1:])
    return np.array(_numbers(given, kind, scope, name, fill), kind)


def _array(values: list[Any]) -> npt.NDArray[Any]:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _list(one: Any, scope: _Scope, name: str) -> list[Any]:
    if not isinstance(one, list):
        raise scope.wrong(name, f"{one.text!r} is no list in braces")
    return one


def _text(one: Any, scope: _Scope, name: str) -> str:
    if not isinstance(one, Token) or one.kind not in ("string", "name") or (one.kind == "name" and one.text not in (FILL, "NIL")):
        raise scope.wrong(name, f"{getattr(one, 'text', one)!r} is no text")
    return one.text if one.kind == "string" else ""


def _member(one: Any, kind: Any, scope: _Scope, name: str) -> int:
    if isinstance(one, Token) and one.text in kind.enum_dict:
        return int(kind.enum_dict[one.text])
    if isinstance(one, Token) and one.kind == "number":
        (number,) = _numbers([one], kind.dtype, scope, name, None)
        if number in kind.enum_dict.values():
            return int(number)
    raise scope.wrong(name, f"{getattr(one, 'text', one)!r} is none of {', '.join(kind.enum_dict)}")


def _signs(given: list[Any], shape: tuple[int, ...], scope: _Scope, name: str) -> npt.NDArray[Any]:
    """Return texts and signs as an array of single bytes; a text that is shorter than its dimension ends in zeros."""
    width = shape[-1] if shape else 1
    rows = math.prod(shape[:-1])
    texts = [one.text.encode() for one in given if isinstance(one, Token) and one.kind in ("string", "char")]
    if len(texts) != len(given):
        raise scope.wrong(name, "values that are no texts")
    joined = b"".join(texts)
    whole = len(texts) == rows and all(len(text) <= width for text in texts)
    if whole:
        joined = b"".join(text.ljust(width, b"\0") for text in texts)
    if len(joined) != rows * width:
        raise scope.wrong(name, f"{len(texts)} texts of {len(joined)} bytes are no {rows} of {width}")
    return np.frombuffer(joined, "S1")


def _numbers(given: list[Any], kind: np.dtype[Any], scope: _Scope, name: str, fill: Any) -> list[Any]:
    found = []
    for one in given:
        if isinstance(one, Token) and one.text == FILL and one.kind == "name" and fill is not None:
            found.append(fill)
        elif isinstance(one, Token) and one.kind in ("number", "char"):
            found.append(_number(one, kind, lambda what, at=one: scope.wrong(name, f"{at.text!r} {what}")))  # type: ignore[misc]
        else:
            text = getattr(one, "text", "a list")
            raise scope.wrong(name, f"{text!r} is no number", "dates want to be numbers: ask for a dump without -t")
    return found


def _number(one: Token, kind: np.dtype[Any], wrong: Callable[[str], UserError]) -> Any:
    """Return a number in a type; raise UserError where the type can't hold it."""
    if one.kind == "char":
        return kind.type(ord(one.text[:1] or "\0"))
    value, _ = _split(one.text)
    if re.fullmatch(r"[-+]?0\d+", value):
        raise wrong("may be octal or decimal")
    if kind.kind == "f":
        number = float(int(value, 16)) if "x" in value else float(value)
        if np.isinf(kind.type(number)) and "inf" not in value:
            raise wrong(f"is beyond {kind.name}")
        return kind.type(number)
    whole = _whole(value)
    if whole is None:
        raise wrong(f"is no whole number, and {kind.name} holds nothing else")
    limits = np.iinfo(kind)
    if not limits.min <= whole <= limits.max:
        raise wrong(f"is beyond {kind.name}, which ends at {limits.min} and {limits.max}")
    return kind.type(whole)


def _whole(value: str) -> int | None:
    if "x" in value:
        return int(value, 16)
    if re.fullmatch(r"[-+]?\d+", value):
        return int(value)
    number = float(value)
    return int(number) if math.isfinite(number) and number == int(number) and abs(number) < 2**53 else None


def _split(text: str) -> tuple[str, str]:
    """Return a number and its suffix; of 0x1f the f is a digit."""
    text = text.lower()
    if "x" in text:
        digits = re.match(r"[-+]?0x[0-9a-f]+", text)
        return (digits[0], text[digits.end() :]) if digits else (text, "")
    found = re.fullmatch(NUMBER, text)
    return (found["value"], found["suffix"]) if found else (text, "")


def _set(target: Any, key: str, given: tuple[str, list[Any]], scope: _Scope, owner: str) -> None:
    """Set an attribute in the type that it is declared in, or that its values are written in."""
    if STORAGE.fullmatch(key):
        return
    kind, values = given
    if any(not isinstance(one, Token) or one.kind == "name" for one in values):
        return  # of a type of the file's own: no column depends on it
    if all(one.kind == "string" for one in values):
        texts = [one.text for one in values]
        target.setncattr(key, texts[0] if len(texts) == 1 else texts if kind == "string" else "".join(texts))
        return
    dtype = _dtype(kind, scope, f"{owner}:{key}") if kind else _widest(values)
    target.setncattr(key, np.array(_numbers(values, dtype, scope, f"{owner}:{key}", None), dtype))


def _widest(values: list[Token]) -> np.dtype[Any]:
    """Return the type that numbers are written in: 1b, 1s, 1, 1.f, 1. and so on; a sign is a byte."""
    found = []
    for one in values:
        value, suffix = _split(one.text) if one.kind == "number" else ("0", "b")
        plain = "f8" if re.search(r"[.]|e|nan|inf", value) and "x" not in value else "i4" if abs(int(value, 0)) < 2**31 else "i8"
        found.append(np.dtype(SUFFIX.get(suffix, plain)))
    return max(found, key=lambda one: (one.kind == "f", one.itemsize))
