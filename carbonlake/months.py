"""Months as people write them on the command line, and as the names of deliveries show them."""

from __future__ import annotations

import re
from pathlib import Path

from schemas.errors import UserError

ASKED = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
# 2026-01, 202601, 2026_01, 2026/01, 2026年1月, each with or without a day, in the name of a file or of a folder.
NAMED = re.compile(r"(?<!\d)(\d{4})(?:[-_/.]?(0[1-9]|1[0-2])(?:[-_/.]?(?:0[1-9]|[12]\d|3[01]))?(?!\d)|年(0?[1-9]|1[0-2])月)")


def checked(month: str, where: str = "--month") -> str:
    """Return a month as it was asked for, or nothing; raise UserError, which names the option, for another text."""
    if month and not ASKED.fullmatch(month):
        raise UserError(
            f"{month!r} is no month", where=where, remedy="write it like 2026-01" + (", or all" if where == "--land" else "")
        )
    return month


def of_month(folder: Path, month: str) -> list[str]:
    """Return the files below a folder whose path there names a month."""
    return [path for path, months in _files(folder) if month in months]


def without_month(folder: Path) -> list[str]:
    """Return the files below a folder whose path there names none."""
    return [path for path, months in _files(folder) if not months]


def _files(folder: Path) -> list[tuple[str, set[str]]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(str(path), named(path.relative_to(folder).as_posix())) for path in files]


def named(path: str) -> set[str]:
    """Return the months that a path names, as 2026-01."""
    return {f"{year}-{int(plain or chinese):02d}" for year, plain, chinese in NAMED.findall(path)}
