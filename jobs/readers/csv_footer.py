"""The footer of a CSV file: last lines that are no rows, found from the end so that nothing in the middle is taken for it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas.errors import UserError

# A footer is looked for in so many last lines, so that no pattern can take the middle of a file for its end.
FOOTER_LINES = 100
NAMED = 5  # of its lines, so many are named


@dataclass
class Footer:
    """The last lines of a file that are no rows: how many there are, and the first of them."""

    lines: int = 0
    text: list[str] = field(default_factory=list)


def check_footer(footer: int | str | None, where: str) -> None:
    """Raise UserError for a footer that can't be."""
    if isinstance(footer, int) and not 0 <= footer <= FOOTER_LINES:
        raise UserError(f"option 'footer': {footer} last lines", where=where, remedy=f"0 to {FOOTER_LINES}")
    if isinstance(footer, str):
        try:
            re.compile(footer)
        except re.error as error:
            raise UserError(f"option 'footer': {footer!r} is no regular expression: {error}", where=where,
                            remedy="for example '^(Total|Source)'") from None  # fmt: skip


def without_footer(
    blocks: Iterator[bytes], footer: int | str, encoding: str, delimiter: str, width: int, found: Footer
) -> Iterator[bytes]:  # fmt: skip
    """Yield blocks of whole lines without the footer at their end, which is told in `found`."""
    held = b""
    for block in blocks:
        if block.count(b"\n") > 2 * FOOTER_LINES:
            yield held
            held = block
        else:
            held += block
    lines = held.removesuffix(b"\n").rsplit(b"\n", 2 * FOOTER_LINES) if held else []
    texts = [line.decode(encoding, "replace").removesuffix("\r") for line in lines]
    # The first piece is whatever is before the last lines, not a line.
    cut = _first_of_footer(texts[1:] if len(texts) > 2 * FOOTER_LINES else texts, footer, delimiter, width)
    found.lines = cut
    found.text = [text[:200] for text in texts[len(texts) - cut :]][:NAMED]
    kept = lines[: len(lines) - cut]
    if kept:
        yield b"\n".join(kept) + b"\n"


def _first_of_footer(texts: list[str], footer: int | str, delimiter: str, width: int) -> int:
    """Return how many of the last lines are the footer.

    With a pattern it begins at a line that matches, and holds nothing that could be a row: each line of it matches,
    is empty, or has another number of fields than there are columns.
    """
    if isinstance(footer, int):
        return _last(texts, footer)
    begun = 0
    for number, text in enumerate(reversed(texts[-FOOTER_LINES:]), start=1):
        if re.search(footer, text.removeprefix('"')) or re.search(footer, text):
            begun = number
        elif not barely(text, delimiter, width):
            break
    if begun:  # empty lines before it are part of it
        while begun < len(texts) and not _fields(texts[-begun - 1], delimiter):
            begun += 1
    return begun


def _last(texts: list[str], number: int) -> int:
    taken = full = 0
    for text in reversed(texts):
        if full == number:
            break
        taken += 1
        full += bool(text.strip())
    return taken


def barely(text: str, delimiter: str, width: int) -> bool:
    """Tell whether a line can't be a row: nothing in it, one cell of many alone, or another number of fields."""
    filled = _fields(text, delimiter)
    return not filled or (width > 2 and len(filled) < 2) or _width(text, delimiter) != width


def _fields(text: str, delimiter: str) -> list[str]:
    return [one for one in fields_of(text, delimiter) if one.strip()]


def _width(text: str, delimiter: str) -> int:
    return len(fields_of(text, delimiter))


def fields_of(text: str, delimiter: str) -> list[str]:
    """Return the fields of one line, as they are without quotes where quotes do not fit."""
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return text.split(delimiter)
