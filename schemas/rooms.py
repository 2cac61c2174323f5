"""The folders that hold the rooms: the shipped one, and a user's own project laid over it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from schemas.errors import UserError

SHIPPED = Path(__file__).resolve().parent.parent
VARIABLE = "CARBONLAKE_PROJECT"


def rooms() -> tuple[Path, ...]:
    """Return the folders to look into, the user's project last so that it lies on top."""
    own = os.environ.get(VARIABLE)
    if not own:
        return (SHIPPED,)
    # Asked thousands of times; only a relative path depends on where we are.
    return _laid_over(own, "" if own.startswith("/") else str(Path.cwd()))


@cache
def _laid_over(own: str, here: str) -> tuple[Path, ...]:
    folder = Path(here, own).resolve()
    if not folder.is_dir():
        raise UserError("the project folder does not exist", where=str(folder), remedy="make one: carbonlake init <folder>")
    return (SHIPPED, folder)


def files(room: str, pattern: str) -> Iterator[Path]:
    """Yield the files of a room by pattern; a file of the project hides the shipped one of the same place."""
    found: dict[Path, Path] = {}
    for folder in rooms():
        for path in (folder / room).glob(pattern):
            found[path.relative_to(folder)] = path
    yield from (found[key] for key in sorted(found))


def place(path: Path) -> str:
    """Return the path as a person would name it: relative to the folder of its rooms."""
    for folder in reversed(rooms()):
        if path.is_relative_to(folder):
            return str(path.relative_to(folder))
    return str(path)
