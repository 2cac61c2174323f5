"""The secrets that settings hold: which they are, and how text is rid of them before anybody reads it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

NAMED = re.compile(r"secret|token|password|access.?key|credential|authorization", re.IGNORECASE)
# Where secrets come from besides our settings: the default chain of object stores, and what `carbonlake stack` sets.
VARIABLES = ("AWS_", "CARBONLAKE_")
# Shorter ones are words and numbers; to take them out of every line would leave nothing to read.
SHORTEST = 6
HIDDEN = "***"
# What gives a secret away wherever it comes from: a URL's user, a header, a key with its value.
PATTERNS = (
    (re.compile(r"(?<=://)[^/\s:@'\"]+:[^/\s@'\"]+(?=@)"), HIDDEN),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"""([\w.-]*(?:secret|token|password|passwd|access.?key|credential|signature)[\w.-]*)(['"]?\s*=\s*|['"]\s*:\s*)"""
            r"""(?:"[^"\n]{3,}"|'[^'\n]{3,}'|[^\s'",;&{}()\[\]]{3,})""",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
)
_known: set[str] = set()


def learn(values: Mapping[str, Any], *, always: bool = False) -> None:
    """Remember the values that must never be shown: those whose names say so (`always`: all), mappings included."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            learn(value)
        elif isinstance(value, str) and len(value) >= SHORTEST and (always or NAMED.search(name)):
            _known.update(_written(value))


def _written(value: str) -> set[str]:
    """Return the ways in which a value stands in texts: as it is, in a URL, in JSON, and as Python shows it."""
    return {value, quote(value), quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], repr(value)[1:-1]}


def redact(text: str) -> str:
    """Return a text without any secret that is known, nor anything that looks like one."""
    learn({name: value for name, value in os.environ.items() if name.startswith(VARIABLES)})
    # The longest first: a secret may hold another.
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern, shown in PATTERNS:
        text = pattern.sub(shown, text)
    return text
