"""Maintenance makes tables faster to read and smaller, and takes nothing that is needed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from jobs import commit, land, maintain, query
from jobs.deltalog import last_commit
from jobs.lake import FORMAT, FORMAT_FILE, Lake
from jobs.pins import kept_versions, retention
from jobs.relation import read_rows, table_files
from schemas.contracts import contract
from schemas.errors import UserError

TUBE, PUMP = "cleaned.tube", "cleaned.pump"
LATER = timedelta(days=400)
pytestmark = pytest.mark.usefixtures("project")


def put(lake: Lake, number: int, table: str = TUBE, part: str = "a") -> int:
    return commit.append_rows(lake, contract(table), pa.table({"number": [number], "part": [part]}), "r")


def numbers(lake: Lake, version: int | None = None, table: str = TUBE) -> list[int]:
    return sorted(read_rows(query.open_table(lake, table, version))["number"].to_pylist())


def test_many_small_files_of_a_partition_become_one_and_few_are_left_alone(lake: Lake) -> None:
    for number in range(maintain.MANY):
        put(lake, number)
    put(lake, 99, part="b")
    put(lake, 98, part="b")
    assert maintain.compact(lake, TUBE) == (maintain.MANY, 1)
    files = table_files(query.open_table(lake, TUBE))
    assert sorted(file.partition["part"] for file in files) == ["a", "b", "b"]
    assert numbers(lake) == [*range(maintain.MANY), 98, 99]
    assert maintain.compact(lake, TUBE) == (0, 0)


def test_a_table_with_an_order_is_clustered_by_it(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    ordered = contract(TUBE).model_copy(update={"cluster_by": ("number",)})
    monkeypatch.setattr(maintain, "contracts", lambda: {TUBE: ordered})
    for number in reversed(range(maintain.MANY)):
        put(lake, number)
    assert maintain.compact(lake, TUBE) == (maintain.MANY, 1)
    assert read_rows(query.open_table(lake, TUBE))["number"].to_pylist() == list(range(maintain.MANY))
    assert maintain.history(lake, TUBE)[0]["operation"] == "cluster"


def test_vacuum_takes_old_files_and_keeps_named_versions(lake: Lake) -> None:
    first = put(lake, 1)
    for run in ("a", "b", "c"):
        rows = pa.table({"number": [2], "part": ["a"]})
        commit.replace_rows(lake, contract(TUBE), rows, run)
    assert maintain.vacuum(lake, TUBE, {first}) == 2
    assert (numbers(lake, first), numbers(lake)) == ([1], [2])
    assert maintain.vacuum(lake, TUBE, {first}) == 0


def test_versions_that_current_figures_were_made_from_are_kept_through_every_step(lake: Lake) -> None:
    """raw → pump → tube: what the newest tube was made from, and what that was made from, stays readable."""
    put(lake, 1, PUMP)
    lake.create(contract(TUBE))
    path = lake.table_path(TUBE)
    commit.publish(lake, path, read_rows(query.open_table(lake, TUBE)).schema, [], read_version=0, replace="append",
                   commit_info={"run": "t", "inputs": {PUMP: 1, "raw.gone": 4}, "quarantine_version": 0})  # fmt: skip
    lake.create_path(lake.quarantine_path(TUBE), pa.schema([("a", pa.string())]))
    commit.write_rows(lake, lake.quarantine_path(TUBE), pa.table({"a": ["x"]}), "q")
    for number in (2, 3):
        commit.replace_rows(lake, contract(PUMP), pa.table({"number": [number], "part": ["a"]}), f"p{number}")
    kept = kept_versions(query.open_tables(lake), datetime.now(UTC) + LATER, {})
    assert kept[PUMP] == {1, 3} and kept[TUBE] == {1} and kept[f"quarantine.{TUBE}"] == {0, 1}
    done = {work.table: work for work in maintain.maintain(lake, now=datetime.now(UTC) + LATER)}
    assert done[PUMP].deleted == 1
    assert (numbers(lake, 1, PUMP), numbers(lake, table=PUMP)) == ([1], [3])


def test_young_versions_and_asked_ones_are_kept(lake: Lake) -> None:
    put(lake, 1)
    put(lake, 2)
    assert kept_versions(query.open_tables(lake), datetime.now(UTC), {})[TUBE] == {0, 1, 2}
    assert kept_versions(query.open_tables(lake), datetime.now(UTC) + LATER, {})[TUBE] == {2}
    assert kept_versions(query.open_tables(lake), datetime.now(UTC) + LATER, {TUBE: {1}})[TUBE] == {1, 2}
    assert retention(TUBE) == timedelta(hours=1) and retention("ops.run") == timedelta(days=30)


def test_checkpoints_follow_the_log_and_versions_stay_readable(lake: Lake) -> None:
    for number in range(maintain.CHECKPOINT_EVERY):
        put(lake, number)
    assert maintain.checkpoint(lake, TUBE) is True
    assert maintain.checkpoint(lake, TUBE) is False
    assert numbers(lake) == list(range(maintain.CHECKPOINT_EVERY)) and numbers(lake, 3) == [0, 1, 2]


def test_the_note_of_the_newest_build_outlives_the_log_entries_around_it(lake: Lake) -> None:
    for number in range(12):
        put(lake, number)
    log = Path(lake.table_path(TUBE)) / "_delta_log"
    age(log.glob("*.json"), days=40)
    built = last_commit(query.open_table(lake, TUBE))
    assert maintain.compact(lake, TUBE)[0] == 12  # a newer version that is no build
    age([log / f"{13:020d}.json"], days=20)
    assert maintain.checkpoint(lake, TUBE)
    maintain.maintain(lake)
    assert built and last_commit(query.open_table(lake, TUBE)) == built


def age(entries: Iterable[Path], days: int) -> None:
    """Let log entries be as old as some days."""
    then = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    for path in entries:
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        for line in lines:
            line.get("commitInfo", {})["timestamp"] = int(then * 1000)
        if lines:
            path.write_text("\n".join(map(json.dumps, lines)))
            os.utime(path, (then, then))


def test_maintenance_changes_no_row_of_any_table(lake: Lake) -> None:
    for number in range(12):
        put(lake, number)
        put(lake, number, PUMP)
    done = {work.table: work for work in maintain.maintain(lake)}
    assert done.keys() == {TUBE, PUMP}
    assert all((work.merged, work.into, work.checkpoint) == (12, 1, True) for work in done.values())
    assert numbers(lake) == numbers(lake, table=PUMP) == list(range(12))
    again = maintain.maintain(lake)
    assert all((work.merged, work.deleted, work.checkpoint) == (0, 0, False) for work in again)


def test_maintenance_brings_an_older_lake_up_to_date(lake: Lake) -> None:
    (lake.folder / FORMAT_FILE).write_text('{"format": 0}')
    maintain.maintain(lake)
    assert lake.format() == FORMAT


def test_the_staging_of_a_living_process_is_left_alone(lake: Lake) -> None:
    mine, gone, foreign = lake.staging("mine"), lake.staging("gone"), lake.staging("foreign")
    note = json.loads((gone / "_run.json").read_text())
    (gone / "_run.json").write_text(json.dumps({**note, "started": note["started"] - 50}))  # its id was used again
    (foreign / "_run.json").write_text(json.dumps({**note, "host": "another", "pid": 1}))
    assert maintain.sweep(lake) == ["gone"]
    assert mine.exists() and foreign.exists() and not gone.exists()


def test_a_process_that_died_before_its_staging_was_whole_leaves_nothing(lake: Lake) -> None:
    mine = json.loads((lake.staging("mine") / "_run.json").read_text())
    folders = [lake.folder / "_staging" / f"{run}~of~{mine['host']}~{pid}~{mine['started']}~1f2e3d4c"
               for run, pid in (("late", mine["pid"]), ("gone", 2**22 + 1))]  # fmt: skip
    for folder in folders:
        folder.mkdir()
    assert maintain.sweep(lake) == ["gone"]
    assert [folder.exists() for folder in folders] == [True, False]


def test_strays_are_taken_by_the_note_of_their_run_and_published_files_stay(lake: Lake) -> None:
    put(lake, 1)
    table = Path(lake.table_path(TUBE))
    published = next(iter(table_files(query.open_table(lake, TUBE)))).path
    stray, unknown = table / "part=a" / "stray.parquet", table / "part=a" / "unknown.parquet"
    stray.write_bytes(b"")
    unknown.write_bytes(b"")
    folder = lake.staging("dead")
    (folder / "_run.json").write_text(json.dumps({"host": os.uname().nodename, "pid": 2**22 + 1, "started": 0}))
    names = [str(Path(path).relative_to(table)) for path in (published, str(stray))]
    (folder / "_publish-1.json").write_text(json.dumps({"table": str(table), "run": "dead", "files": names}))
    assert maintain.sweep(lake) == ["dead"]
    assert Path(published).exists() and not stray.exists() and unknown.exists()


def test_history_tells_runs_rows_and_files(lake: Lake) -> None:
    put(lake, 1)
    put(lake, 2)
    found = maintain.history(lake, TUBE)
    assert [(entry["version"], entry["rows_added"], entry["files_added"]) for entry in found] == [(2, 1, 1), (1, 1, 1), (0, 0, 0)]
    assert found[0]["run"].startswith("r.") and found[0]["at"] >= found[2]["at"]
    assert len(maintain.history(lake, TUBE, limit=1)) == 1


def test_a_restored_version_is_a_new_one_with_the_old_rows(lake: Lake) -> None:
    put(lake, 1)
    put(lake, 2)
    assert maintain.restore(lake, TUBE, 1) == 3
    assert numbers(lake) == [1] and numbers(lake, 2) == [1, 2]
    put(lake, 5)
    assert numbers(lake) == [1, 5]
    with pytest.raises(UserError, match="no version 77"):
        maintain.restore(lake, TUBE, 77)


def test_a_version_whose_files_are_gone_cannot_be_restored(lake: Lake) -> None:
    put(lake, 1)
    commit.replace_rows(lake, contract(TUBE), pa.table({"number": [2], "part": ["a"]}), "s")
    maintain.vacuum(lake, TUBE, set())
    with pytest.raises(UserError, match="cannot be restored"):
        maintain.restore(lake, TUBE, 1)
    assert numbers(lake) == [2]


def test_the_newest_version_is_not_restored_and_no_record_goes_back(lake: Lake, tmp_path: Path) -> None:
    put(lake, 1)
    with pytest.raises(UserError, match="version 1 is the newest already"):
        maintain.restore(lake, TUBE, 1)
    (tmp_path / "a.csv").write_text("number\n1\n")
    number = land.land(lake, tmp_path / "a.csv", TUBE)[0].delivery_id
    with pytest.raises(UserError, match=r"raw.delivery is a record of what happened and never goes back\n.*withdraw"):
        maintain.restore(lake, land.TABLE, 0)
    assert [receipt.delivery_id for receipt in land.receipts(lake)] == [number]
