"""A YAML text as a tree: scalars as they stand, anchors followed within bounds, nothing that would run code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from jobs.readers.json_stream import Number
from schemas.errors import UserError

DEEPEST = 100
# Values that a text may stand for when its aliases are followed: those of a text without aliases, and some more.
SPARE = 100_000
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
NOTHING, TRUTH = ("", "~", "null", "Null", "NULL"), {"true": True, "false": False}
# What these say is seen in the text; any other tag would be the work of a program.
TAGS = tuple(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq"))
MERGE = "<<"


class _Merge(str):
    """The key `<<` without quotes: what it holds is merged into its object (YAML 1.1, merge key)."""


@dataclass
class _Tree:
    """What is known while a text becomes a tree: the events left, anchors with the size of what they name."""

    events: Iterator[Any]
    where: str
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    own: int = 0
    followed: int = 0

    def wrong(self, what: str, event: Any, remedy: str = "ask for the delivery again") -> UserError:
        """Return the error for something at an event."""
        return UserError(f"{what}, line {event.start_mark.line + 1}", where=self.where, remedy=remedy)


def documents(text: bytes, where: str) -> list[Any]:
    """Return the documents of a text: dicts, lists, texts, Numbers, truth values and None.

    Raise UserError for a text that is no YAML, a key that stands twice, tags of programs and aliases without end.
    """
    tree = _Tree(iter(yaml.parse(text, Loader=yaml.CSafeLoader)), where)
    found = []
    try:
        for event in tree.events:
            if isinstance(event, yaml.DocumentStartEvent):
                tree.anchors.clear()
                found.append(_value(tree, next(tree.events), 0)[0])
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"no YAML: {error.problem}{line}", where=where, remedy="ask for the delivery again") from None
    except (yaml.reader.ReaderError, UnicodeDecodeError) as error:
        raise UserError(f"the bytes are not UTF-8: {getattr(error, 'reason', error)}", where=where,
                        remedy="YAML is UTF-8 or UTF-16: convert it, or ask for it so") from None  # fmt: skip
    return found


def _value(tree: _Tree, event: Any, depth: int) -> tuple[Any, int]:
    """Return the value that begins with an event, and how many values it is."""
    if depth > DEEPEST:
        raise tree.wrong(f"objects in objects, more than {DEEPEST} deep", event)
    if isinstance(event, yaml.AliasEvent):
        return _followed(tree, event)
    tree.own += 1
    if event.tag and event.tag not in (*TAGS, "!"):
        raise tree.wrong(f"the tag {event.tag!r} is for a program", event, "ask for a file of plain values")
    if isinstance(event, yaml.ScalarEvent):
        found: Any = _scalar(event)
        size = 1
    elif isinstance(event, yaml.SequenceStartEvent):
        found, size = _list(tree, depth)
    else:
        found, size = _object(tree, event, depth)
    if event.anchor:
        tree.anchors[event.anchor] = (found, size)
    return found, size


def _followed(tree: _Tree, event: Any) -> tuple[Any, int]:
    if event.anchor not in tree.anchors:
        raise tree.wrong(f"the alias *{event.anchor} names nothing that is complete before it", event)
    found, size = tree.anchors[event.anchor]
    tree.followed += size
    if tree.followed > tree.own + SPARE:
        raise tree.wrong("its aliases stand for far more values than the text has", event,
                         "ask for a file without aliases")  # fmt: skip
    return found, size


def _scalar(event: Any) -> Any:
    """Return a scalar as it stands: `010`, `yes` and `1_000` are texts, for YAML 1.1 and 1.2 differ on them."""
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text in NOTHING:
        return None
    if text.lower() in TRUTH and text in (text.lower(), text.upper(), text.title()):
        return TRUTH[text.lower()]
    return Number(text) if NUMBER.fullmatch(text) else text


def _list(tree: _Tree, depth: int) -> tuple[list[Any], int]:
    found, size = [], 1
    while not isinstance(event := next(tree.events), yaml.SequenceEndEvent):
        one, more = _value(tree, event, depth + 1)
        found.append(one)
        size += more
    return found, size


def _object(tree: _Tree, start: Any, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    size = 1
    while not isinstance(event := next(tree.events), yaml.MappingEndEvent):
        key = _key(tree, event)
        one, more = _value(tree, next(tree.events), depth + 1)
        size += more
        if isinstance(key, _Merge):
            for other in reversed(one if isinstance(one, list) else [one]):
                if not isinstance(other, dict):
                    raise tree.wrong("`<<` merges what is no object", event)
                merged |= other
        elif key in found:
            raise tree.wrong(f"the key {key!r} stands twice", event)
        else:
            found[key] = one
    return {**merged, **found}, size


def _key(tree: _Tree, event: Any) -> str:
    if isinstance(event, yaml.AliasEvent):
        key, _ = _followed(tree, event)
        if isinstance(key, str):
            return str(key)
    if not isinstance(event, yaml.ScalarEvent):
        raise tree.wrong("a key is no plain text", event, "ask for a file whose keys are texts")
    if event.anchor:
        tree.anchors[event.anchor] = (event.value, 1)
    plain = event.implicit[0] and not event.tag
    return _Merge(event.value) if plain and event.value == MERGE else str(event.value)
