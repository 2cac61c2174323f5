"""Regular expressions that mean the same to Java, Rust, RE2 and Python."""

from __future__ import annotations

import re

from schemas.errors import UserError

# `\d` is any Unicode digit to Rust and Python, an ASCII one to Java and RE2; `\b` and the negated ones likewise.
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \\t\\n\\x0B\\f\\r"}
_UNPORTABLE = "bBDWSpPZzAGQEkuNRhHvVX"


def portable(pattern: str, where: str) -> str:
    """Return the pattern with its classes spelled out, anchored so that it must match the whole value.

    Raise UserError for what engines read differently (named classes, boundaries, look-around, references).
    """
    body = "".join(_parts(pattern, where))
    try:
        re.compile(body)
    except re.error as error:
        raise UserError(f"the pattern {pattern!r} is not a regular expression: {error}", where=where) from None
    return rf"\A(?:{body})\z"


def for_python(pattern: str) -> str:
    """Return a portable pattern as Python's `re` spells it (`\\z` is `\\Z` there)."""
    return pattern.removesuffix(r"\z") + r"\Z"


def _parts(pattern: str, where: str) -> list[str]:
    parts, in_class, at = [], False, 0
    while at < len(pattern):
        step = 2 if pattern[at] == "\\" else 1
        token = pattern[at : at + step]
        if step == 2:
            token = _escape(token, in_class, where)
        elif pattern.startswith(("(?=", "(?!", "(?<", "(?P"), at):
            raise _refused(pattern[at : at + 3], where)
        elif token in "[]":
            in_class = token == "["
        parts.append(token)
        at += step
    return parts


def _escape(token: str, in_class: bool, where: str) -> str:
    letter = token[1:]
    if letter in _CLASSES:
        return _CLASSES[letter] if in_class else f"[{_CLASSES[letter]}]"
    if not letter or letter in _UNPORTABLE or (letter.isdigit() and letter != "0"):
        raise _refused(token, where)
    return token


def _refused(token: str, where: str) -> UserError:
    return UserError(f"the pattern uses {token!r}, which engines read differently", where=where,
                     remedy="spell the characters out, e.g. [0-9] or [^A-Za-z]")  # fmt: skip
