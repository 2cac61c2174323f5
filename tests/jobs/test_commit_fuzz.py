"""The fuzz of commits: stale builds, appends and compactions in between, races, kills. Acknowledged = there, once."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from jobs import maintain
from jobs.commit import Moved
from jobs.deltalog import named_files
from jobs.lake import Lake
from tests.jobs import meters, writer

MONTHS = ["2026-01", "2026-02", "2026-03"]


def start(target: Any, *args: Any) -> ForkServerProcess:
    """Start a process that may be killed; the server it is forked from has used no table."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.jobs.writer", "pandas"])  # Arrow imports pandas for its first array
    process = context.Process(target=target, args=args)
    process.start()
    return process


@pytest.mark.parametrize("seed", range(4))
def test_stale_builds_appends_replacements_and_compactions_in_any_order(lake: Lake, seed: int) -> None:
    """The model is a set of numbers per month; builds are begun, overtaken and ended at random."""
    pick, model = random.Random(seed), {month: set[int]() for month in MONTHS}
    lake.create(meters.METER)
    begun: list[tuple[str, int, list[int]]] = []
    counts = dict.fromkeys(["built", "moved", "appended", "emptied", "compacted"], 0)
    for number in range(60):
        month, what = pick.choice(MONTHS), pick.random()
        if what < 0.3:
            begun.append((month, *writer.partition(lake, month)))
        elif what < 0.6 and begun:
            month, version, there = begun.pop(pick.randrange(len(begun)))
            try:
                meters.put(lake, month, [*there, number], replace=[month], read_version=version)
            except Moved:
                counts["moved"] += 1
                continue
            assert set(there) == model[month], "an overtaken build was published"
            model[month].add(number)
            counts["built"] += 1
        elif what < 0.8:
            meters.put(lake, month, [number])
            model[month].add(number)
            counts["appended"] += 1
        elif what < 0.87:
            meters.publish(lake, [], replace=[month])
            model[month].clear()
            counts["emptied"] += 1
        else:
            table = lake.open(meters.TABLE)
            assert table is not None
            counts["compacted"] += bool(table.optimize.compact()["numFilesRemoved"])
            maintain.vacuum(lake, meters.TABLE, {version for _, version, _ in begun})
        assert {month: writer.partition(lake, month)[1] for month in MONTHS} == {m: sorted(n) for m, n in model.items()}
    assert min(counts["built"], counts["appended"]) > 0
    print(f"seed {seed}: {counts}")


def test_six_writers_on_one_table(lake: Lake, tmp_path: Path) -> None:
    lake.create(meters.METER)
    writers = [start(writer.write, str(lake.root), str(tmp_path), name, 5) for name in range(1, 7)]
    compactor = start(writer.compact, str(lake.root), 6)
    for process in [*writers, compactor]:
        process.join(60)
        assert process.exitcode == 0
    meant, said, there = writer.judge(lake, tmp_path)
    assert meant == 30 and there == said
    conflicts = len(writer.numbers(tmp_path, "*.conflict"))
    print(f"6 writers: {meant} meant, {said} acknowledged, {there} there, {conflicts} reported as conflicts")


@pytest.mark.parametrize("die_at", [0, 1])
@pytest.mark.parametrize("moment", ["before_move", "after_move", "after_commit"])
def test_a_kill_inside_publish_leaves_the_table_as_before_or_as_after(
    lake: Lake, tmp_path: Path, moment: str, die_at: int
) -> None:
    meters.put(lake, "2026-01", [1, 2])
    process = start(writer.write, str(lake.root), str(tmp_path), 9, 2, die_at, f"commit:{moment}")
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    expected = [1, 2, *writer.numbers(tmp_path, "*.said"), *([9000 + die_at] if moment == "after_commit" else [])]
    assert meters.ids(lake) == sorted(expected)
    assert maintain.sweep(lake)
    table = lake.open(meters.TABLE)
    assert table is not None and meters.data_files(lake) <= named_files(table)
    writer.rebuild(lake, "2026-01", 9000 + die_at) if moment != "after_commit" else None
    assert meters.ids(lake) == sorted({*expected, 9000 + die_at})


@pytest.mark.parametrize("kills", [12, pytest.param(50, marks=pytest.mark.crash)])
def test_writers_killed_at_random_moments(lake: Lake, tmp_path: Path, kills: int) -> None:
    pick = random.Random(8)
    lake.create(meters.METER)
    running = {name: start(writer.write, str(lake.root), str(tmp_path), name, 500) for name in (1, 2)}
    for kill in range(kills):
        name = pick.choice(list(running))
        process = running.pop(name)
        while process.is_alive() and not (tmp_path / f"{name}.said").exists():
            time.sleep(0.02)
        time.sleep(pick.uniform(0, 0.3))
        process.kill()
        process.join(10)
        running[3 + kill] = start(writer.write, str(lake.root), str(tmp_path), 3 + kill, 500)
        maintain.compact(lake, meters.TABLE)
    for process in running.values():
        process.kill()
        process.join(10)
    maintain.sweep(lake)
    meant, said, there = writer.judge(lake, tmp_path)
    assert said > 0
    table = lake.open(meters.TABLE)
    assert table is not None and meters.data_files(lake) <= named_files(table), "a killed writer left a stray file"
    print(f"{kills + 2} kills: {meant} meant, {said} acknowledged, {there} there, none twice, none lost")
