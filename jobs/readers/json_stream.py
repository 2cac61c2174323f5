"""A JSON text value by value, with numbers as they stand in it; no more of it in memory than the value that is read."""

from __future__ import annotations

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import Any, BinaryIO

from schemas.errors import UserError

CHUNK = 1 << 20
# A record, or a value that is passed over, larger than this is refused: it is no record.
LARGEST = 256 << 20
BLANK = re.compile(r"[ \t\n\r]*")


class Number(str):
    """A number as it stands in the text: 1.50 is not 1.5, and no digit of a long one is lost."""


class Cursor:
    """A place in a JSON text that is read from a stream."""

    def __init__(self, stream: BinaryIO, where: str) -> None:
        self._stream, self.where = stream, where
        self._decode = getincrementaldecoder("utf-8")()
        self._text, self._at, self._over = "", 0, False
        self._repeated: list[str] = []
        self.raw = ""
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._pairs, parse_float=Number, parse_int=Number, parse_constant=self._constant
        )

    def peek(self) -> str:
        """Return the next sign that is no blank, nothing at the end."""
        while True:
            found = BLANK.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def take(self, signs: str) -> str:
        """Pass over the next sign, which must be one of `signs`, and return it."""
        found = self.peek()
        if not found or found not in signs:
            raise self.wrong(f"{' or '.join(signs)} was expected{f', {found!r} stands' if found else ''}")
        self._at += 1
        return found

    def value(self) -> tuple[Any, str]:
        """Read the next value; return it, and the key that stands twice in an object of it; `raw` is then its text."""
        self.peek()
        while True:
            self._repeated.clear()
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                # Numbers aside, what is cut off is an error, and may be whole with more of the text.
                if self._grown():
                    continue
                raise self.wrong(error.msg, len(self._text) if "Unterminated" in error.msg else error.pos) from None
            except RecursionError:
                raise self.wrong("objects in objects without end") from None
            if end + 2 < len(self._text) or self._over:
                self.raw = self._text[self._at : end] if self._repeated else ""
                self._at = end
                return found, self._repeated[0] if self._repeated else ""
            self._more()  # 22. or 1e+ may go on as a number

    def members(self) -> Iterator[str]:
        """Yield the keys of an object; who iterates reads each one's value."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            key, _ = self.value()
            if type(key) is not str:
                raise self.wrong("a key is no text")
            self.take(":")
            yield key
            if self.take(",}") == "}":
                return

    def elements(self) -> Iterator[int]:
        """Yield the numbers of an array's elements, from 0; who iterates reads each one's value."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        number = 0
        while True:
            yield number
            number += 1
            if self.take(",]") == "]":
                return

    def wrong(self, what: str, at: int = 0, remedy: str = "ask for the delivery again") -> UserError:
        """Return the error for a text that is no JSON at this place, or within the value that begins here."""
        if self._over and max(at, self._at) >= len(self._text.rstrip()):
            return UserError(f"the file is cut off: {what}", where=self.where, remedy="ask for the delivery again")
        near = self._text[max(0, max(at, self._at) - 20) : max(at, self._at) + 40]
        return UserError(f"no JSON: {what}, near {near!r}", where=self.where, remedy=remedy)

    def _constant(self, name: str) -> Any:
        raise self.wrong(f"{name} is no number", remedy="ask for `null` where there is no number (RFC 8259, 6)")

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            keys = [key for key, _ in pairs]
            self._repeated.append(next(key for key in found if keys.count(key) > 1))
        return found

    def _grown(self) -> bool:
        """Read as much again as there is, so that a large value is not begun too often; False at the end."""
        if len(self._text) - self._at > LARGEST:
            raise UserError(f"a value of more than {LARGEST >> 20} MB", where=self.where,
                            remedy="name the place of the records by the option `records`")  # fmt: skip
        wanted = max(CHUNK, len(self._text) - self._at)
        before = len(self._text) - self._at
        while len(self._text) - self._at < before + wanted:
            if not self._more():
                return len(self._text) - self._at > before
        return True

    def _more(self) -> bool:
        """Read on, and forget what was passed over; False at the end."""
        if self._over:
            return False
        chunk = self._stream.read(CHUNK)
        self._over = not chunk
        try:
            text = self._decode.decode(chunk, final=self._over)
        except UnicodeDecodeError as error:
            raise UserError(f"the bytes are not UTF-8: {error.reason}", where=self.where,
                            remedy="JSON is UTF-8 (RFC 8259, 8.1): convert it, or ask for it so") from None  # fmt: skip
        self._text, self._at = self._text[self._at :] + text, 0
        return not self._over or bool(text)


def text(value: Any) -> str | None:
    """Return a value as the text of a field: numbers as they stood, arrays and objects as JSON, nothing for null."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else written(value)


def written(value: Any) -> str:
    """Return a value as JSON, numbers as they stood."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
