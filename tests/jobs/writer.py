"""A writer in a process of its own, to be raced and killed: notes what it means to do, does it, notes what was said."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from jobs import commit, maintain
from jobs.deltalog import last_commit
from jobs.lake import Lake
from jobs.relation import read_rows
from schemas.errors import UserError
from tests.jobs import meters


def note(path: Path, number: int) -> None:
    """Write a number down, so that it is on record whatever happens next."""
    with path.open("a") as file:
        file.write(f"{number}\n")
        file.flush()


def numbers(folder: Path, pattern: str) -> list[int]:
    """Return the numbers that writers wrote down."""
    return [int(line) for path in folder.glob(pattern) for line in path.read_text().split()]


def partition(lake: Lake, month: str) -> tuple[int, list[int]]:
    """Return the version of the table and the ids of a month."""
    table = lake.create(meters.METER)
    return int(table.version()), sorted(read_rows(table, f"month = '{month}'")["id"].to_pylist())


def rebuild(lake: Lake, month: str, number: int) -> None:
    """Build a month again from what it holds, with one reading more; the way of a build that reads its own table."""

    def once() -> None:
        version, there = partition(lake, month)
        if number not in there:
            meters.put(lake, month, [*there, number], replace=[month], read_version=version)

    commit.retrying(once, attempts=40)


def opened(root: str, notes: str) -> Lake:
    """Return the lake at a root; one in a bucket with the options of the environment and a work folder of this process."""
    if "://" not in root:
        return Lake(root)
    return Lake(root, json.loads(os.environ["CARBONLAKE_STORAGE_OPTIONS"]), Path(notes) / f"work-{os.getpid()}").init()


def write(root: str, notes: str, name: int, count: int, die_at: int = -1, failpoint: str = "") -> None:
    """Add `count` readings, in turns by append and by rebuilding a month; die at a failpoint in one of them."""
    lake, folder, pick = opened(root, notes), Path(notes), random.Random(name)
    for turn in range(count):
        number = name * 1000 + turn
        note(folder / f"{name}.meant", number)
        if turn == die_at:
            os.environ[commit.FAILPOINT] = failpoint
        try:
            if turn % 2:
                rebuild(lake, pick.choice(["2026-01", "2026-02"]), number)
            else:
                month, app = pick.choice(["2026-01", "2026-02"]), f"writer-{uuid4().hex[:4]}"
                meters.put(lake, month, [number], app_id=app, app_sequence=1)
        except (UserError, commit.Moved):
            note(folder / f"{name}.conflict", number)
            continue
        note(folder / f"{name}.said", number)


def compact(root: str, rounds: int, notes: str = "") -> None:
    """Compact the table again and again."""
    for _ in range(rounds):
        maintain.compact(opened(root, notes), meters.TABLE)


def judge(lake: Lake, folder: Path, also: Sequence[int] = ()) -> tuple[int, int, int]:
    """Demand that all acknowledged readings are there once, and none that nobody meant; return the counts."""
    there = meters.ids(lake)
    said, meant = set(numbers(folder, "*.said")), set(numbers(folder, "*.meant")) | set(also)
    assert len(there) == len(set(there)), "a reading is there twice"
    assert said <= set(there), f"acknowledged and lost: {sorted(said - set(there))}"
    assert set(there) <= meant, "a reading that nobody wrote"
    table = lake.open(meters.TABLE)
    assert table is not None and bool(last_commit(table)) == bool(meant and there)
    return len(meant), len(said), len(there)
