"""Publishing is a compare-and-swap: what was acknowledged stays, what rests on the past is built again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from jobs import commit
from jobs.commit import Moved, StagedFile
from jobs.lake import Lake, arrow_schema
from jobs.relation import read_rows
from schemas.errors import UserError
from tests.jobs import meters


def head(lake: Lake) -> DeltaTable:
    table = lake.open(meters.TABLE)
    assert table is not None
    return table


def test_staged_files_are_moved_into_the_table_and_named_after_their_run(lake: Lake) -> None:
    staged = [meters.stage(lake, "r1", month, meters.rows([n])) for n, month in enumerate(["2026-01", "2026-02"])]
    assert meters.publish(lake, staged, run="r1") == 1
    assert not any(Path(file.path).exists() for file in staged)
    assert {Path(name).parent.name for name in meters.data_files(lake)} == {"month=2026-01", "month=2026-02"}
    assert all(Path(name).name.startswith("part-r1-") for name in meters.data_files(lake))
    assert meters.ids(lake) == [0, 1]


def test_the_same_run_twice_is_published_once(lake: Lake) -> None:
    assert meters.put(lake, "2026-01", [1], run="r1") == 1
    meters.put(lake, "2026-01", [2])
    assert meters.put(lake, "2026-01", [1], run="r1", read_version=0) == 1
    assert meters.ids(lake) == [1, 2]


def test_a_run_that_was_recorded_before_the_read_is_known_by_its_sequence(lake: Lake) -> None:
    options: dict[str, Any] = {"app_id": "build:m", "app_sequence": 1}
    assert meters.put(lake, "2026-01", [1], run="r1", **options) == 1
    assert meters.put(lake, "2026-01", [1], run="r1", **options) == 1
    with pytest.raises(Moved, match="sequence 1"):
        meters.put(lake, "2026-01", [2], run="r2", **options)
    assert meters.ids(lake) == [1]


def test_one_partition_is_replaced_and_others_stay(lake: Lake) -> None:
    meters.put(lake, "2026-01", [1, 2])
    meters.put(lake, "2026-02", [3])
    meters.put(lake, "2026-01", [4], replace=["2026-01"])
    assert meters.ids(lake) == [3, 4]
    meters.publish(lake, [], replace=["2026-01"])
    assert meters.ids(lake) == [3]
    meters.put(lake, "2026-03", [5], replace="all")
    assert meters.ids(lake) == [5]


def test_a_stale_build_of_a_partition_that_changed_is_refused_and_leaves_no_file(lake: Lake) -> None:
    read = meters.put(lake, "2026-01", [1])
    meters.put(lake, "2026-01", [2])
    before = meters.data_files(lake)
    for replace in (["2026-01"], "all"):
        with pytest.raises(Moved):
            meters.put(lake, "2026-01", [9], replace=replace, read_version=read)
    assert meters.ids(lake) == [1, 2]
    assert meters.data_files(lake) == before


def test_a_build_of_another_partition_commits_the_same_files_on_the_newer_version(lake: Lake) -> None:
    read = meters.put(lake, "2026-01", [1])
    meters.put(lake, "2026-01", [2])
    assert meters.put(lake, "2026-02", [3], replace=["2026-02"], read_version=read) == 3
    assert meters.ids(lake) == [1, 2, 3]


def test_a_compaction_in_between_changes_no_rows_and_hinders_no_build(lake: Lake) -> None:
    for number in range(4):
        read = meters.put(lake, "2026-01", [number])
    head(lake).optimize.compact()
    assert meters.put(lake, "2026-01", [9], replace=["2026-01"], read_version=read) == read + 2
    assert meters.ids(lake) == [9]


def test_an_append_of_the_same_application_in_between_is_built_again(lake: Lake) -> None:
    meters.put(lake, "2026-01", [1], app_id="build:m", app_sequence=1)
    meters.put(lake, "2026-01", [2], app_id="build:m", app_sequence=2)
    with pytest.raises(Moved):
        meters.put(lake, "2026-01", [2], app_id="build:m", app_sequence=2, read_version=1)
    assert meters.put(lake, "2026-01", [3], app_id="other", app_sequence=2, read_version=1) == 3
    assert meters.ids(lake) == [1, 2, 3]


def test_a_sequence_never_moves_back(lake: Lake) -> None:
    meters.put(lake, "2026-01", [1], app_id="build:m", app_sequence=7)
    meters.put(lake, "2026-02", [2], app_id="build:m", app_sequence=8, replace=["2026-02"])
    meters.put(lake, "2026-03", [3], app_id="build:m", app_sequence=8, replace=["2026-03"], read_version=1)
    assert head(lake).transaction_version("build:m") == 9


def test_a_changed_schema_in_between_is_built_again(lake: Lake) -> None:
    read = meters.put(lake, "2026-01", [1])
    more = meters.SCHEMA.append(pa.field("extra", pa.string()))
    commit.evolve(lake, lake.table_path(meters.TABLE), more)
    with pytest.raises(Moved):
        meters.put(lake, "2026-02", [2], read_version=read)


def test_an_error_of_a_commit_that_took_place_is_not_a_second_commit(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer got lost: delta-rs says that it failed, the log says that it did not."""
    true_commit = DeltaTable.create_write_transaction

    def lossy(self: DeltaTable, *args: Any, **kwargs: Any) -> None:
        true_commit(self, *args, **kwargs)
        raise CommitFailedError("timed out")

    monkeypatch.setattr(DeltaTable, "create_write_transaction", lossy)
    assert meters.put(lake, "2026-01", [1]) == 1
    assert (meters.ids(lake), head(lake).version()) == ([1], 1)


def test_an_error_that_lasts_is_reported_and_leaves_no_file(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(DeltaTable, "create_write_transaction", full)
    monkeypatch.setattr(commit, "ATTEMPTS", 2)
    with pytest.raises(UserError, match="no space left"):
        meters.put(lake, "2026-01", [1])
    assert (meters.ids(lake), meters.data_files(lake)) == ([], set())


def test_a_disk_that_fills_up_while_files_move_is_explained_and_leaves_no_file(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged = [meters.stage(lake, "r", "2026-01", meters.rows([n]), str(n)) for n in range(3)]
    moved, replace = [], os.replace

    def fills_up(source: Any, target: Any) -> None:
        if str(target).endswith(".parquet"):
            if len(moved) == 2:
                raise OSError(28, "No space left on device", str(target))
            moved.append(target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", fills_up)
    with pytest.raises(UserError, match="no space left"):
        meters.publish(lake, staged, run="r")
    assert (len(moved), meters.data_files(lake), meters.ids(lake)) == (2, set(), [])


def test_the_note_of_a_build_is_found_behind_compactions_and_follows_a_restore(lake: Lake) -> None:
    first = meters.put(lake, "2026-01", [1], commit_info={"run": "a", "inputs": {"raw.x": 3}})
    second = meters.put(lake, "2026-02", [2], commit_info={"run": "b", "inputs": {"raw.x": 4}})
    meters.put(lake, "2026-01", [3], run="c")
    head(lake).optimize.compact()
    assert commit.last_commit(head(lake)) == {"run": "c", "version": 3}
    assert commit.commit_of(head(lake), second)["inputs"] == {"raw.x": 4}
    assert commit.commit_of(head(lake), 0) == {}
    from jobs import maintain

    maintain.restore(lake, meters.TABLE, first)
    assert commit.last_commit(head(lake)) == {"run": "a", "inputs": {"raw.x": 3}, "version": 1}


def test_changed_partitions_name_what_came_and_went_and_nothing_that_only_moved(lake: Lake) -> None:
    for number in range(3):
        meters.put(lake, "2026-01", [number])
    meters.put(lake, "2026-02", [5])
    compacted = head(lake).version()
    head(lake).optimize.compact()
    meters.publish(lake, [], replace=["2026-02"])
    now = head(lake)
    assert commit.changed_partitions(now, 0, now.version()) == {"2026-01", "2026-02"}
    assert commit.changed_partitions(now, compacted, compacted + 1) == set()
    assert commit.changed_partitions(now, compacted, now.version()) == {"2026-02"}
    assert commit.changed_partitions(now, now.version(), now.version()) == set()
    assert commit.changed_partitions(now, now.version(), 0) is None
    commit.evolve(lake, lake.table_path(meters.TABLE), meters.SCHEMA.append(pa.field("extra", pa.string())))
    assert commit.changed_partitions(head(lake), 0, head(lake).version()) is None


def test_a_table_without_partitions_changes_as_a_whole(lake: Lake) -> None:
    plain = meters.contract(partition_by=())
    commit.append_rows(lake, plain, meters.rows([1], "2026-01"), "r")
    assert commit.changed_partitions(head(lake), 0, 1) is None


def test_added_columns_are_free_and_other_changes_are_refused(lake: Lake) -> None:
    meters.put(lake, "2026-01", [1])
    path = lake.table_path(meters.TABLE)
    more = meters.SCHEMA.append(pa.field("extra", pa.int64(), metadata={"comment": "new"}))
    commit.evolve(lake, path, more)
    assert commit.evolve(lake, path, more).version() == 2
    assert read_rows(head(lake))["extra"].to_pylist() == [None]
    other = pa.schema([pa.field("kwh", pa.float64())])
    with pytest.raises(UserError, match="'kwh' is decimal"):
        commit.evolve(lake, path, other)


def test_a_whole_rebuild_brings_the_schema_of_the_contract_with_it(lake: Lake) -> None:
    meters.put(lake, "2026-01", [1])
    columns = {name: spec for name, spec in meters.COLUMNS.items() if name != "share"} | {"kwh": {"type": "double"}}
    schema = arrow_schema(meters.contract(columns=columns))
    table = meters.rows([2]).drop_columns(["share"])
    table = table.set_column(table.column_names.index("kwh"), "kwh", pa.array([1.5], pa.float64()))
    file = meters.stage(lake, "r", "2026-02", table)
    commit.publish(lake, lake.table_path(meters.TABLE), schema, [file], read_version=1, replace="all",
                   commit_info={"run": "r"})  # fmt: skip
    assert read_rows(head(lake))["kwh"].to_pylist() == [1.5]
    assert "share" not in [field.name for field in head(lake).schema().fields]


def test_a_handle_that_is_known_is_brought_forward_and_a_table_that_is_gone_is_not_made_anew(lake: Lake) -> None:
    path, known = lake.table_path(meters.TABLE), lake.create(meters.METER)
    others = [meters.put(lake, "2026-01", [number]) for number in range(3)]
    assert commit.write_rows(lake, path, meters.rows([9], "2026-01"), "w", schema=meters.SCHEMA, head=known) == others[-1] + 1
    shutil.rmtree(path)
    with pytest.raises(UserError, match="there is no table here"):
        commit.write_rows(lake, path, meters.rows([9], "2026-01"), "v", schema=meters.SCHEMA, head=known)
    assert not Path(path).exists()


def test_a_handle_on_a_table_that_was_made_anew_is_opened_again(lake: Lake) -> None:
    path = lake.table_path(meters.TABLE)
    for number in range(3):
        meters.put(lake, "2026-01", [number])
    known = head(lake)
    shutil.rmtree(path)
    meters.put(lake, "2026-01", [7])
    commit.write_rows(lake, path, meters.rows([8], "2026-01"), "w", schema=meters.SCHEMA, head=known)
    assert meters.ids(lake) == [7, 8]


def test_an_append_without_files_carries_a_note_alone(lake: Lake) -> None:
    assert meters.publish(lake, [], run="nothing") == 1
    assert commit.last_commit(head(lake)) == {"run": "nothing", "version": 1}


def test_small_rows_are_fitted_to_the_contract_and_appended_once_where_asked(lake: Lake) -> None:
    few = pa.table({"id": [1, 2], "month": ["2026-01", "2026-02"]})
    assert commit.append_rows(lake, meters.METER, few, "r", once=True) == 1
    assert commit.append_rows(lake, meters.METER, few, "r", once=True) == 1
    assert commit.append_rows(lake, meters.METER, few, "r") == 2
    assert commit.append_rows(lake, meters.METER, few.slice(0, 0), "r") == 2
    assert meters.ids(lake) == [1, 1, 2, 2]
    with pytest.raises(UserError, match="unknown columns: kWh"):
        commit.append_rows(lake, meters.METER, few.append_column("kWh", pa.array([1, 2])), "r")
    assert [p for p in (lake.folder / "_staging").iterdir() if p.is_dir()] == []


def test_small_tables_can_be_replaced_and_say_when_they_moved(lake: Lake) -> None:
    few = pa.table({"id": [1], "month": ["2026-01"]})
    commit.append_rows(lake, meters.METER, few, "r")
    assert commit.replace_rows(lake, meters.METER, few.slice(0, 0), "s") == 2
    assert meters.ids(lake) == []
    with pytest.raises(Moved):
        commit.replace_rows(lake, meters.METER, few, "t", read_version=1)


def test_retrying_ends_with_the_result_or_a_report() -> None:
    left = [Moved("a"), Moved("b")]

    def work() -> str:
        if left:
            raise left.pop()
        return "done"

    assert commit.retrying(work, pause=0) == "done"

    def never() -> None:
        raise Moved("for ever")

    with pytest.raises(UserError, match="for ever"):
        commit.retrying(never, attempts=3, pause=0)


def test_a_table_that_was_never_made_is_named(lake: Lake) -> None:
    with pytest.raises(UserError, match="no table here"):
        commit.publish(lake, lake.table_path("cleaned.none"), meters.SCHEMA, [StagedFile("x")], read_version=0,
                       replace="append", commit_info={"run": "r"})  # fmt: skip


def test_a_file_on_another_disk_is_copied(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    staged = meters.stage(lake, "r", "2026-01", meters.rows([1]))
    replace = os.replace

    def other_disk(source: Any, target: Any) -> None:
        if str(source) == staged.path:
            raise OSError(18, "Invalid cross-device link")
        replace(source, target)

    monkeypatch.setattr(os, "replace", other_disk)
    meters.publish(lake, [staged], run="r")
    assert meters.ids(lake) == [1]
    assert pq.read_metadata(Path(lake.table_path(meters.TABLE)) / meters.data_files(lake).pop()).num_rows == 1
