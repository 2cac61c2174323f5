"""An expression as a small tree, the same whether it came as protobuf or as SQL text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "column", "literal", "call", "cast", "alias", "star", "field", "lambda", "variable", "window", "subquery", "opaque",
]  # fmt: skip
PART = re.compile(r"`((?:[^`]|``)*)`|([^.`]+)")


@dataclass(frozen=True)
class Node:
    """One expression.

    ``name``: of function, field or variable, in lower case for functions. ``names``: parts of a column's name, the
    alias, or the lambda's variables. ``args``: what it is computed from; of a window the function, then
    ``partition`` and ``order`` apart. ``type``: of a literal, or what a cast makes. ``plan``: id of the sub-plan
    that a column belongs to. ``place``: file and line that wrote it. ``source``: the protobuf message or SQL text,
    for asking the engine.
    """

    kind: Kind
    name: str = ""
    names: tuple[str, ...] = ()
    args: tuple[Node, ...] = ()
    partition: tuple[Node, ...] = ()
    order: tuple[Node, ...] = ()
    type: str | None = None
    value: Any = None
    plan: int | None = None
    flags: frozenset[str] = frozenset()
    place: str = ""
    source: Any = None

    def walk(self) -> Iterator[Node]:
        """Yield the node and everything below it."""
        yield self
        for child in self.args + self.partition + self.order:
            yield from child.walk()


def parts(identifier: str) -> tuple[str, ...]:
    """Split a name as Spark writes it: `a.b`, with backticks around parts that hold dots."""
    return tuple(quoted.replace("``", "`") if plain == "" else plain for quoted, plain in PART.findall(identifier))


def ddl(type_: str) -> str:
    """Return a type's name in the spelling of simpleString: lower case, no spaces, one name per type."""
    text = re.sub(r"\s+", "", type_.lower())
    text = re.sub(r"\b(numeric|dec)\b", "decimal", text)
    plain = {"integer": "int", "long": "bigint", "real": "float", "short": "smallint", "byte": "tinyint",
             "timestamp_ltz": "timestamp", "decimal": "decimal(10,0)"}  # fmt: skip
    return plain.get(text, text)
