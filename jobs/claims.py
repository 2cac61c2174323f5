"""Who claims a delivery, and by which name its redeliveries are known: the pattern of its source, or a drop folder."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from schemas.contract import Contract
from schemas.contracts import contracts


def claim(path: PurePosixPath) -> Contract | None:
    """Return the one contract that claims a place, None where none or several do.

    A folder named after a table (`…/cleaned.meter/…`) says it outright; else the end of the path must match
    `<zone>/<path>` of a source.
    """
    readers = {table: one for table, one in contracts().items() if one.source and not one.source.of}
    dropped = [readers[part] for part in path.parts[:-1] if part in readers]
    if dropped:
        return dropped[-1]
    fitting = [one for one in readers.values() if _fits(path, _patterns(one, zone=True))]
    return fitting[0] if len(fitting) == 1 else None


def name(path: PurePosixPath, relative: PurePosixPath, owner: Contract | None) -> str:
    """Return the name of a delivery: what the owner's pattern matches of its path, else its place in what was landed."""
    if owner is not None:
        pattern = _patterns(owner, zone=False)
        if _fits(path, pattern):
            return "/".join(path.parts[-len(pattern) :])
        if owner.table in path.parts[:-1]:
            last = max(at for at, part in enumerate(path.parts) if part == owner.table)
            return "/".join(path.parts[last + 1 :])
    return str(relative)


def _patterns(one: Contract, *, zone: bool) -> tuple[str, ...]:
    assert one.source
    return PurePosixPath(one.source.zone if zone else "", one.source.path).parts


def _fits(path: PurePosixPath, pattern: tuple[str, ...]) -> bool:
    """Tell whether the end of a path matches, folder by folder; `*` never spans folders."""
    tail = path.parts[-len(pattern) :]
    return len(tail) == len(pattern) and all(map(fnmatchcase, tail, pattern))
