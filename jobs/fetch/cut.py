"""Records cut out of JSON as they stand: each keeps its own text, so that no number is written anew."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from schemas.errors import UserError

SPACE = re.compile(r"[ \t\r\n]*")
# Numbers as their texts: a place in the answer may hold one that no double has.
DECODER = json.JSONDecoder(parse_float=str, parse_int=str)


def parsed(text: str, where: str) -> Any:
    """Return a whole document; raise UserError where it is none."""
    try:
        return DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"the answer is no JSON ({error})", where=where, remedy="see the address with a browser") from None


def decoded(content: bytes, where: str) -> str:
    """Return the text of an answer, which JSON has in UTF-8; raise UserError for other bytes."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"the answer is no UTF-8 ({error})", where=where, remedy="ask the publisher for JSON as it is meant"
        ) from None


def at(document: Any, place: str) -> Any:
    """Return what is at a place, keys with dots between; None where there is nothing."""
    for part in [one for one in place.split(".") if one]:
        document = document.get(part) if isinstance(document, dict) else None
    return document


def records(text: str, place: str, where: str) -> Iterator[tuple[str, Any]]:
    """Yield each record at a place, its text in one line, and what it says."""
    begin = _skip(text, 0)
    for part in [one for one in place.split(".") if one]:
        begin = _member(text, begin, part, f"{where}: {place}")
    if text[begin : begin + 1] != "[":
        raise UserError(f"no list of records at {place or 'the top'!r}", where=where, remedy="mend source.fetch.records")
    begin = _skip(text, begin + 1)
    while text[begin] != "]":
        value, end = DECODER.raw_decode(text, begin)
        # A line break within JSON stands between its parts, never within a text.
        yield text[begin:end].replace("\r", " ").replace("\n", " "), value
        begin = _skip(text, end)
        begin = _skip(text, begin + 1) if text[begin] == "," else begin


def _member(text: str, begin: int, name: str, where: str) -> int:
    """Return where the value of a key begins."""
    begin = _skip(text, begin + 1) if text[begin : begin + 1] == "{" else len(text)
    while begin < len(text) and text[begin] != "}":
        key, end = DECODER.raw_decode(text, begin)
        begin = _skip(text, _skip(text, end) + 1)
        if key == name:
            return begin
        _, end = DECODER.raw_decode(text, begin)
        begin = _skip(text, end)
        begin = _skip(text, begin + 1) if text[begin] == "," else begin
    raise UserError(f"there is no {name!r}", where=where, remedy="mend source.fetch.records")


def _skip(text: str, place: int) -> int:
    found = SPACE.match(text, place)
    return found.end() if found else place
