"""Files that lie somewhere, each taken whenever its state is not the one that was taken last, as its receipts tell."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from jobs.fetch import Asked

UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload")


@dataclass(frozen=True)
class There:
    """A file that is there: its name below the place, when it was changed, and what tells its state from another one."""

    name: str
    changed: float
    state: dict[str, Any]


def fresh(asked: Asked, found: Iterable[There]) -> list[There]:
    """Return the files that fit the pattern and were not taken last in this state, the oldest first.

    One that is again what it was two states ago is taken again: the state between is no longer what is there.

    Hidden files, and those whose names say that they are being written, are passed over.
    """
    taken = {one.name: one.declared for one in asked.brought() if one.declared}
    fitting = [one for one in found if fnmatchcase(one.name, asked.how.pattern) and not _unfinished(one.name)]
    left = [one for one in fitting if json.dumps(one.state, ensure_ascii=False, sort_keys=True) != taken.get(one.name)]
    return sorted(left, key=lambda one: (one.changed, one.name))


def _unfinished(name: str) -> bool:
    path = PurePosixPath(name)
    return any(part.startswith(".") for part in path.parts) or path.suffix.lower() in UNFINISHED or name.endswith("/")
