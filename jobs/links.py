"""Tables of a lake brought to another by hard links: files of a Delta table never change, so that two may share them."""

from __future__ import annotations

import os
from pathlib import Path

from jobs import store
from jobs.lake import Lake


def table(lake: Lake, parts: tuple[str, ...], target: Path) -> None:
    """Bring a table of a lake to a folder: its log first, so that every file that a version names is there.

    From an object store it is fetched.
    """
    if not lake.remote:
        source = Path(lake.place(*parts))
        links(source / "_delta_log", target / "_delta_log")
        # Not the log again: what it has got since may name files that were not there yet when their folder was listed.
        links(source, target, without="_delta_log")
        return
    from jobs import objects

    names = [name for name, _ in objects.listed(lake.place(*parts), lake.storage_options, deep=True)]
    for name in sorted(names, key=lambda one: not one.startswith("_delta_log/")):
        objects.fetch(lake.place(*parts, name), target / name, lake.storage_options)


def links(source: Path, target: Path, without: str = "") -> None:
    """Link every file of a folder, hidden ones and a folder `without` excepted, into another."""
    for folder, below, files in os.walk(source):
        below[:] = [name for name in below if name != without]
        here = target / Path(folder).relative_to(source)
        here.mkdir(parents=True, exist_ok=True)
        for name in files:
            if not name.startswith(".") and not (here / name).exists():
                with store.explained(here):
                    (here / name).hardlink_to(Path(folder, name))
