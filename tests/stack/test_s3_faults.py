"""A lake in an object store that errs, is slow, breaks off, is gone for a minute, is full, or sees many writers."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from carbonlake.stack import minio as server
from carbonlake.stack import parts, processes
from jobs import land, maintain, objects, patience
from jobs.lake import Lake
from jobs.run import run
from jobs.session import engine
from schemas.errors import UserError
from tests.jobs import building, meters, writer
from tests.jobs.test_commit_fuzz import start
from tests.stack import s3

CLEANED, TABLES = "cleaned.flow_merge", ("cleaned.flow_merge", "thematic.flow_merge_month")
ROUNDS = 4
Options = dict[str, str]
# What goes wrong with every fifth request, or with all that write.
FAULTS: dict[str, Callable[[int, str], str]] = {
    "InternalError": lambda number, method: "InternalError" if number % 5 == 0 else "",
    "SlowDown": lambda number, method: "SlowDown" if number % 5 == 0 else "",
    "slow": lambda number, method: "slow" if number % 5 == 0 else "",
    # The embedded engine does not repeat what was cut: we do, sometimes its whole build. By chance, not by count: a build
    # that asks just as often would be cut at the same place for ever.
    "cut": lambda number, method: "cut" if Random(number).random() < 1 / 37 and method == "GET" else "",
    "lost": lambda number, method: "lost" if method == "PUT" and number % 3 == 0 else "",
    "gone": lambda number, method: "gone" if number % 5 == 0 else "",
}


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Lay the project of flows over the shipped one."""
    with pytest.MonkeyPatch.context() as patch:
        folder = building.lay(tmp_path_factory.mktemp("flows"), building.flows(["merge"]))
        patch.setenv("CARBONLAKE_PROJECT", str(folder))
        yield folder


@pytest.fixture(scope="module")
def given(minio: dict[str, str]) -> Options:
    """Return the storage options of the stack's MinIO."""
    return s3.options(minio)


def deliver(folder: Path, number: int) -> Path:
    """Write a delivery of two meters, one row of which breaks a rule."""
    path = folder / f"{number}.csv"
    path.write_text(building.csv([(f"m{number}", "2025-01-01", number + 1, "x"), (f"bad{number}", "2025-02-01", -1, "x")]))
    return path


def work_on(lake: Lake, folder: Path) -> None:
    """Land and build some rounds, then maintain."""
    with engine("sail", "1g", None, lake.storage_options) as sail:
        for number in range(ROUNDS):
            land.land(lake, deliver(folder, number), source=CLEANED)
            ended = run(lake, sail, TABLES)
            assert [one.status for one in ended] == ["built", "built"], [one.reason for one in ended]
    maintain.maintain(lake)


def demand_all(lake: Lake) -> None:
    """Demand every row that was landed once, set aside or written, and nothing half done."""
    assert sorted(building.rows(lake, CLEANED, "meter")) == [(f"m{number}",) for number in range(ROUNDS)]
    assert len(building.aside(lake, CLEANED)) == ROUNDS
    assert [receipt.delivery_id for receipt in land.receipts(lake, CLEANED)] == list(range(1, ROUNDS + 1))
    runs = [row[0] for row in building.rows(lake, "ops.run", "run_id")]
    assert len(runs) == len(set(runs)) == 2 * ROUNDS
    assert not list((lake.folder / "_staging").glob("*"))


@pytest.mark.parametrize("fault", FAULTS)
def test_what_passes_costs_nothing_but_time(given: Options, tmp_path: Path, fault: str) -> None:
    with s3.disturbed(given) as (way, over):
        lake = s3.lake(over, tmp_path / "work")
        way.fault = FAULTS[fault]
        work_on(lake, tmp_path)
        assert way.counts[fault] > 10
        way.fault = lambda number, method: ""
        demand_all(Lake(lake.root, given, tmp_path / "work"))
        print(f"{fault}: {way.counts[fault]} of {way.counts['requests']} requests, nothing lost, nothing twice")


def test_a_store_that_is_gone_for_a_minute_is_waited_for(given: Options, tmp_path: Path) -> None:
    with s3.disturbed(given) as (way, over):
        lake = s3.lake(over, tmp_path / "work")
        began, ended = time.monotonic() + 3, time.monotonic() + 63
        way.fault = lambda number, method: "gone" if began < time.monotonic() < ended else ""
        work_on(lake, tmp_path)
        while time.monotonic() < ended:  # whoever was quick has done it all before
            time.sleep(1)
        demand_all(Lake(lake.root, given, tmp_path / "work"))
        assert way.counts["gone"] > 0
        print(f"gone for a minute: {way.counts['gone']} requests without an answer, nothing lost, nothing twice")


def test_a_store_that_does_not_come_back_is_told(given: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE", 2.0)
    with s3.disturbed(given) as (way, over):
        lake = s3.lake(over, tmp_path / "work")
        way.fault = lambda number, method: "gone"
        with pytest.raises(UserError, match="did not answer for 2 seconds") as error:
            land.land(lake, deliver(tmp_path, 0), source=CLEANED)
        assert "AWS_ENDPOINT_URL" in str(error.value)
        way.fault = lambda number, method: ""
        assert land.receipts(lake) == []


def test_six_writers_on_one_table(given: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = s3.lake(given, tmp_path / "work")
    monkeypatch.setenv("CARBONLAKE_STORAGE_OPTIONS", json.dumps(given))
    lake.create(meters.METER)
    writers = [start(writer.write, str(lake.root), str(tmp_path), name, 4) for name in range(1, 7)]
    compactor = start(writer.compact, str(lake.root), 4, str(tmp_path))
    for process in [*writers, compactor]:
        process.join(300)
        assert process.exitcode == 0
    meant, said, there = writer.judge(lake, tmp_path)
    conflicts = len(writer.numbers(tmp_path, "*.conflict"))
    assert meant == 24 and there == said
    print(f"6 writers on S3: {meant} meant, {said} acknowledged, {there} there, {conflicts} reported as conflicts")


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the home of a MinIO of one test's own."""
    home = Path("/tmp") / f"carbonlake-{os.getpid()}-{random.randrange(10**6)}"
    home.mkdir(0o711)
    yield home
    parts.down(home, None, lambda part, what: None)
    subprocess.run(["umount", str(home / "small")], capture_output=True, check=False)
    shutil.rmtree(home)


def test_a_full_disk_under_the_store_is_told_and_what_was_there_stays(alone: Path, tmp_path: Path) -> None:
    small = server.folder(alone, "minio")
    small.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(small)], check=True)
    try:
        parts.up(alone, ["minio"], lambda part, what: None)
        given = s3.options(server.environment(alone))
        lake = s3.lake(given, tmp_path / "work")
        (tmp_path / "filler").write_bytes(os.urandom(8_000_000))
        assert said(lake, "land", "--source", CLEANED, str(deliver(tmp_path, 0))).returncode == 0
        assert said(lake, "run", *TABLES).returncode == 0
        before = building.state(lake, TABLES)
        assert said(lake, "land", "--source", CLEANED, str(deliver(tmp_path, 1))).returncode == 0
        filled = _fill(given, tmp_path / "filler", "s3://carbonlake/filler")
        done = said(lake, "land", "--source", CLEANED, str(tmp_path / "filler"))
        assert done.returncode == 1 and "XMinioStorageFull" in done.stderr and "free some space" in done.stderr, done.stderr
        assert len(land.receipts(lake)) == 2 and building.state(lake, TABLES) == before
        for name in filled:
            objects.delete(name, given)
        done = said(lake, "run", *TABLES)
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(building.rows(lake, CLEANED)) == 2
    finally:
        parts.down(alone, ["minio"], lambda part, what: None)
        subprocess.run(["umount", str(small)], check=True)


def _fill(given: Options, filler: Path, prefix: str) -> list[str]:
    """Fill the store up and return what was put there."""
    names: list[str] = []
    for number in range(60):
        try:
            objects.put(filler, f"{prefix}-{number}", given)
        except UserError as error:
            assert "XMinioStorageFull" in str(error)
            return names
        names.append(f"{prefix}-{number}")
    raise AssertionError("the store never filled up")


def test_the_store_killed_in_mid_build_and_back_loses_nothing(alone: Path, tmp_path: Path) -> None:
    parts.up(alone, ["minio"], lambda part, what: None)
    given = s3.options(server.environment(alone))
    lake = s3.lake(given, tmp_path / "work")

    def kill_and_bring_back() -> None:
        for _ in range(2):
            time.sleep(3)
            processes.stop(alone, "minio")
            time.sleep(5)
            parts.up(alone, ["minio"], lambda part, what: None)

    helper = threading.Thread(target=kill_and_bring_back)
    helper.start()
    for number in range(ROUNDS):
        for words in (("land", "--source", CLEANED, str(deliver(tmp_path, number))), ("run", *TABLES)):
            done = said(lake, *words)
            assert done.returncode == 0, done.stdout + done.stderr
    helper.join()
    demand_all(lake)


def at(clock: str, lake: Lake, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ours under another clock, such as +1h."""
    return said(lake, *words, under=["faketime", "-f", clock])


def said(lake: Lake, *words: str, under: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run a command of ours on a lake, in a process that knows no other: an engine keeps its way to a store."""
    command = [*under, str(Path(sys.executable).with_name("carbonlake")), "--lake", str(lake.root), *words]
    env = {**os.environ, "CARBONLAKE_STORAGE_OPTIONS": json.dumps(lake.storage_options)}
    if lake.work:
        env["CARBONLAKE_WORK"] = str(lake.work)
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_a_clock_an_hour_off_is_named(given: Options, tmp_path: Path) -> None:
    lake = s3.lake(given, tmp_path / "work")
    land.land(lake, deliver(tmp_path, 0), source=CLEANED)
    for clock in ("+1h", "-1h"):
        done = at(clock, lake, "land", "--source", CLEANED, str(deliver(tmp_path, 1)))
        assert done.returncode == 1 and "RequestTimeTooSkewed" in done.stderr and "clock" in done.stderr, done.stderr
        assert given["AWS_SECRET_ACCESS_KEY"] not in done.stdout + done.stderr
    assert len(land.receipts(lake)) == 1


def test_two_machines_whose_clocks_are_an_hour_apart_make_one_table(tmp_path: Path) -> None:
    """On a disk nobody compares clocks: versions of a table then do not follow each other in time."""
    lake = Lake(tmp_path / "lake").init()
    for number, clock in enumerate(("+1h", "-1h", "+0h")):
        done = at(clock, lake, "land", "--source", CLEANED, str(deliver(tmp_path, number)))
        assert done.returncode == 0, done.stderr
        done = at(clock, lake, "run", *TABLES)
        assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(building.rows(lake, CLEANED, "meter")) == [("m0",), ("m1",), ("m2",)]
    assert at("+0h", lake, "maintain").returncode == 0
    assert len(building.rows(lake, CLEANED)) == 3
    with engine("sail", "1g") as sail:
        assert {one.status for one in run(lake, sail, TABLES)} == {"skipped"}
        step_by_step = building.state(lake, TABLES)
        run(lake, sail, TABLES, force=True)
        assert building.state(lake, TABLES) == step_by_step
