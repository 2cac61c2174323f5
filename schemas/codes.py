"""Code lists: CSV files with a `code` column, dated editions of them, and validity where a list has history.

`codes/<list>.csv` holds rows with days of their own; `codes/<list>@<day>.csv` is the whole list as it is from that day
until the next edition. To place such a file is all it takes to add an edition.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from schemas import rooms
from schemas.errors import UserError

Row = dict[str, str]
DATED = "@"
OF_SEVERAL = "|"  # between the successors of a code that was divided


def code_list(name: str) -> tuple[Row, ...]:
    """Return the rows of a code list, columns as in its CSV. Raise UserError if there is no such list."""
    return _read(name, rooms.rooms())


def code_lists() -> tuple[str, ...]:
    """Return the names of all code lists."""
    return tuple(sorted({path.stem.split(DATED)[0] for path in rooms.files("schemas", "codes/*.csv")}))


def codes(name: str) -> frozenset[str]:
    """Return the codes of a list, whatever their validity."""
    return frozenset(row["code"] for row in code_list(name))


def periods(name: str) -> Mapping[tuple[str, str], frozenset[str]]:
    """Return (first day, last day) → the codes in force from the one to the other; an empty day stands for no bound."""
    found: dict[tuple[str, str], set[str]] = {}
    for row in code_list(name):
        found.setdefault((row.get("valid_from") or "", row.get("valid_to") or ""), set()).add(row["code"])
    return {days: frozenset(some) for days, some in sorted(found.items())}


def successors(name: str, on: str) -> Mapping[str, tuple[str, ...]]:
    """Return each code that is not in force on a day (ISO) → those in force that came of it, followed through time.

    Several are those of a code that was divided; which of them is meant nobody can say from the code alone. A code
    without a named successor has none.
    """
    live = {row["code"] for row in code_list(name) if (row.get("valid_from") or "") <= on <= (row.get("valid_to") or "9999")}
    heirs: dict[str, list[str]] = {}
    for row in code_list(name):
        heirs.setdefault(row["code"], []).extend(part for part in (row.get("successor") or "").split(OF_SEVERAL) if part)
    return {code: tuple(sorted(_heirs(code, heirs, live, frozenset()))) for code in heirs if code not in live}


def _heirs(code: str, heirs: Mapping[str, Iterable[str]], live: set[str], seen: frozenset[str]) -> set[str]:
    found: set[str] = set()
    for heir in heirs.get(code, ()):
        if heir in live:
            found.add(heir)
        elif heir not in seen:  # codes that name each other lead nowhere
            found |= _heirs(heir, heirs, live, seen | {code})
    return found


@cache
def _read(name: str, folders: tuple[Path, ...]) -> tuple[Row, ...]:
    editions = sorted(_editions(name).items())
    if not editions:
        raise UserError(f"there is no code list {name!r}", remedy=f"known: {', '.join(code_lists())}")
    rows: list[Row] = []
    for place, (begins, path) in enumerate(editions):
        later = editions[place + 1][0] if place + 1 < len(editions) else ""
        rows += _rows(path, begins, later)
    return tuple(rows)


def _editions(name: str) -> dict[str, Path]:
    """Return first day → file; the file without a day comes first."""
    found = {}
    for path in (p for p in rooms.files("schemas", "codes/*.csv") if p.stem.split(DATED)[0] == name):
        day = path.stem.partition(DATED)[2]
        try:
            found[date.fromisoformat(day).isoformat() if DATED in path.stem else ""] = path
        except ValueError:
            raise UserError(f"{day!r} is no day", where=rooms.place(path),
                            remedy=f"name the edition by its first day, {name}{DATED}2017-10-01.csv") from None  # fmt: skip
    return found


def _rows(path: Path, begins: str, later: str) -> list[Row]:
    """Return the rows of an edition with the days on which they hold."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if rows and "code" not in rows[0]:
        raise UserError("a code list has a column `code`", where=rooms.place(path))
    if not begins and not later:
        return rows
    ends = (date.fromisoformat(later) - timedelta(1)).isoformat() if later else ""
    own = [row | {"valid_from": row.get("valid_from") or begins, "valid_to": row.get("valid_to") or ends} for row in rows]
    return [row | {"valid_to": min(row["valid_to"], ends) if ends else row["valid_to"]} for row in own
            if not ends or row["valid_from"] <= ends]  # fmt: skip
