"""A build killed anywhere leaves each table as before or as after, and the next build completes it: none lost, none twice."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.deltalog import commit_of, named_files
from jobs.lake import Lake
from jobs.outcome import Outcome
from jobs.relation import read_rows
from jobs.repair import DIED
from tests.jobs import building, killed

CLEANED, PEAK = "cleaned.flow_merge", "thematic.flow_merge_peak"
TERMS, TABLES = ("+" + PEAK,), (CLEANED, PEAK)
# A run commits the quarantine (1) and rows (2) of the cleaned table, the same of the derived one (3, 4), then ops (5 to 10).
PHASES = ("after_write", "after_audit", "after_quarantine", "after_commit")
POINTS = [("build:after_read", 1), *((f"build:{name}", nth) for name in PHASES for nth in (1, 2))]
POINTS += [(f"commit:{name}", nth) for name in ("before_move", "after_move", "after_commit") for nth in (1, 2, 4)]
POINTS += [("commit:after_commit", 5), ("commit:before_move", 10)]


@pytest.fixture(scope="module", autouse=True)
def flow(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Lay the project over the shipped one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path_factory.mktemp("flows"), building.flows(["merge"]))))
        yield


@pytest.fixture(scope="module")
def begun(flow: Any, spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Return a lake with one delivery built and one landed; tests copy it."""
    lake = Lake(tmp_path_factory.mktemp("begun") / "lake").init()
    deliver(lake, 1)
    assert {one.status for one in building.build(lake, spark, *TERMS).values()} == {"built"}
    deliver(lake, 2)
    return lake


def deliver(lake: Lake, number: int) -> None:
    """Land new rows, a correction of an old one, one that is set aside, and a peak that its table sets aside."""
    rows = [(f"m{number}", "2025-01-02", number % 9, "new"), ("m0", "2025-01-01", number % 10, "corrected"),
            ("bad", "2025-02-01", -number, "wrong"), (f"m{number}", "2025-02-01", 11, "peak")]  # fmt: skip
    building.deliver(lake, CLEANED, f"{number}.csv", building.csv(rows))


def expected(count: int) -> list[tuple[str, str, Decimal]]:
    """Return meter, day and mass of the cleaned table after so many deliveries."""
    numbers = range(1, count + 1)
    rows = [(f"m{n}", "2025-01-02", Decimal(n % 9)) for n in numbers] + [(f"m{n}", "2025-02-01", Decimal(11)) for n in numbers]
    return sorted([("m0", "2025-01-01", Decimal(count % 10)), *rows])


def demand_complete(lake: Lake, count: int) -> None:
    """Demand that the tables hold so many deliveries, every row once, and that no trace of a dead run is left."""
    found = building.rows(lake, CLEANED, "meter", "day", "mass_t")
    assert sorted((meter, str(day), mass) for meter, day, mass in found) == expected(count)
    assert sorted(row[0] for row in building.aside(lake, CLEANED)) == list(range(1, count + 1))
    assert len(building.rows(lake, PEAK)) == count + 1 and len(building.aside(lake, PEAK)) == count
    assert not list((lake.folder / "_staging").iterdir())
    for table in TABLES:
        head = lake.open(table)
        assert head is not None
        there = {str(path.relative_to(lake.table_path(table))) for path in Path(lake.table_path(table)).rglob("*.parquet")}
        assert there <= named_files(head), "a file that no version names"


def demand_recorded(lake: Lake) -> None:
    """Demand one row of ops.run for each version that a build made, and none twice."""
    ops = lake.open("ops.run")
    assert ops is not None
    told = read_rows(ops).to_pylist()
    assert max(Counter(row["run_id"] for row in told).values()) == 1
    for table in TABLES:
        head = lake.open(table)
        assert head is not None
        notes = [commit_of(head, version) for version in range(head.version() + 1)]
        runs = {note["run"]: (version, note["counts"]["written"]) for version, note in enumerate(notes) if note}
        mine = [row for row in told if row["table_name"] == table and row["status"] != "failed"]
        assert {row["run_id"]: (row["version"], row["rows_written"]) for row in mine} == runs


def kill_at(lake: Lake, point: str, nth: int) -> None:
    process = killed.start(lake, TERMS, point, nth)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, f"{point} was not passed {nth} times"


@pytest.mark.parametrize(("point", "nth"), POINTS)
def test_a_kill_at_any_failpoint_leaves_before_or_after(begun: Lake, tmp_path: Path, spark: Any, point: str, nth: int) -> None:
    lake = Lake(shutil.copytree(begun.folder, tmp_path / "lake"))
    before = building.state(lake, TABLES)
    kill_at(lake, point, nth)
    between = building.state(lake, TABLES)
    ended = building.build(lake, spark, *TERMS)
    after = building.state(lake, TABLES)
    assert before != after
    for table in TABLES:
        assert between[table] in (before[table], after[table])
        completed = between[table] == after[table]
        assert ended[table].status in (("skipped", "repaired") if completed else ("built",))
    demand_complete(lake, 2)
    demand_recorded(lake)
    again = building.build(lake, spark, *TERMS)
    assert {one.status for one in again.values()} == {"skipped"}


def test_a_build_that_died_before_its_commit_is_told_as_failed(begun: Lake, tmp_path: Path, spark: Any) -> None:
    lake = Lake(shutil.copytree(begun.folder, tmp_path / "lake"))
    kill_at(lake, "build:after_audit", 1)
    ended = building.build(lake, spark, *TERMS)
    ops, events = lake.open("ops.run"), lake.open("ops.event")
    assert ops is not None and events is not None
    (died,) = [row for row in read_rows(ops).to_pylist() if row["status"] == "failed"]
    assert (died["table_name"], died["reason"], died["version"]) == (CLEANED, DIED, None)
    assert died["run_id"] != ended[CLEANED].run_id
    told = {row["event_type"] for row in read_rows(events).to_pylist() if row["run_id"] == died["run_id"]}
    assert told == {"FAIL"}


@pytest.mark.parametrize(
    ("point", "nth", "status"), [("build:after_commit", 1, "skipped"), ("commit:before_move", 3, "repaired")]
)
def test_a_build_that_died_after_its_commit_is_told_by_the_next(
    begun: Lake, tmp_path: Path, spark: Any, point: str, nth: int, status: str
) -> None:
    """Either from what it left in staging, or, where that is swept already, from the note in its commit."""
    lake = Lake(shutil.copytree(begun.folder, tmp_path / "lake"))
    kill_at(lake, point, nth)
    ended: dict[str, Outcome] = building.build(lake, spark, *TERMS)
    assert (ended[CLEANED].status, ended[PEAK].status) == (status, "built")
    ops = lake.open("ops.run")
    assert ops is not None
    (row,) = [row for row in read_rows(ops).to_pylist() if row["status"] == "repaired"]
    assert (row["table_name"], row["rows_in"], row["rows_written"], row["rows_set_aside"]) == (CLEANED, 4, 3, 1)
    assert (row["mode"], row["deliveries"]) == ("partitions", "[2]")


def run_for(lake: Lake, ready: Path, seconds: float) -> tuple[int | None, float]:
    """Kill a build some seconds after it began; return its exit code and how long it lasted."""
    process = killed.start(lake, TERMS, ready=ready)
    while not ready.exists() and process.is_alive():
        time.sleep(0.005)
    began = time.monotonic()
    process.join(seconds)
    process.kill()
    process.join(10)
    return process.exitcode, time.monotonic() - began


@pytest.mark.parametrize("moments", [pytest.param(50, marks=pytest.mark.crash)])
def test_kills_at_random_moments(begun: Lake, tmp_path: Path, spark: Any, moments: int) -> None:
    lake, pick = Lake(shutil.copytree(begun.folder, tmp_path / "lake")), random.Random(50)
    counts: Counter[str] = Counter()
    usual = run_for(lake, tmp_path / "2.ready", 60)[1]
    for number in range(3, moments + 3):
        deliver(lake, number)
        before = building.state(lake, TABLES)
        code, lasted = run_for(lake, tmp_path / f"{number}.ready", pick.uniform(0, usual))
        counts["killed" if code else "ended first"] += 1
        usual = usual if code else lasted
        between = building.state(lake, TABLES)
        building.build(lake, spark, *TERMS)
        after = building.state(lake, TABLES)
        for table in TABLES:
            assert between[table] in (before[table], after[table])
            counts[f"{table} {'as after' if between[table] == after[table] else 'as before'}"] += 1
        demand_complete(lake, number)
    demand_recorded(lake)
    assert counts["killed"] > moments // 2
    assert building.state(lake, TABLES) == after
    building.build(lake, spark, *TERMS, force=True)
    demand_complete(lake, moments + 2)
    print(f"{moments} moments: {dict(counts)}; {len(expected(moments + 2))} rows, none lost, none twice")
