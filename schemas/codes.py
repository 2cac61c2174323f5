"""Code lists: CSV files with a `code` column, and validity where the list has history."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from schemas import rooms
from schemas.errors import UserError


def code_list(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a code list, columns as in its CSV. Raise UserError if there is no such list."""
    return _read(name, rooms.rooms())


def code_lists() -> tuple[str, ...]:
    """Return the names of all code lists."""
    return tuple(path.stem for path in rooms.files("schemas", "codes/*.csv"))


def codes(name: str) -> frozenset[str]:
    """Return the codes of a list, whatever their validity."""
    return frozenset(row["code"] for row in code_list(name))


@cache
def _read(name: str, folders: tuple[Path, ...]) -> tuple[dict[str, str], ...]:
    paths = list(rooms.files("schemas", f"codes/{name}.csv"))
    if not paths:
        raise UserError(f"there is no code list {name!r}", remedy=f"known: {', '.join(code_lists())}")
    with paths[0].open(encoding="utf-8", newline="") as file:
        rows = tuple(csv.DictReader(file))
    if rows and "code" not in rows[0]:
        raise UserError("a code list has a column `code`", where=rooms.place(paths[0]))
    return rows
