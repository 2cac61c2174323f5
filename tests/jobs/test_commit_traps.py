"""What a commit of delta-rs does not do for us (docs of the platform, section 8): each trap is caught or harmless."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction

from jobs import footers, maintain
from jobs.commit import Moved, StagedFile
from jobs.deltalog import actions
from jobs.lake import Lake
from jobs.relation import arrow_table, read_rows, relation_sql
from schemas.errors import UserError
from tests.jobs import meters

CAS = CommitProperties(max_commit_retries=0)


def head(lake: Lake) -> DeltaTable:
    table = lake.open(meters.TABLE)
    assert table is not None
    return table


def stats_of(lake: Lake) -> list[dict[str, Any]]:
    found = actions(head(lake), head(lake).version()) or []
    return [json.loads(action["add"]["stats"]) for action in found if "add" in action]


def column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def test_a_fresh_handle_would_lose_a_rebuild_so_the_read_version_is_what_counts(lake: Lake) -> None:
    """Both builds read version 1; the second is told, and its rebuild sees what the first wrote."""
    read = meters.put(lake, "2026-01", [1])
    meters.put(lake, "2026-01", [1, 2], replace=["2026-01"], read_version=read)
    with pytest.raises(Moved):
        meters.put(lake, "2026-01", [1, 3], replace=["2026-01"], read_version=read)
    assert meters.ids(lake) == [1, 2]


def test_default_retries_would_bring_old_rows_back_after_a_compaction(lake: Lake) -> None:
    for number in range(3):
        read = meters.put(lake, "2026-01", [number])
    head(lake).optimize.compact()
    meters.put(lake, "2026-01", [7], replace=["2026-01"])
    with pytest.raises(Moved):
        meters.put(lake, "2026-01", [8], replace=["2026-01"], read_version=read)
    assert meters.ids(lake) == [7]


@pytest.mark.parametrize("by", ["compact", "z_order"])
def test_a_compaction_of_what_was_replaced_meanwhile_is_refused(lake: Lake, by: str) -> None:
    for number in range(3):
        meters.put(lake, "2026-01", [number])
    stale = head(lake)
    meters.put(lake, "2026-01", [7], replace=["2026-01"])
    with pytest.raises(CommitFailedError):
        if by == "compact":
            stale.optimize.compact(commit_properties=CAS)
        else:
            stale.optimize.z_order(["id"], commit_properties=CAS)
    assert meters.ids(lake) == [7]


def test_a_compaction_keeps_rows_appended_meanwhile(lake: Lake) -> None:
    for number in range(3):
        meters.put(lake, "2026-01", [number])
    stale = head(lake)
    meters.put(lake, "2026-01", [7])
    stale.optimize.compact(commit_properties=CAS)
    assert meters.ids(lake) == [0, 1, 2, 7]


def test_a_repeated_or_lower_sequence_is_refused_though_delta_rs_takes_it(lake: Lake) -> None:
    meters.put(lake, "2026-01", [1], app_id="build:m", app_sequence=7)
    for sequence in (7, 6):
        with pytest.raises(Moved):
            meters.put(lake, "2026-01", [2], app_id="build:m", app_sequence=sequence)
    assert (meters.ids(lake), head(lake).transaction_version("build:m")) == ([1], 7)


def test_an_empty_list_of_partitions_would_replace_the_whole_table(lake: Lake) -> None:
    meters.put(lake, "2026-01", [1])
    with pytest.raises(UserError, match="empty list"):
        meters.put(lake, "2026-02", [2], replace=[])
    assert meters.ids(lake) == [1]


def test_partitions_of_a_table_without_any_cannot_be_replaced(lake: Lake) -> None:
    path = lake.table_path("cleaned.flat")
    lake.create(meters.contract(name="flat", partition_by=()))
    from jobs import commit

    with pytest.raises(UserError, match="no partitions"):
        commit.publish(lake, path, meters.SCHEMA, [], read_version=0, replace=["2026-01"], commit_info={"run": "r"})


def refused(lake: Lake, file: StagedFile, match: str, **options: Any) -> None:
    """Demand that a file is refused, and that neither table nor folder has changed."""
    lake.create(meters.METER)
    before = (head(lake).version(), meters.data_files(lake))
    with pytest.raises(UserError, match=match) as caught:
        meters.publish(lake, [file], **options)
    assert file.path in str(caught.value)
    assert (head(lake).version(), meters.data_files(lake)) == before


def test_a_file_of_another_partition_is_refused(lake: Lake) -> None:
    file = meters.stage(lake, "r", "2026-01", meters.rows([1]))
    refused(lake, StagedFile(file.path, {"month": "2026-02"}), "lies in month=2026-01")
    refused(lake, file, "2026-02 are replaced", replace=["2026-02"])
    refused(lake, StagedFile(file.path, {}), "the table has")
    refused(lake, StagedFile(file.path, {"month": "2026-01", "year": "2026"}), "the table has")


def test_a_missing_file_is_refused(lake: Lake) -> None:
    refused(lake, StagedFile(str(lake.staging("r") / "none.parquet"), {"month": "2026-01"}), "not there")


def test_a_truncated_file_is_refused(lake: Lake) -> None:
    file = meters.stage(lake, "r", "2026-01", meters.rows([1]))
    Path(file.path).write_bytes(Path(file.path).read_bytes()[:-20])
    refused(lake, StagedFile(file.path, file.partition_values), "not a whole Parquet file")


def test_a_file_with_other_rows_or_bytes_than_reported_is_refused(lake: Lake) -> None:
    file = meters.stage(lake, "r", "2026-01", meters.rows([1, 2]))
    refused(lake, StagedFile(file.path, file.partition_values, rows=3), "2 rows in")
    refused(lake, StagedFile(file.path, file.partition_values, size=1), "were reported")


def test_another_case_another_type_or_a_missing_column_is_refused(lake: Lake) -> None:
    good = meters.rows([1])
    bad = {
        "case counts": good.rename_columns([n.upper() if n == "kwh" else n for n in good.column_names]),
        "'kwh' is decimal128\\(28, 9\\)": column(good, "kwh", pa.array([Decimal("1.5")], pa.decimal128(28, 9))),
        "'kwh' is double": column(good, "kwh", pa.array([1.5], pa.float64())),
        "'id' is int32": column(good, "id", pa.array([1], pa.int32())),
        "'at' is timestamp\\[us\\], ": column(good, "at", pa.array([0], pa.timestamp("us"))),
        "'share' is not in the file": good.drop_columns(["share"]),
        "contract does not know: other": good.append_column("other", pa.array([1])),
        "contract does not know: month": good.append_column("month", pa.array(["2026-09"])),
    }
    for number, (match, table) in enumerate(bad.items()):
        refused(lake, meters.stage(lake, "r", "2026-01", table, str(number)), match)


def test_the_bit_mask_of_rules_is_carried_along_and_never_shows(lake: Lake) -> None:
    table = meters.rows([1]).append_column("_rules", pa.array([0]))
    meters.publish(lake, [meters.stage(lake, "r", "2026-01", table)])
    assert "_rules" not in read_rows(head(lake)).column_names
    assert "_rules" not in head(lake).to_pyarrow_dataset().schema.names


def test_texts_that_arrow_lays_out_in_another_way_are_the_same_type(lake: Lake) -> None:
    table = column(meters.rows([1]), "name", pa.array(["a"], pa.large_string()))
    table = column(table, "name", pa.array(["a"]).dictionary_encode())
    meters.publish(lake, [meters.stage(lake, "r", "2026-01", table)])
    assert read_rows(head(lake))["name"].to_pylist() == ["a"]


def test_statistics_never_hold_decimals_or_doubles_nor_do_those_of_compaction(lake: Lake) -> None:
    for number in range(2):
        one = column(meters.rows([number]), "kwh", pa.array([Decimal("12345678901.123456")], pa.decimal128(28, 6)))
        one = column(one, "share", pa.array([0.1]))
        meters.publish(lake, [meters.stage(lake, f"r{number}", "2026-01", one)])
    assert {"kwh", "share"} & {name for found in stats_of(lake) for name in found["minValues"]} == set()
    head(lake).optimize.compact(commit_properties=CAS)
    assert {"kwh", "share"} & {name for found in stats_of(lake) for name in found["minValues"]} == set()
    wanted = ds.field("kwh") == pa.scalar(Decimal("12345678901.123456"), pa.decimal128(28, 6))
    assert head(lake).to_pyarrow_dataset().to_table(filter=wanted).num_rows == 2


def test_nan_never_reaches_statistics_and_the_table_stays_readable(lake: Lake) -> None:
    """A rule keeps NaN out of tables; should one come, it must not make the table unreadable."""
    table = column(meters.rows([1, 2]), "share", pa.array([math.nan, math.inf]))
    meters.publish(lake, [meters.stage(lake, "r", "2026-01", table)])
    assert "NaN" not in json.dumps(stats_of(lake)) and "Infinity" not in json.dumps(stats_of(lake))
    assert len(read_rows(head(lake))) == head(lake).to_pyarrow_dataset().count_rows() == 2


@pytest.mark.parametrize("compacted", [False, True])
def test_is_null_finds_the_rows_of_every_column(lake: Lake, compacted: bool) -> None:
    for run in ("a", "b"):
        table = column(meters.rows([1, 2]), "name", pa.array(["x", None]))
        meters.publish(lake, [meters.stage(lake, run, "2026-01", table)])
    if compacted:
        head(lake).optimize.compact(commit_properties=CAS)
    data = head(lake).to_pyarrow_dataset()
    names = ("name", "kwh", "share", "at", "id")
    found = {name: data.to_table(filter=ds.field(name).is_null()).num_rows for name in names}
    assert found == {"name": 2, "kwh": 4, "share": 4, "at": 4, "id": 0}


def test_nulls_that_a_writer_did_not_count_leave_the_number_of_rows_alone(lake: Lake) -> None:
    path = lake.staging("r") / "0.parquet"
    pq.write_table(column(meters.rows([1, 2]), "name", pa.array(["x", None])), path, write_statistics=["id"])
    meters.publish(lake, [StagedFile(str(path), {"month": "2026-01"})])
    assert stats_of(lake) == [{"numRecords": 2}]
    assert head(lake).to_pyarrow_dataset().to_table(filter=ds.field("name").is_null()).num_rows == 1


def test_statistics_bound_what_they_name(lake: Lake) -> None:
    table = column(meters.rows([3, 1, 2]), "name", pa.array(["b", None, "a"]))
    table = column(table, "at", pa.array([datetime(2026, 1, 1, 12, 30, 0, 5000, UTC)] * 3, pa.timestamp("us", "UTC")))
    table = column(table, "day", pa.array([date(9999, 12, 31), date(2026, 1, 1), None]))
    meters.publish(lake, [meters.stage(lake, "r", "2026-01", table)])
    (found,) = stats_of(lake)
    assert found["numRecords"] == 3
    assert found["minValues"] == {"id": 1, "name": "a", "at": "2026-01-01T12:30:00.005Z", "day": "2026-01-01",
                                  "_delivery": 1, "_locator": 1}  # fmt: skip
    assert found["maxValues"]["day"] == "9999-12-31" and found["maxValues"]["name"] == "b"
    assert found["nullCount"] == {"id": 0, "kwh": 3, "share": 3, "name": 1, "at": 0, "day": 1, "_delivery": 0,
                                  "_locator": 0}  # fmt: skip


@pytest.mark.parametrize(
    "value", ["x" * 33, "碳" * 11, Decimal("1.5"), 1.5, math.nan, True, datetime(2026, 1, 1, 0, 0, 0, 1, UTC), b"x"]
)
def test_what_cannot_be_bounded_exactly_has_no_bound(value: Any) -> None:
    assert footers.bound(value) is None


def test_sparks_int96_is_refused(lake: Lake) -> None:
    path = lake.staging("r") / "0.parquet"
    pq.write_table(column(meters.rows([1]), "at", pa.array([0], pa.timestamp("us", "UTC"))), path,
                   use_deprecated_int96_timestamps=True)  # fmt: skip
    refused(lake, StagedFile(str(path), {"month": "2026-01"}), "'at' is timestamp\\[ns|INT96")


@pytest.mark.parametrize("value", ["", "一月", "__HIVE_DEFAULT_PARTITION__", None])
def test_partition_values_that_engines_write_differently_are_refused(lake: Lake, value: Any) -> None:
    path = lake.staging("r") / "0.parquet"
    pq.write_table(meters.rows([1]), path)
    refused(lake, StagedFile(str(path), {"month": value}), "cannot be a partition value")


@pytest.mark.parametrize("value", ["a b", "50%", "x=y", "a/b", "..", "a%20b", "it's", '"q"'])
def test_partition_values_with_odd_characters_are_read_back_as_they_were(lake: Lake, value: str) -> None:
    path = lake.staging("r") / "0.parquet"
    pq.write_table(meters.rows([1]), path)
    meters.publish(lake, [StagedFile(str(path), {"month": value})])
    assert read_rows(head(lake))["month"].to_pylist() == [value]
    assert head(lake).to_pyarrow_dataset().to_table()["month"].to_pylist() == [value]
    meters.publish(lake, [], replace=[value])
    assert meters.ids(lake) == []


def test_a_key_without_a_value_is_refused(lake: Lake) -> None:
    table = column(meters.rows([1, 2]), "id", pa.array([1, None], pa.int64()))
    refused(lake, meters.stage(lake, "r", "2026-01", table), "1 rows have no 'id'")


def test_duckdb_sees_the_types_of_the_table_and_not_those_of_its_files(lake: Lake) -> None:
    """Older files lack a column that was added, and another writer stored a narrower integer."""
    meters.put(lake, "2026-01", [1])
    narrow = meters.rows([2]).drop_columns(["share"])
    narrow = column(narrow, "id", pa.array([2], pa.int32()))
    path = Path(lake.table_path(meters.TABLE)) / "month=2026-02" / "foreign.parquet"
    path.parent.mkdir()
    pq.write_table(narrow, path)
    size, stats = path.stat().st_size, '{"numRecords":1}'
    add = AddAction("month=2026-02/foreign.parquet", size, {"month": "2026-02"}, 0, True, stats)
    head(lake).create_write_transaction([add], "append", head(lake).schema(), ["month"])
    with duckdb.connect() as duck:
        found = arrow_table(duck.sql(f"select * from ({relation_sql(head(lake))}) order by id"))
    assert [footers.plain(field.type) for field in found.schema] == [field.type for field in meters.SCHEMA]
    assert found["share"].to_pylist() == [None, None] and found["id"].to_pylist() == [1, 2]


def test_vacuum_never_takes_files_that_no_version_names_nor_the_quarantine(lake: Lake) -> None:
    """A full vacuum removes whatever the log does not name: a commit under way, a nested table and its log."""
    meters.put(lake, "2026-01", [1])
    under_way = Path(lake.table_path(meters.TABLE)) / "month=2026-01" / "part-other-0.parquet"
    pq.write_table(meters.rows([2]), under_way)
    aside = lake.create_path(lake.quarantine_path(meters.TABLE), pa.schema([("reason", pa.string())]))
    meters.put(lake, "2026-01", [3], replace=["2026-01"])
    assert maintain.vacuum(lake, meters.TABLE, set()) == 1
    assert under_way.exists() and meters.ids(lake) == [3]
    assert lake.open_path(str(aside.table_uri)) is not None


def test_the_handle_of_a_commit_stays_behind_so_the_version_returned_is_checked(lake: Lake) -> None:
    for number in range(1, 4):
        version = meters.put(lake, "2026-01", [number])
        assert version == head(lake).version() == number
        assert meters.ids(lake, version) == list(range(1, number + 1))
