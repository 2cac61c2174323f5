"""Restatements of a lake: each a lake of its own beside the tables, which shares their files and says what it is of."""

from __future__ import annotations

import difflib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from jobs import deltalog, store
from jobs.lake import Lake
from models.variant import PUBLISHED, Variant
from schemas.errors import UserError

FOLDER, FILE = "_variants", "_variant.json"
LINES = "business.emission"


@dataclass(frozen=True)
class Copy(Lake):
    """A lake of links to another, from which it takes the bytes of deliveries as well."""

    of: Lake | None = None

    def delivery(self, sha256: str, *, anew: bool = False) -> Path:
        """Return the bytes of a delivery, of the other lake where they are not here."""
        path = self.delivery_path(sha256)
        return path if path.is_file() or self.of is None else self.of.delivery(sha256, anew=anew)


@dataclass(frozen=True)
class Restated:
    """What a restatement is: its name, what it was calculated under, when, and the versions that it rests on."""

    name: str
    variant: Variant
    factors: int | None
    made_at: datetime
    versions: Mapping[str, int] = field(default_factory=dict)

    def as_row(self) -> dict[str, Any]:
        """Return it for people: one line of a list."""
        return {"variant": self.name, "gwp_set": self.variant.gwp_set, "known_on": self.variant.known_on,
                "factors": self.factors, "made_at": self.made_at}  # fmt: skip


def variant_of(lake: Lake) -> Variant:
    """Return what a lake is calculated under: PUBLISHED, unless it is a restatement."""
    found = noted(lake.folder)
    return found.variant if found else PUBLISHED


def note(folder: Path, made: Restated) -> None:
    """Write down in a restatement's folder what it is."""
    store.write(folder / FILE, json.dumps(asdict(made), default=str, ensure_ascii=False).encode())


def noted(folder: Path) -> Restated | None:
    """Return what restatement a folder is, None where it is none."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    known = found["variant"]["known_on"]
    variant = Variant(found["variant"]["gwp_set"], date.fromisoformat(known) if known else None)
    return Restated(found["name"], variant, found["factors"], datetime.fromisoformat(found["made_at"]), found["versions"])


def folder(lake: Lake, name: str) -> Path:
    """Return where a restatement of a lake lies, if it is there."""
    return lake.folder / FOLDER / name


def listed(lake: Lake) -> list[Restated]:
    """Return the restatements of a lake, the newest first."""
    found = [noted(path) for path in (lake.folder / FOLDER).glob("*")]
    return sorted((one for one in found if one), key=lambda one: one.made_at, reverse=True)


def restated(lake: Lake, name: str) -> Restated:
    """Return a restatement by its name. Raise UserError with near names where there is none."""
    known = {one.name: one for one in listed(lake)}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3) or list(known)[:3]
        remedy = f"did you mean {', '.join(near)}?" if near else "`carbonlake restate --gwp AR6` makes one"
        raise UserError(f"there is no restatement {name!r}", where=str(lake.root), remedy=remedy)
    return known[name]


def opened(lake: Lake, name: str) -> Lake:
    """Return a restatement as a lake. Raise UserError where there is none of that name."""
    return Copy(folder(lake, restated(lake, name).name), of=lake)


def drop(lake: Lake, name: str) -> None:
    """Take a restatement away; what is published shares files with it and keeps them."""
    place = folder(lake, restated(lake, name).name)
    # Renamed first: a half-removed restatement is none.
    gone = lake.staging(f"drop-{datetime.now(UTC):%Y%m%dT%H%M%S%f}") / "lake"
    place.rename(gone)
    shutil.rmtree(gone.parent, ignore_errors=True)


def behind(lake: Lake, one: Restated) -> list[str]:
    """Return the tables that have changed since a restatement: those it rests on, and line items that are made otherwise now."""
    heads = {table: lake.open(table) for table in one.versions}
    moved = {table for table, head in heads.items() if head is None or int(head.version()) != one.versions[table]}
    # Methods and code are in no table that it rests on, but in the recipe of what is made by them.
    mine, now = (_recipe(each) for each in (opened(lake, one.name), lake))
    return sorted(moved | ({LINES} if mine != now else set()))


def _recipe(lake: Lake) -> str:
    """Return how line items were made, without the variant that stands after it."""
    head = lake.open(LINES)
    return str(deltalog.last_commit(head).get("recipe") or "").partition(" ")[0] if head else ""
