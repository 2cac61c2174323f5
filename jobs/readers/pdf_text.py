"""Text of a PDF's page: lines in the order they are read, column by column, joined into paragraphs with headings told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from jobs.readers.passages import is_heading

# A heading is set larger than the body; a paragraph ends where the gap to the next line is wider than usual, or
# where a line stops short of the right margin.
LARGER, GAP, SHORT, LONGEST_TITLE = 1.15, 1.4, 0.9, 80
# Columns of text: white between them this wide in ems, lines on either side, that fill so much of their column.
GUTTER, LINES, FILLED, CUTS = 0.8, 5, 0.6, 8
ROTATED = {"char_dir_rotated": "btt", "line_dir_rotated": "ltr"}  # text on its side runs upwards
Box = tuple[float, float, float, float]


@dataclass
class Line:
    """One line with its box and the size of its letters."""

    text: str
    box: Box
    size: float


def paragraphs(page: Any, tables: Sequence[Box]) -> Iterator[tuple[str, Box, bool]]:
    """Yield text, box and whether it is a heading, outside of tables, as people read it: columns one after the other."""
    outside = page.filter(lambda one: not any(inside(one, box) for box in tables)) if tables else page
    if is_vertical(outside.chars):
        yield from _paragraphs(_lines(outside, char_dir="ttb", line_dir="rtl"), upright=False)
        return
    words = outside.filter(lambda one: one.get("upright", True)).extract_words()
    areas = _areas([(w["x0"], w["top"], w["x1"], w["bottom"]) for w in words]) if words else []
    if len(areas) < 2:
        yield from _paragraphs(_lines(outside))
        return
    for area in areas:
        part = outside.filter(lambda one, area=area: one["object_type"] == "char" and inside(one, area))
        yield from _paragraphs(_lines(part))


def is_vertical(chars: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether Chinese runs from top to bottom: most characters follow right below the one before."""
    han = [one for one in chars if "\u3400" <= one["text"][:1] <= "\u9fff"]
    below = sum(abs(a["x0"] - b["x0"]) < 0.3 * a["size"] and 0.5 < (b["top"] - a["top"]) / (a["size"] or 1) < 2
                for a, b in pairwise(han))  # fmt: skip
    return len(han) > 3 and below > 0.6 * (len(han) - 1)


def inside(one: Mapping[str, Any], box: Box) -> bool:
    """Tell whether the middle of something is in a box."""
    x, y = (one["x0"] + one["x1"]) / 2, (one["top"] + one["bottom"]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _lines(page: Any, **directions: str) -> list[Line]:
    return [
        Line(" ".join(one["text"].split()), (one["x0"], one["top"], one["x1"], one["bottom"]),
              median(char["size"] for char in one["chars"]))
        for one in page.extract_text_lines(return_chars=True, **ROTATED, **directions) if one["text"].strip()
    ]  # fmt: skip


def _areas(words: list[Box], depth: int = 12) -> list[Box]:
    """Cut a page into columns where white runs down between lines of text (recursive X-Y cut, Nagy and Seth 1984)."""
    height = median(word[3] - word[1] for word in words)
    whole = (min(w[0] for w in words), min(w[1] for w in words), max(w[2] for w in words), max(w[3] for w in words))
    if depth == 0 or len(words) < 2 * LINES:
        return [whole]
    left, right = _columns(words, height)
    if left and right:
        return _areas(left, depth - 1) + _areas(right, depth - 1)
    above, below = next(_cuts(words, 1, 0.5 * height), ([], []))
    if not above or not below:
        return [whole]
    parts = _areas(above, depth - 1), _areas(below, depth - 1)
    # A cut across the page is worth it only where it lets a column be seen.
    return parts[0] + parts[1] if len(parts[0]) + len(parts[1]) > 2 else [whole]


def _columns(words: list[Box], height: float, depth: int = 3) -> tuple[list[Box], list[Box]]:
    """Cut words into two sides of which each is a column of text, or several."""
    for left, right in _cuts(words, 0, GUTTER * height):
        sides = (_is_prose(part) or (depth > 0 and _columns(part, height, depth - 1)[0]) for part in (left, right))
        if all(sides):
            return left, right
    return [], []


def _cuts(words: list[Box], axis: int, least: float) -> Iterator[tuple[list[Box], list[Box]]]:
    """Cut words at the white along an axis that is wide enough, the widest first."""
    ordered = sorted(words, key=lambda word: word[axis])
    gaps, end = [], ordered[0][axis + 2]
    for word in ordered[1:]:
        if word[axis] - end > least:
            gaps.append((end - word[axis], word[axis]))
        end = max(end, word[axis + 2])
    for _, place in sorted(gaps)[:CUTS]:
        yield [w for w in words if w[axis] < place], [w for w in words if w[axis] >= place]


def _is_prose(words: list[Box]) -> bool:
    """Tell lines of text from the column of a table: there are some, and they fill the width."""
    rows: dict[int, list[Box]] = {}
    for word in words:
        rows.setdefault(round(word[3] / 3), []).append(word)
    width = max(w[2] for w in words) - min(w[0] for w in words)
    long = [row for row in rows.values() if max(w[2] for w in row) - min(w[0] for w in row) > FILLED * width]
    return len(rows) >= LINES and 2 * len(long) >= len(rows)


def _paragraphs(lines: list[Line], upright: bool = True) -> Iterator[tuple[str, Box, bool]]:
    """Join lines into paragraphs; a heading stands alone."""
    if not lines:
        return
    body = median(one.size for one in lines)
    right = max(one.box[2] for one in lines) if upright else 0.0
    # From line to line, of pairs that are lines of one column.
    pitch = median([b.box[1] - a.box[1] for a, b in pairwise(lines) if b.box[1] > a.box[1]] or [0.0])
    open_, open_level = [lines[0]], _level(lines[0], body)
    for one in lines[1:]:
        level = _level(one, body)
        # A title may run over several lines; a numbered heading is one line.
        ends = upright and _ends(open_[-1], one, pitch, right, level == "title")
        if level == open_level and level != "numbered" and not ends:
            open_.append(one)
        else:
            yield _joined(open_, bool(open_level))
            open_, open_level = [one], level
    yield _joined(open_, bool(open_level))


def _level(one: Line, body: float) -> str:
    """Say whether a line is a heading: `numbered`, a `title` by its size, or body ("")."""
    if is_heading(one.text):
        return "numbered"
    return "title" if one.size > LARGER * body and len(one.text) < LONGEST_TITLE else ""


def _ends(before: Line, after: Line, pitch: float, right: float, centred: bool) -> bool:
    """Tell whether a paragraph ends with a line: a wide gap follows, or it stops short of the right margin."""
    wide = after.box[1] - before.box[1] > GAP * pitch
    return wide or (not centred and before.box[2] < SHORT * right)


def _joined(lines: list[Line], top: bool) -> tuple[str, Box, bool]:
    """Join with a blank only between words of scripts that have them; a number may break at any digit."""
    text = lines[0].text
    for one in lines[1:]:
        ends = text[-1:] + one.text[:1]
        text += (" " if ends.isascii() and not ends.isdigit() else "") + one.text
    x0, y0, x1, y1 = zip(*(one.box for one in lines), strict=True)
    return text, (min(x0), min(y0), max(x1), max(y1)), top
