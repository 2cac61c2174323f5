"""The layout of a text of fixed width, as columns of blanks show it: where its columns are, what they are called."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from jobs.readers.parts import OURS

LINES = 5000
ABOVE = 60  # lines that may stand above a table
HEADS = 3
FEWEST = 3  # lines that make a table
NUMBER = re.compile(r"[-+]?[\d.,:/-]*\d[\d.,:/-]*([eE][-+]?\d+)?|nan", re.IGNORECASE)
COMMENTS = "#%;!*"
DELIMITERS = ",;\t|"


def layout(text: str) -> dict[str, Any] | None:
    """Return the options `columns`, `skip_rows` and `comment` that fit the first lines of a text; None if none do."""
    every = text.splitlines()[:LINES]
    comment = next((sign for sign in COMMENTS if sum(line.startswith(sign) for line in every[:HEADS]) == HEADS), None)
    lines = [(at, line.rstrip()) for at, line in enumerate(every) if line.strip() and not (comment and line.startswith(comment))]
    if len(lines) < FEWEST or any("\t" in line for _, line in lines) or _delimited([line for _, line in lines]):
        return None
    start = _start([line for _, line in lines])
    table = lines[start:]
    places = _runs(_masks([line for _, line in table])[0])
    if len(places) < 2 or len(table) < FEWEST:
        return None
    rows = [[line[first:end].strip() for first, end in places] for _, line in table]
    heads = _heads(rows)
    if len(rows) <= heads:
        return None
    names = (_said(every, comment, len(places)) if comment and not heads else []) or _names(rows[:heads], len(places))
    found: dict[str, Any] = {"columns": {name: [first + 1, end] for name, (first, end) in zip(names, places, strict=True)}}
    found |= {"skip_rows": table[heads][0]} if table[heads][0] and not _only_comments(every[: table[heads][0]], comment) else {}
    return found | ({"comment": comment} if comment else {})


def _said(lines: list[str], comment: str, width: int) -> list[str]:
    """Return the names that a comment gives, one for each column; nothing where none does."""
    words = [re.sub(r"^\w+:\s", "", line.strip(f"{comment} ")).split() for line in lines if line.startswith(comment)]
    named = [some for some in words if len(some) == len(set(some)) == width]
    return named[-1] if named else []


def _only_comments(lines: list[str], comment: str | None) -> bool:
    return bool(comment) and all(line.startswith(str(comment)) or not line.strip() for line in lines)


def _delimited(lines: list[str]) -> bool:
    """Tell whether one sign parts most lines into as many fields."""
    for sign in DELIMITERS:
        number, times = Counter(line.count(sign) for line in lines).most_common(1)[0]
        if number and 2 * times > len(lines):
            return True
    return False


def _masks(lines: list[str]) -> list[int]:
    """Return for each line which positions are taken in it or in any below, as bits."""
    found, mask = [0] * len(lines), 0
    for at in range(len(lines) - 1, -1, -1):
        mask |= sum(1 << place for place, sign in enumerate(lines[at]) if not sign.isspace())
        found[at] = mask
    return found


def _runs(mask: int) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer("1+", bin(mask)[:1:-1])]


def _start(lines: list[str]) -> int:
    """Return the first line of the table: titles above it run across the blanks between its columns."""
    masks = _masks(lines)
    most = min(len(lines) // 2, ABOVE)
    wanted = len(_runs(masks[most]))
    return next(at for at in range(most + 1) if len(_runs(masks[at])) >= wanted)


def _heads(rows: list[list[str]]) -> int:
    """Return how many lines are the header: those without a number where most rows have one."""
    most = [at for at in range(len(rows[0])) if 2 * sum(bool(NUMBER.fullmatch(row[at])) for row in rows) > len(rows)]
    for number, row in enumerate(rows[: HEADS + 1]):
        if not most or any(NUMBER.fullmatch(row[at]) for at in most):
            return number
    return HEADS


def _names(heads: list[list[str]], width: int) -> list[str]:
    found: list[str] = []
    for at in range(width):
        name = " ".join(row[at] for row in heads if row[at].strip("-=_ ")) or f"column_{at + 1}"
        same = sum(re.fullmatch(rf"{re.escape(name.casefold())}(_\d+)?", other.casefold()) is not None for other in found)
        found.append(f"{name}_{same + 1}" if same or name in OURS else name)
    return found
