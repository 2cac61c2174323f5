"""Lines of text in the cell of a PDF: signs put in order, raised ones told from those beside them, doubled ones counted once."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from jobs.readers.pdf_seen import CUT, OCR

Char = Mapping[str, Any]
# A blank is at least this wide, a raised sign at most this high, two copies of a sign cover each other this far: in ems.
BLANK, SMALL, COPY = 0.25, 0.8, 0.6
RAISED = str.maketrans("0123456789+-−()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾")
LOWERED = str.maketrans("0123456789+-−()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₍₎")


@dataclass(frozen=True)
class Line:
    """A line of text, where it is, and its words with their left and right side."""

    text: str
    top: float
    bottom: float
    words: tuple[tuple[str, float, float], ...] = ()


def lines(chars: Sequence[Char]) -> tuple[list[Line], set[str]]:
    """Return the lines of a cell from top to bottom, and the signs of doubt that its characters show."""
    seen = [one for one in chars if one["text"].strip()]
    if not seen:
        return [], set()
    signs = {sign for one in seen for sign in _signs(one)}
    if "rotated" in signs:
        return [_rotated(seen)], signs
    kept, over = _once(seen)
    size = median(one["size"] for one in kept)
    large = [one for one in kept if one["size"] >= SMALL * size]
    rows = _rows(large, size)
    for one in kept:
        if one["size"] < SMALL * size:
            _beside(one, rows)
    blanks = [(one["x0"] + one["x1"]) / 2 for one in chars if not one["text"].strip() and one["x1"] > one["x0"]]
    found = [_line(row, blanks) for row in sorted(rows, key=lambda row: median(one["bottom"] for one in row))]
    return found, signs | ({"over"} if over else set())


def joined(found: Sequence[Line]) -> str:
    """Join lines with a blank between words of scripts that have them and between figures, without one in Chinese."""
    text = ""
    for one in found:
        ends = text[-1:] + one.text[:1]
        text += (" " if len(ends) == 2 and (ends.isascii() or ends.isdigit()) else "") + one.text
    return text


def _signs(one: Char) -> list[str]:
    text = one["text"]
    unmapped = text.startswith("(cid:") or any(unicodedata.category(sign) in ("Co", "Cn", "Cc") or sign == "�" for sign in text)
    hidden = [one["tag"]] if one.get("tag") in (CUT, OCR) else []
    return hidden + ["unmapped"] * unmapped + ["rotated"] * (not one.get("upright", True))


def _once(chars: Sequence[Char]) -> tuple[list[Char], bool]:
    """Leave out copies of a sign drawn over itself to make it bold; tell whether another sign lies over one."""
    kept: list[Char] = []
    over = False
    for one in sorted(chars, key=lambda char: (char["x0"], char["top"])):
        same = False
        for other in reversed(kept[-8:]):
            width = min(one["x1"] - one["x0"], other["x1"] - other["x0"])
            across = min(one["x1"], other["x1"]) - max(one["x0"], other["x0"])
            down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
            if width > 0 and across > COPY * width and down > COPY * min(one["height"], other["height"]):
                same = same or one["text"] == other["text"]
                # A mark of Chinese reaches over its neighbour's box; a figure never does.
                over = over or (one["text"] != other["text"] and (one["text"] + other["text"]).isalnum() and _figure(one, other))
        if not same:
            kept.append(one)
    return kept, over


def _figure(*chars: Char) -> bool:
    return any(one["text"].isdigit() for one in chars)


def _rows(chars: Sequence[Char], size: float) -> list[list[Char]]:
    """Group signs of one base line."""
    rows: list[list[Char]] = []
    for one in sorted(chars, key=lambda char: char["bottom"]):
        if rows and one["bottom"] - rows[-1][-1]["bottom"] < 0.4 * size:
            rows[-1].append(one)
        else:
            rows.append([one])
    return rows


def _beside(small: Char, rows: list[list[Char]]) -> None:
    """Put a small sign into the line that it overlaps most, raised or lowered; a line of its own where there is none."""

    def overlap(row: list[Char]) -> float:
        return float(
            min(small["bottom"], median(one["bottom"] for one in row)) - max(small["top"], median(one["top"] for one in row))
        )

    best = max(rows, key=overlap, default=None)
    if best is None or overlap(best) <= 0:
        rows.append([small])
        return
    below = small["bottom"] - median(one["bottom"] for one in best)
    shift = 0.15 * small["size"]
    table = LOWERED if below > shift / 3 else RAISED if below < -shift else {}
    best.append({**small, "text": small["text"].translate(table)})


def _line(chars: list[Char], blanks: Sequence[float]) -> Line:
    words: list[tuple[str, float, float]] = []
    for one in sorted(chars, key=lambda char: char["x0"]):
        apart = words and (
            one["x0"] - words[-1][2] >= BLANK * one["size"] or any(words[-1][2] <= at <= one["x0"] for at in blanks)
        )
        if words and not apart:
            text, x0, x1 = words[-1]
            words[-1] = (text + one["text"], x0, max(x1, one["x1"]))
        else:
            words.append((one["text"], one["x0"], one["x1"]))
    text = ""
    for word, _, _ in words:
        # Chinese is set with space between its characters; a blank is meant between words and figures only.
        wide = text[-1:].isascii() or word[:1].isascii()
        text += (" " if text and wide else "") + word
    top, bottom = min(one["top"] for one in chars), max(one["bottom"] for one in chars)
    return Line(text, top, bottom, tuple(words))


def _rotated(chars: Sequence[Char]) -> Line:
    """Return text that runs upwards or downwards in the order that it is read."""
    up = sum(one.get("matrix", (1, 0))[1] > 0 for one in chars) * 2 > len(chars)
    text = "".join(one["text"] for one in sorted(chars, key=lambda char: (char["x0"], -char["top"] if up else char["top"])))
    return Line(text, min(one["top"] for one in chars), max(one["bottom"] for one in chars))
