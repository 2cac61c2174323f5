"""A look into a file before anything is believed: what it is, what is inside, and the options that its reader needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.readers import FORMATS, sniff
from jobs.readers.archive import OPTION
from jobs.readers.look_archive import look_into
from jobs.readers.look_file import Found, look_at
from schemas.errors import UserError


def look(path: Path, format: str, given: Mapping[str, Any]) -> Found:
    """Return what is inside a file, the format that it was read as (the one named, or what its bytes say), and its options.

    Where the reader says which option it lacks, such as another delimiter, that is taken. Raise UserError where the bytes
    are of no format that is read, or can't be read with the options.
    """
    if not path.is_file():
        raise UserError("there is no such file", where=str(path), remedy="check the path")
    if format and format not in FORMATS:
        raise UserError(f"there is no reader for format {format!r}", where="--format", remedy=f"known: {', '.join(FORMATS)}")
    if OPTION in given or (format != "file" and sniff.is_archive(path)):  # a file is kept as it is
        return look_into(path, format, given)
    return look_at(path, format, given)
