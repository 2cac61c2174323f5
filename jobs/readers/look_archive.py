"""A look into an archive: what its members are, and those of one shape that a contract would read."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path, PurePosixPath
from typing import Any

from jobs.readers import FORMATS, sniff
from jobs.readers.archive import OPTION, patterns
from jobs.readers.cage import unpack_caged
from jobs.readers.look_file import Found, look_at
from schemas.errors import UserError

# What people bring figures in, before what comes along with them.
ASIDE = ("html", "word", "pdf")
LOOKED_INTO = 20


def look_into(path: Path, format: str, given: Mapping[str, Any]) -> Found:
    """Look into the members of an archive: those that the option names, or the largest number of one shape."""
    wanted = patterns(given, path.name) if OPTION in given else ["*"]
    rest = {name: value for name, value in given.items() if name != OPTION}
    with tempfile.TemporaryDirectory(prefix="carbonlake-") as folder:
        files = {name: Path(folder, file) for name, file in unpack_caged(path, Path(folder), wanted, path.name).items()}
        kinds = {name: _kind(file, name, format) for name, file in files.items()}
        groups = _groups(files, kinds, rest, path.name)
        best = max(
            groups, key=lambda one: (kinds[one[0]] not in ASIDE, len(one), sum(files[name].stat().st_size for name in one))
        )
        inside, read_as, chosen = _named(files[best[0]], best[0], kinds[best[0]], rest, path.name)
    members = given[OPTION] if OPTION in given else _pattern(best, list(files))
    tables = {"tables": inside["tables"]} if "tables" in inside else {}
    others = [f"{name} ({kinds[name]})" for name in files if name not in best]
    unread = {"not_read": others[:LOOKED_INTO] + ["…"] * (len(others) > LOOKED_INTO)} if others else {}
    return {OPTION: kinds, **unread, best[0]: inside, **tables}, read_as, {OPTION: members, **chosen}


def _kind(file: Path, name: str, format: str) -> str:
    """Return the format of a member, or why there is none."""
    try:
        return format or sniff.format_of(file, name)
    except UserError as error:
        return error.what


def _groups(files: Mapping[str, Path], kinds: Mapping[str, str], given: Mapping[str, Any], where: str) -> list[list[str]]:
    """Return the members of one format, ending and shape together, of those that can be read."""
    shapes: dict[str, list[str]] = {}
    why: UserError | None = None
    looked: dict[tuple[str, str], int] = {}
    for name, file in files.items():
        alike = (kinds[name], PurePosixPath(name).suffix.lower())
        if kinds[name] not in FORMATS:
            continue
        looked[alike] = looked.get(alike, 0) + 1
        try:
            inside, _, chosen = _named(file, name, kinds[name], given, where) if looked[alike] <= LOOKED_INTO else ({}, "", {})
        except UserError as error:
            why = why or error
            continue
        shape = repr((alike, inside.get("columns") or sorted(inside), chosen)) if inside else repr(alike)
        shapes.setdefault(shape, []).append(name)
    if not shapes:
        there = ", ".join(f"{name} ({kind})" for name, kind in list(kinds.items())[:LOOKED_INTO])
        raise why or UserError("none of its members can be read", where=where, remedy=f"it has {there}")
    return list(shapes.values())


def _named(file: Path, name: str, format: str, given: Mapping[str, Any], where: str) -> Found:
    """Look into a member; what is wrong with it is told by its name."""
    try:
        return look_at(file, format, given)
    except UserError as error:
        place = error.where.replace(file.name, f"{where}/{name}")
        raise UserError(error.what, where=place, remedy=error.remedy) from None


def _pattern(chosen: list[str], every: list[str]) -> str | list[str]:
    """Return the shortest pattern that names these members and no others, or all their names."""
    first = PurePosixPath(chosen[0])
    for pattern in (f"*{first.suffix}", f"{escape(first.parent.name)}/*{first.suffix}" if first.parent.name else "*"):
        parts = PurePosixPath(pattern).parts
        fits = [name for name in every if _fits(PurePosixPath(name).parts, parts)]
        if sorted(fits) == sorted(chosen):
            return pattern
    return escape(chosen[0]) if len(chosen) == 1 else [escape(name) for name in chosen]


def _fits(name: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    return len(name) >= len(pattern) and all(map(fnmatchcase, name[-len(pattern) :], pattern))
