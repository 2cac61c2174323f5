"""Pages for people where data was asked for: logins, notices, errors with the status of success."""

from __future__ import annotations

import re
from pathlib import Path

from schemas.errors import UserError

BEGINS = re.compile(rb"^(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
TITLE = re.compile(rb"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)
HEAD = 8192
SHOWN = 100


def check(file: Path, format: str, url: str) -> None:
    """Raise UserError where an answer is a page of HTML and the contract reads something else."""
    with file.open("rb") as source:
        head = source.read(HEAD)
    if format == "html" or not BEGINS.match(head):
        return
    title = TITLE.search(head)
    named = f" ({title[1].decode('utf-8', 'replace')[:SHOWN]!r})" if title else ""
    raise UserError(f"it gives a page of HTML{named} where {format} is asked for", where=url,
                    remedy="a login or a notice: see the token and the address")  # fmt: skip
