"""The factor library as people look at it: found by words, side by side, through the years, as a file."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jobs.lake import Lake
from jobs.relation import read_rows
from models import units
from schemas.codes import code_list
from schemas.contracts import contract
from schemas.errors import UserError

TABLE = "knowledge.factor"
Row = dict[str, Any]
READ = ("factor_id", "factor_set", "library", "edition", "item_name", "item_name_en", "role", "activity_code", "region_code",
        "industry_code", "technology", "gas", "source", "note", "subject_id", "reason")  # fmt: skip
NAMED = {"activity_code": "activity", "region_code": "region", "industry_code": "industry"}  # whose names are looked at, too
# What makes two rows the same thing in two sets, and the same thing in one set at two times.
THING = ("role", "activity_code", "region_code", "industry_code", "technology", "gas", "subject_id")
SERIES = ("library", "factor_set", *THING, "item_name")


@dataclass(frozen=True)
class Wanted:
    """Which factors are asked for: words that all must be there, exact values, the day they hold, the day they were known."""

    words: tuple[str, ...] = ()
    exact: tuple[tuple[str, str], ...] = ()
    on: date | None = None
    known: date | None = None


def search(lake: Lake, wanted: Wanted) -> list[Row]:
    """Return the factors that fit, by set and role; raise UserError where the library was never built."""
    head = lake.open(TABLE)
    if head is None:
        raise UserError("the factor library was never built", where=TABLE, remedy=f"carbonlake run +{TABLE}")
    rows = [row for row in read_rows(head).to_pylist() if _fits(row, wanted)]
    return sorted(rows, key=lambda row: (row["factor_set"], row["role"], row["factor_id"]))


def compare(lake: Lake, wanted: Wanted) -> list[Row]:
    """Return what several sets tell of one thing, the newest of each, and how much it is of the first, in one unit."""
    found = []
    for _, rows in _grouped(search(lake, wanted), THING, lambda row: row["activity_code"] is not None):
        newest = {row["factor_set"]: row for row in sorted(rows, key=lambda row: row["valid_from"] or date.min)}
        first = next(iter(newest.values()))
        if len(newest) > 1:
            found += [row | {"times": _times(row, first)} for row in newest.values()]
    return found


def history(lake: Lake, wanted: Wanted) -> list[Row]:
    """Return the values of each factor through the years, with the change against the one before in percent."""
    found = []
    for _, rows in _grouped(search(lake, wanted), SERIES, lambda row: row["valid_from"] is not None):
        before = None
        for row in sorted(rows, key=lambda one: (one["valid_from"], one["known_from"] or date.min)):
            found.append(row | {"change_percent": before and (row["value"] / before - 1) * 100})
            before = row["value"]
    return found


def export(lake: Lake, wanted: Wanted, path: Path) -> int:
    """Write the factors that fit, and return how many; .csv as `cleaned.library_factor` reads it, or .json with everything.

    Raise UserError for another ending.
    """
    rows = search(lake, wanted)
    if path.suffix == ".json":
        path.write_text(json.dumps(rows, ensure_ascii=False, default=str, indent=2) + "\n", encoding="utf-8")
    elif path.suffix == ".csv":
        known = contract("cleaned.library_factor").columns.items()
        columns = {name: str(one.from_ or name) for name, one in known if not one.derive}
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns.values())
            writer.writerows([row[name] for name in columns] for row in rows)
    else:
        raise UserError(f"nobody knows how to write {path.suffix or 'a name without an ending'}", where=str(path),
                        remedy="end the name in .csv or .json")  # fmt: skip
    return len(rows)


def _fits(row: Row, wanted: Wanted) -> bool:
    if any(row[name] != value for name, value in wanted.exact):
        return False
    if wanted.on and not (row["valid_from"] or date.min) <= wanted.on <= (row["valid_to"] or date.max):
        return False
    if wanted.known and (row["known_from"] or date.min) > wanted.known:
        return False
    said = " ".join(_said(row)).lower()
    return all(word.lower() in said for word in wanted.words)


def _said(row: Row) -> Iterator[str]:
    """Everything that a row says in words, with the names of its codes in both languages."""
    for name in READ:
        if row[name]:
            yield row[name]
    for name, codes in NAMED.items():
        if row[name]:
            yield _names(codes).get(row[name], "")


@cache
def _names(codes: str) -> dict[str, str]:
    return {row["code"]: f"{row['name']} {row.get('name_en', '')}" for row in code_list(codes)}


def _grouped(rows: Iterable[Row], names: tuple[str, ...], only: Callable[[Row], bool]) -> Iterator[tuple[Any, list[Row]]]:
    def key(row: Row) -> tuple[str, ...]:
        return tuple(str(row[name] or "") for name in names)

    for one, some in groupby(sorted(filter(only, rows), key=key), key):
        yield one, list(some)


def _times(row: Row, first: Row) -> float | None:
    """How much a value is of another, NULL where the units measure different things."""
    try:
        return float(row["value"] * units.factor(row["unit"], first["unit"]) / first["value"]) if first["value"] else None
    except UserError:
        return None
