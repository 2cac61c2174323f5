"""What a build meets in the wild: no room, no right to write, no lake, an engine that dies, others at the same work."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import stat
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from jobs import cleaned, derived
from jobs.commit import commit_of
from jobs.lake import Lake
from jobs.run import run
from jobs.session import Engine, engine
from schemas.errors import UserError
from tests.jobs import building, killed

CLEANED, MONTH = "cleaned.flow_merge", "thematic.flow_merge_month"
TABLES = (CLEANED, MONTH)
NOBODY = 65534


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Lay the project over the shipped one, where another user may read it."""
    folder = Path(tempfile.mkdtemp(prefix="carbonlake-flows-"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARBONLAKE_PROJECT", str(building.lay(folder, building.flows(["merge"]))))
        yield str(folder)
    shutil.rmtree(folder)


@pytest.fixture
def open_lake() -> Iterator[Lake]:
    """Return a lake where another user may read it."""
    folder = Path(tempfile.mkdtemp(prefix="carbonlake-lake-"))
    folder.chmod(0o755)
    yield Lake(folder / "lake").init()
    shutil.rmtree(folder)


def deliver(lake: Lake, number: int, count: int = 1) -> str:
    """Land rows of a meter of its own."""
    text = building.csv((f"m{number}-{n}", f"2025-{1 + n % 2:02}-{1 + number % 28:02}", n + 1, "x") for n in range(count))
    building.deliver(lake, CLEANED, f"{number}.csv", text)
    return str(lake.folder.parent / "inbox" / f"{number}.csv")


def ask(target: Any, *arguments: Any) -> Any:
    """Run in a process of its own and return what it sends."""
    here, there = multiprocessing.Pipe()
    process = killed.fork(target, *arguments, there)
    there.close()
    answer = here.recv()
    process.join(60)
    return answer


def demand_nothing_half_written(lake: Lake, before: dict[str, Any]) -> None:
    assert building.state(lake, TABLES) == before
    assert not list((lake.folder / "_staging").glob("*")), "staging of an ended run"


@pytest.mark.parametrize("size", [300, 6_000, 30_000])
def test_where_files_can_not_grow_the_table_is_as_before_and_the_message_says_why(
    lake: Lake, spark: Any, project: str, size: int
) -> None:
    """A limit on files stands for a full disk: the reading, the engine's files or the commit meet it, by its size."""
    deliver(lake, 1)
    building.build(lake, spark, f"{CLEANED}+")
    deliver(lake, 2, 4000)
    before = building.state(lake, TABLES)
    answer = ask(killed.limited, str(lake.root), project, [f"{CLEANED}+"], size, 0)
    reasons = [reason for _, status, reason in answer if status == "failed"]
    assert reasons and all("file too large" in reason and "raise it and run it again" in reason for reason in reasons)
    demand_nothing_half_written(lake, before)
    assert {one.status for one in building.build(lake, spark, f"{CLEANED}+").values()} == {"built"}
    assert len(building.rows(lake, CLEANED)) == 4001
    print(f"{size} bytes a file: {len(reasons)} tables failed, 0 rows changed, 4001 after the next build")


def test_a_folder_that_can_not_be_written_is_named(open_lake: Lake, spark: Any, project: str) -> None:
    lake = open_lake
    deliver(lake, 1)
    building.build(lake, spark, f"{CLEANED}+")
    deliver(lake, 2)
    before = building.state(lake, TABLES)
    paths = [lake.folder, *lake.folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path in paths:
        path.chmod(stat.S_IMODE(modes[path]) & 0o555 | 0o444)
    try:
        answer = ask(killed.limited, str(lake.root), project, [f"{CLEANED}+"], 0, 0 if os.getuid() else NOBODY)
    finally:
        for path, mode in modes.items():
            path.chmod(stat.S_IMODE(mode))
    assert [status for _, status, _ in answer if status == "failed"]
    for _, _, reason in answer:
        assert ("permission denied" in reason and "no right to write here" in reason) or "was not built" in reason
    demand_nothing_half_written(lake, before)
    assert building.build(lake, spark, CLEANED)[CLEANED].status == "built"


def test_without_a_lake_nothing_is_made(tmp_path: Path, spark: Any) -> None:
    with pytest.raises(UserError, match=r"there is no lake here\n.*land a delivery"):
        run(Lake(tmp_path / "none"), Engine("sail", spark), [CLEANED])
    assert not list(tmp_path.iterdir())


def test_a_lake_that_goes_away_in_mid_build_is_missed(lake: Lake, spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(lake, 1)
    make, gone = cleaned.make, lake.folder.parent / "gone"

    def unplugged(*arguments: Any) -> Any:
        made = make(*arguments)
        lake.folder.rename(gone)
        return made

    monkeypatch.setattr(cleaned, "make", unplugged)
    with pytest.raises(UserError, match="there is no lake here"):
        building.build(lake, spark, CLEANED)
    assert not lake.folder.exists(), "a lake is never made on the way"
    gone.rename(lake.folder)
    monkeypatch.undo()
    assert building.rows(lake, CLEANED) == []


@pytest.mark.parametrize("table", TABLES)
def test_an_engine_that_dies_in_mid_build_is_told_and_changes_nothing(
    lake: Lake, spark: Any, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    deliver(lake, 1)
    building.build(lake, spark, f"{CLEANED}+")
    deliver(lake, 2)
    if table == MONTH:
        building.build(lake, spark, CLEANED)
    before = building.state(lake, TABLES)
    here, there = multiprocessing.Pipe()
    server = killed.fork(killed.serve, there)
    module, name = (cleaned, "clean") if table == CLEANED else (derived, "judged")
    real = getattr(module, name)

    def dying(*arguments: Any) -> Any:
        frame = real(*arguments)
        server.kill()
        server.join()
        return frame

    monkeypatch.setattr(module, name, dying)
    with engine(f"sc://127.0.0.1:{here.recv()}") as opened:
        assert opened.name == "sail", "an engine is fenced by what it is, wherever it runs"
        ended = {one.table: one for one in run(lake, opened, [f"{CLEANED}+"], workers=1)}
    assert ended[table].status == "failed"
    assert "the engine sail gave up: " in ended[table].reason and "nothing was published; run it again" in ended[table].reason
    assert "RPC" not in ended[table].reason
    demand_nothing_half_written(lake, before)
    monkeypatch.undo()
    assert building.build(lake, spark, f"{CLEANED}+")[MONTH].status == "built"
    assert len(building.rows(lake, CLEANED)) == 2


def test_an_engine_that_is_not_there_is_told_in_seconds() -> None:
    with pytest.raises(UserError, match=r"the engine can't be reached: .*127\.0\.0\.1:9"), engine("sc://127.0.0.1:9"):
        pass


def test_an_engine_that_does_not_start_fails_the_build_with_what_to_do(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*given: Any, **named: Any) -> Any:
        raise OSError("no port is free")

    monkeypatch.setattr("pysail.spark.SparkConnectServer.start", refused)
    deliver(lake, 1, 10)
    with engine("sail") as opened:
        ended = run(lake, opened, [CLEANED])
    assert [(one.status, one.reason.split("\n")[0]) for one in ended] == [
        ("failed", "engine sail: the engine does not start: no port is free")]  # fmt: skip
    assert "carbonlake doctor" in ended[0].reason


def test_who_interrupts_does_not_wait_for_an_engine_that_is_just_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    going, started = threading.Event(), threading.Event()

    def slowly(*given: Any, **named: Any) -> None:
        going.wait(60)
        started.set()

    monkeypatch.setattr("pysail.spark.SparkConnectServer.start", slowly)
    with pytest.raises(KeyboardInterrupt), engine("sail"):
        raise KeyboardInterrupt
    assert not started.is_set()
    going.set()


def test_building_twice_gives_the_same(lake: Lake, spark: Any) -> None:
    deliver(lake, 1, 10)
    building.build(lake, spark, f"{CLEANED}+")
    once = building.state(lake, TABLES)
    for force in (False, True, True):
        ended = building.build(lake, spark, f"{CLEANED}+", force=force)
        assert {one.status for one in ended.values()} == {"built" if force else "skipped"}
        assert building.state(lake, TABLES) == once


def writers(lake: Lake, project: str, files: list[list[str]]) -> list[list[tuple[str, str, str]]]:
    """Let processes land files and build at once; return what each acknowledged."""
    pipes: list[Connection] = []
    processes = []
    for some in files:
        here, there = multiprocessing.Pipe()
        processes.append(killed.fork(killed.write, str(lake.root), project, CLEANED, some, there))
        pipes.append(here)
    for pipe in pipes:
        pipe.send("go")
    answers = [list(iter(pipe.recv, None)) for pipe in pipes]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    return answers


def versions(lake: Lake, table: str) -> Counter[str]:
    """Return how many versions each run made."""
    head = lake.open(table)
    assert head is not None
    return Counter(note["run"] for n in range(head.version() + 1) if (note := commit_of(head, n)))


def test_two_builds_of_one_table_at_once_make_it_once(lake: Lake, spark: Any, project: str) -> None:
    path = deliver(lake, 1, 50)
    answers = writers(lake, project, [[path], [path]])
    assert {status for (answer,) in answers for _, status, _ in [answer]} <= {"built", "skipped"}
    assert len(building.rows(lake, CLEANED)) == 50
    assert len(versions(lake, CLEANED)) == 1
    alone = building.state(lake, [CLEANED])
    building.build(lake, spark, CLEANED, force=True)
    assert building.state(lake, [CLEANED]) == alone


def test_six_writers_on_one_table(lake: Lake, spark: Any, project: str, tmp_path: Path) -> None:
    """Each lands and builds twice. What was acknowledged is there once, whoever built it."""
    files = []
    for number in range(12):
        path = tmp_path / "in" / f"{number}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(building.csv([(f"m{number}", "2025-01-01", number, "x"), ("bad", "2025-01-01", -number - 1, "x")]))
        files.append(str(path))
    answers = [one for answer in writers(lake, project, [files[n::6] for n in range(6)]) for one in answer]
    counts = Counter(status for _, status, _ in answers)
    said = {f"m{Path(path).stem}" for path, status, _ in answers if status in ("built", "skipped", "repaired")}
    there = [meter for (meter,) in building.rows(lake, CLEANED, "meter")]
    assert len(answers) == 12 and len(there) == len(set(there)) and said <= set(there)
    assert max(versions(lake, CLEANED).values()) == 1
    assert max(Counter(building.rows(lake, "ops.run", "run_id")).values()) == 1
    assert all("kept changing the table" in reason for _, status, reason in answers if status == "failed")
    building.build(lake, spark, CLEANED)
    assert len(building.rows(lake, CLEANED)) == len(building.aside(lake, CLEANED)) == 12
    step_by_step = building.state(lake, [CLEANED])
    building.build(lake, spark, CLEANED, force=True)
    assert building.state(lake, [CLEANED]) == step_by_step
    print(f"6 writers: {dict(counts)}, {len(said)} acknowledged, {len(there)} there, none twice, none lost")
