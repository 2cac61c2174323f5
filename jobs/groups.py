"""Readings of many small deliveries together: one folder with the rows of all, and one mark that tells of each.

A Parquet file for every delivery of a few kilobytes costs more than its rows, in writing it and each time it is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.land import Receipt
from jobs.readers import TOGETHER
from jobs.readers.sniff import GZIP
from schemas.contract import Source

MARK = "read.json"
PREFIX = "together-"
SMALL = 1 << 18  # bytes of a delivery
FEWEST, MOST = 20, 1000  # deliveries that are read together


@dataclass(frozen=True)
class Group:
    """A folder with the readings of several deliveries: the mark of each."""

    folder: Path
    marks: Mapping[int, Mapping[str, Any]]

    @property
    def holds(self) -> frozenset[int]:
        """The deliveries whose rows lie here."""
        return frozenset(self.marks)


def lots(source: Source, receipts: Sequence[Receipt]) -> list[Sequence[Receipt]]:
    """Return the receipts that are read together, lot by lot; those of none are read each for itself."""
    if source.format not in TOGETHER or "members" in source.options:
        return []
    small = [one for one in receipts if one.size_bytes <= SMALL and one.media_type != GZIP]
    return [lot for start in range(0, len(small), MOST) if len(lot := small[start : start + MOST]) >= FEWEST]


def known(folder: Path) -> list[Group]:
    """Return the groups of a table."""
    return [group for path in sorted(folder.glob(f"{PREFIX}*/{MARK}")) if (group := _read(path))]


def _read(path: Path) -> Group | None:
    try:
        marks = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:  # another build has put it away
        return None
    return Group(path.parent, {int(number): mark for number, mark in marks.items()})


def settle(out: Path, folder: Path, marks: Mapping[int, Mapping[str, Any]]) -> Group:
    """Put a reading into its place among those of its table; where a build at once was faster, its own serves as well."""
    (out / MARK).write_text(json.dumps(marks), encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    what = hashlib.sha256(json.dumps(sorted((number, mark["how"]) for number, mark in marks.items())).encode())
    place = folder / f"{PREFIX}{min(marks):08d}-{what.hexdigest()[:12]}"
    try:
        out.rename(place)
    except OSError:
        if not (place / MARK).is_file():
            raise
    return Group(place, marks)


def put_away(groups: Iterable[Group], how: Mapping[int, str], staging: Path) -> None:
    """Move groups whose every reading is outdated into a staging, which is swept."""
    for group in groups:
        asked = [number for number in group.marks if number in how]
        if asked and not any(group.marks[number]["how"] == how[number] for number in asked):
            try:
                group.folder.rename(staging / f"old-{group.folder.name}")
            except OSError:  # another build was faster
                continue


def valid(groups: Iterable[Group], how: Mapping[int, str]) -> Iterator[tuple[int, Group]]:
    """Yield the deliveries whose readings in groups are those that are asked for."""
    for group in groups:
        for number, mark in group.marks.items():
            if mark["how"] == how.get(number):
                yield number, group
