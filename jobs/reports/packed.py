"""Office files whose bytes follow from what they hold: no day of saving, no order of chance."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime

NEVER = (1980, 1, 1, 0, 0, 0)
STAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(<)")


def settled(content: bytes, at: datetime) -> bytes:
    """Return a .docx or .xlsx with fixed days in the archive, and `at` as the day on which it was made."""
    made = io.BytesIO()
    day = rb"\g<1>" + f"{at:%Y-%m-%dT%H:%M:%SZ}".encode() + rb"\g<2>"
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda one: (one != "[Content_Types].xml", one)):
            held = old.read(name)
            entry = zipfile.ZipInfo(name, NEVER)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, STAMP.sub(day, held) if name == "docProps/core.xml" else held)
    return made.getvalue()
