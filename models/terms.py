"""The terms that a text is found by: words in Latin letters, and pairs of neighbouring Chinese characters."""

from __future__ import annotations

import re

HAN = "[\u4e00-\u9fff]"
WORD = "[a-z0-9]+"


def terms(text: str) -> list[str]:
    """Return the terms of a text or a query; a single Chinese character between others gives none."""
    lower = text.lower()
    pairs = [lower[i : i + 2] for i in range(len(lower) - 1)]
    return re.findall(WORD, lower) + [pair for pair in pairs if re.fullmatch(HAN * 2, pair)]
