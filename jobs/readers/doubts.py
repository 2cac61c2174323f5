"""Confidence in a row of a document's table: signs that can be measured, each with the share of trust that it leaves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import prod

# Sign → (share of the trust that is left, what it says). The shares are set so that, at the threshold of 0.8, rows told
# apart by lines of text alone pass and whatever may have changed a digit, or moved it, does not: see docs/documents.md.
SIGNS = {
    "split": (0.9, "rows told apart by lines of text"),
    "spread": (0.75, "one number stands for several rows or columns"),
    "unlike": (0.7, "digits that are no number in a column of numbers"),
    "ocr": (0.7, "the text lies over a picture of the page, as recognition writes it"),
    "aligned": (0.6, "columns guessed from alignment, no lines"),
    "tracked": (0.6, "a change that nobody accepted yet"),
    "gap": (0.5, "no cell in part of the grid"),
    "uneven": (0.5, "cells of one row have different numbers of lines"),
    "broken": (0.5, "a number with a blank inside"),
    "struck": (0.5, "text that is struck through or hidden"),
    "raised": (0.5, "raised or lowered signs beside a number"),
    "rotated": (0.5, "rotated text"),
    "crossing": (0.5, "text runs over the border of a cell"),
    "pages": (0.5, "the row may go on over the end of a page"),
    "cut": (0.5, "part of a text that can't be seen"),
    "nested": (0.5, "a table inside the cell"),
    "over": (0.3, "text over text"),
    "map": (0.3, "a font whose maps to Unicode contradict each other"),
    "unmapped": (0.1, "signs without Unicode"),
}
THRESHOLD = 0.8
_SIGN = "[-−–+]"
_MONEY = r"(?:[¥￥$€£]|US\$|RMB)"
_DIGITS = r"(?:\d{1,3}(?:[,，]\d{3})+|\d{1,3}(?: \d{3})+|\d+)(?:[.．]\d+)?|[.．]\d+"
NUMBER = re.compile(rf"{_SIGN}?\s?{_MONEY}?\s?{_SIGN}?(?:{_DIGITS})(?:[eE]{_SIGN}?\d+)?\s?[%％‰]?|\({_MONEY}?\s?(?:{_DIGITS})\)")
BROKEN = re.compile(rf"{_SIGN}?\d[\d.,，．]*(?:\s+[\d.,，．]+)+\s?[%％]?")
RAISED = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉₊₋]")


def is_number(text: str) -> bool:
    """Tell whether a cell holds one number and nothing else: sign, money, thousands, percent are part of it."""
    return bool(NUMBER.fullmatch(text))


def signs_of(text: str, numbers: bool) -> set[str]:
    """Return the signs that the text of a cell shows; `numbers` where most cells of its column are numbers."""
    if not text or is_number(text):
        return set()
    if BROKEN.fullmatch(text):
        return {"broken"}
    if RAISED.search(text) and is_number(RAISED.sub("", text)):
        return {"raised"}
    return {"unlike"} if numbers and text[:1].isdigit() and text[-1:].isdigit() else set()


def confidence(signs: Iterable[str]) -> float:
    """Return the product of the shares of distinct signs, from 0 to 1."""
    return round(prod(SIGNS[sign][0] for sign in set(signs)), 2)


def doubt(signs: Iterable[str], threshold: float) -> str | None:
    """Return why a row is doubted, worst first; None where its confidence reaches the threshold."""
    told = sorted(set(signs), key=lambda sign: SIGNS[sign])
    found = confidence(told)
    return None if found >= threshold else f"low confidence {found:.2f}: {'; '.join(SIGNS[sign][1] for sign in told)}"
