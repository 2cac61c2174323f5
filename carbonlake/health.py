"""What the doctor looks at: the parts, what each is for, and what its absence means."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from carbonlake.world import World
from schemas.contracts import contracts
from schemas.errors import UserError

LOW_SPACE = 5 * 2**30


@dataclass(frozen=True)
class Finding:
    """One thing looked at: fine, worth knowing, or wrong."""

    state: Literal["ok", "note", "wrong"]
    what: str
    found: str
    means: str = ""


def findings(world: World) -> list[Finding]:
    """Look at everything; a look that fails is a finding, not an error."""
    looks: list[Callable[[World], Finding]] = [_python, _packages, _java, _contracts, _lake, _space, _engine, _deliveries]
    if world.settings.trino:
        looks.append(_trino)
    return [_safe(look, world) for look in looks]


def _safe(look: Callable[[World], Finding], world: World) -> Finding:
    try:
        return look(world)
    except UserError as error:
        return Finding("wrong", look.__name__.strip("_"), str(error))


def _python(world: World) -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    fine = (3, 11) <= sys.version_info < (3, 13)
    return Finding("ok" if fine else "wrong", "Python", found, "" if fine else "3.11 or 3.12 is needed")


def _packages(world: World) -> Finding:
    needed = ("pyspark", "pysail", "deltalake", "duckdb", "pyarrow", "polars")
    missing = [name for name in needed if not _version(name)]
    if missing:
        return Finding("wrong", "packages", f"missing: {', '.join(missing)}", "run `make setup`")
    return Finding("ok", "packages", ", ".join(f"{name} {_version(name)}" for name in needed))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _java(world: World) -> Finding:
    from jobs.apache import JAVA, java

    program, version = java()
    if not program:
        return Finding("note", "Java", "none", f"the embedded engine needs none; `--engine spark` needs Java {JAVA} or newer")
    fine = version is not None and version >= JAVA
    return Finding("ok" if fine else "note", "Java", f"{version or 'unknown'} ({program})",
                   "for `--engine spark`" if fine else f"`--engine spark` needs {JAVA} or newer")  # fmt: skip


def _contracts(world: World) -> Finding:
    known = contracts()
    return Finding("ok", "contracts", f"{len(known)} tables, all readable")


def _lake(world: World) -> Finding:
    lake = world.lake
    if not os.access(lake.folder, os.W_OK):
        return Finding("wrong", "lake", str(lake.root), "no right to write here")
    return Finding("ok", "lake", f"{lake.root}, format {lake.format()}")


def _space(world: World) -> Finding:
    free = shutil.disk_usage(world.lake.folder).free
    return Finding("ok" if free > LOW_SPACE else "note", "free space", f"{free / 2**30:.0f} GiB",
                   "" if free > LOW_SPACE else "little: a full redelivery needs as much again as the tables hold")  # fmt: skip


def _engine(world: World) -> Finding:
    with world.engine() as engine:
        engine.session.range(1).collect()
        return Finding("ok", "engine", f"{world.settings.engine} ({engine.name}) answers")


def _trino(world: World) -> Finding:
    from jobs.trino import ask

    shown = ask(world.trino, "select count(*) from information_schema.tables where table_schema <> 'information_schema'")
    number = shown.rows[0][0]
    return Finding("ok" if number else "note", "Trino", f"{world.trino.address} shows {number} tables and views",
                   "" if number else "`carbonlake publish` registers them")  # fmt: skip


def _deliveries(world: World) -> Finding:
    from jobs import land

    waiting = len(land.unclaimed(world.lake))
    total = len(land.receipts(world.lake))
    means = "`carbonlake deliveries --unclaimed` lists them" if waiting else ""
    return Finding("note" if waiting else "ok", "deliveries", f"{total} in force, {waiting} unclaimed", means)
