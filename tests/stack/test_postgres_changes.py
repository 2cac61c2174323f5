"""Changes of a table of a real PostgreSQL, from its log: nothing lost, nothing doubled, deletions seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from jobs import fetch as fetching
from schemas.errors import UserError
from tests.sources import COLUMNS, DELETED, TABLE, Source

SLOT = "carbonlake_tests"
FETCH = f"{{by: database, connection: meters, table: own.meter, changes: {SLOT}, publication: own_meter}}"


@pytest.fixture
def database(postgres: dict[str, str], replicating: None) -> Iterator[psycopg.Connection[Any]]:
    """Return a connection with a table whose changes are published."""
    with psycopg.connect(postgres["CARBONLAKE_DATABASE"], autocommit=True) as made:
        made.execute("drop schema if exists own cascade")
        made.execute("create schema own")
        made.execute("create table own.meter (id bigint primary key, kwh numeric(18, 6), note text)")
        made.execute("alter table own.meter replica identity full")
        made.execute("alter table own.meter alter note set storage external")
        made.execute("create publication own_meter for table own.meter")
        made.execute("insert into own.meter select n, n * 1.5, 'a' from generate_series(1, 3) n")
        yield made
        made.execute("drop publication own_meter")
        made.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name like %s", [f"{SLOT}%"])


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: dict[str, str]) -> Source:
    made = Source(tmp_path, monkeypatch, {"meters": postgres["CARBONLAKE_DATABASE"]})
    made.declare(FETCH, columns=COLUMNS + DELETED + "  note: {type: string, description: Note}\n")
    return made


def flushed(database: Any) -> str:
    """Return up to where the log was given free."""
    row = database.execute("select confirmed_flush_lsn::text from pg_replication_slots where slot_name = %s", [SLOT]).fetchone()
    return str(row[0])


def told(source: Source, receipt: Any) -> list[tuple[Any, ...]]:
    return [(row["id"], row["kwh"], row["_op"]) for row in source.rows(receipt)]


def test_the_whole_comes_first_and_then_the_last_change_of_each_key(source: Source, database: Any, spark: Any) -> None:
    (whole,) = source.fetch()
    assert told(source, whole)[0] == (1, "1.500000", "snapshot")
    with database.transaction():
        database.execute("update own.meter set kwh = 7 where id = 1")
        database.execute("update own.meter set kwh = 8 where id = 1")
        database.execute("insert into own.meter values (4, 4, 'b')")
        database.execute("delete from own.meter where id = 2")
    (changes,) = source.fetch()
    assert told(source, changes) == [(1, "8.000000", "update"), (4, "4.000000", "insert"), (2, "3.000000", "delete")]
    rows = [(one, str(kwh), gone) for one, kwh, gone in source.built(spark, "id", "kwh", "deleted")]
    assert rows == [(1, "8.000000", False), (2, "3.000000", True), (3, "4.500000", False), (4, "4.000000", False)]
    assert source.fetch() == []


def test_every_change_is_kept_where_rows_are_appended(source: Source, database: Any) -> None:
    source.declare(FETCH, write="append")
    source.fetch()
    for kwh in (7, 8):
        database.execute("update own.meter set kwh = %s where id = 1", [kwh])
    (receipt,) = source.fetch()
    assert told(source, receipt) == [(1, "7.000000", "update"), (1, "8.000000", "update")]
    first, second = source.rows(receipt)
    assert (first["_order"], second["_order"], first["_lsn"] < second["_lsn"]) == (0, 1, True)
    assert first["_committed"] <= second["_committed"]


def test_a_fetch_killed_before_it_landed_sees_the_same_changes_again(
    source: Source, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.fetch()
    database.execute("update own.meter set kwh = 7 where id = 1")
    with monkeypatch.context() as patch:
        patch.setattr(fetching, "land_fetched", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            source.fetch()
    assert told(source, source.fetch()[0]) == [(1, "7.000000", "update")]


def test_a_fetch_killed_after_it_landed_does_not_see_them_again(
    source: Source, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.fetch()
    database.execute("update own.meter set kwh = 7 where id = 1")
    before = flushed(database)

    def stop(_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetching.fetch(source.lake, TABLE, source.connections, stop)
    assert flushed(database) == before
    assert source.fetch() == []


def test_what_changed_between_the_slot_and_the_whole_comes_once(
    source: Source, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.fetch import changes

    made = changes._make_slot

    def late(*given: Any) -> None:
        made(*given)
        database.execute("update own.meter set kwh = 7 where id = 1")

    monkeypatch.setattr(changes, "_make_slot", late)
    assert told(source, source.fetch()[0])[-1] == (1, "7.000000", "snapshot")
    assert source.fetch() == []
    database.execute("update own.meter set kwh = 8 where id = 1")
    assert told(source, source.fetch()[0]) == [(1, "8.000000", "update")]


def test_a_long_value_that_did_not_change_is_there(source: Source, database: Any) -> None:
    database.execute("update own.meter set note = repeat('x', 100000) where id = 1")
    source.fetch()
    database.execute("update own.meter set kwh = 7 where id = 1")
    (row,) = source.rows(source.fetch()[0])
    assert len(row["note"]) == 100_000


def test_a_changed_key_is_one_row_deleted_and_one_new(source: Source, database: Any) -> None:
    source.fetch()
    database.execute("update own.meter set id = 30 where id = 3")
    assert told(source, source.fetch()[0]) == [(3, "4.500000", "delete"), (30, "4.500000", "update")]


def test_values_are_those_of_the_whole_reading(source: Source, database: Any) -> None:
    columns = {"at": "timestamptz", "day": "date", "cost": "money", "tags": "text[]", "raw": "bytea", "host": "inet",
               "share": "double precision", "rough": "real", "ok": "boolean", "code": "char(4)", "what": "jsonb"}  # fmt: skip
    database.execute(f"alter table own.meter {', '.join(f'add {name} {kind}' for name, kind in columns.items())}")
    values = ("2026-01-01 10:00+08", "2026-01-01", "12.34", "{a,b}", r"\x00ff", "10.0.0.1", 0.1, 0.1, True, "ab", '{"a": 1.10}')
    text = f"insert into own.meter values (%s, 1, 'n', {', '.join(['%s'] * len(values))})"
    database.execute(text, [9, *values])
    from jobs.readers import Request, read

    def as_read(receipt: Any) -> dict[str, Any]:
        import pyarrow.parquet as pq

        out = source.lake.folder.parent / f"read-{receipt.delivery_id}"
        out.mkdir()
        read("parquet", Request(source.lake.delivery(receipt.sha256), out, receipt.delivery_id, receipt.name, {}))
        return {row["id"]: row for row in pq.read_table(out / "part-00000.parquet").to_pylist()}

    whole = as_read(source.fetch()[0])[9]
    database.execute(text, [10, *values])
    change = as_read(source.fetch()[0])[10]
    assert {name: change[name] for name in columns} == {name: whole[name] for name in columns}
    assert whole["at"] == "2026-01-01 02:00:00.000000Z"


def test_columns_that_are_added_begin_a_delivery_of_their_own(source: Source, database: Any) -> None:
    source.fetch()
    database.execute("insert into own.meter values (4, 4, 'b')")
    database.execute("alter table own.meter add place text")
    database.execute("insert into own.meter values (5, 5, 'b', 'here')")
    before, after = source.fetch()
    assert ["place" in source.rows(one)[0] for one in (before, after)] == [False, True]


def test_other_tables_of_the_publication_hold_the_log_of_nobody(source: Source, database: Any) -> None:
    database.execute("create table own.other (id bigint primary key)")
    database.execute("alter publication own_meter add table own.other")
    source.fetch()
    database.execute("insert into own.other select generate_series(1, 1000)")
    (before,) = database.execute(
        "select confirmed_flush_lsn::text from pg_replication_slots where slot_name = %s", [SLOT]
    ).fetchone()
    assert source.fetch() == []
    (after,) = database.execute(
        "select confirmed_flush_lsn::text from pg_replication_slots where slot_name = %s", [SLOT]
    ).fetchone()
    assert before != after


def test_many_changes_come_in_several_deliveries(source: Source, database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.fetch.changes.AT_ONCE", 5)
    monkeypatch.setattr("jobs.fetch.transactions.AT_ONCE", 5)
    monkeypatch.setattr("jobs.fetch.transactions.CHUNK", 2)
    source.fetch()
    for number in range(10, 14):
        database.execute("insert into own.meter select %s * 10 + n, 1, 'c' from generate_series(1, 5) n", [number])
    found = source.fetch()
    assert [len(source.rows(one)) for one in found] == [5, 5, 5, 5]


def test_a_slot_that_was_lost_begins_anew_and_what_has_gone_meanwhile_is_flagged(
    source: Source, database: Any, spark: Any
) -> None:
    source.fetch()
    database.execute("select pg_drop_replication_slot(%s)", [SLOT])
    database.execute("delete from own.meter where id = 2")
    gone, whole = source.fetch()
    assert [one for one, *_ in told(source, whole)] == [1, 3]
    assert [(row["id"], row["_deleted"]) for row in source.rows(gone)] == [(2, True)]
    assert source.built(spark, "id", "deleted") == [(1, False), (2, True), (3, False)]
    assert source.fetch() == []


def test_a_table_that_is_emptied_ends_all_of_its_rows(source: Source, database: Any, spark: Any) -> None:
    """Those of the whole reading, of deliveries since, and of the transaction itself; what is filled in again stays."""
    database.execute("alter table own.meter add at timestamptz, add share double precision, add ok boolean")
    database.execute("update own.meter set at = '2026-01-01 10:00+08', share = 0.1, ok = true where id = 3")
    source.fetch()
    database.execute("insert into own.meter values (4, 4, 'b')")
    database.execute("delete from own.meter where id = 2")
    source.fetch()
    with database.transaction():
        database.execute("insert into own.meter values (5, 5, 'b')")
        database.execute("truncate own.meter")
        database.execute("insert into own.meter values (1, 7, 'c'), (6, 6, 'c')")
    (receipt,) = source.fetch()
    assert sorted(told(source, receipt)) == [(1, "7.000000", "insert"), (3, "4.500000", "truncate"), (4, "4.000000", "truncate"),
                                             (5, "5.000000", "truncate"), (6, "6.000000", "insert")]  # fmt: skip
    (third,) = [row for row in source.rows(receipt) if row["id"] == 3]
    assert (third["at"], third["share"], third["ok"]) == ("2026-01-01 02:00:00.000000Z", 0.1, True)
    gone = [number for number, deleted in source.built(spark, "id", "deleted") if deleted]
    assert gone == [2, 3, 4, 5]
    database.execute("truncate own.meter")
    database.execute("truncate own.meter")
    assert sorted(told(source, source.fetch()[0])) == [(1, "7.000000", "truncate"), (6, "6.000000", "truncate")]
    assert {deleted for _, deleted in source.built(spark, "id", "deleted")} == {True} and source.fetch() == []


def test_what_a_table_that_is_emptied_held_is_kept_where_rows_are_appended(source: Source, database: Any) -> None:
    source.declare(FETCH, write="append")
    source.fetch()
    with database.transaction():
        database.execute("update own.meter set kwh = 7 where id = 1")
        database.execute("truncate own.meter")
        database.execute("insert into own.meter values (1, 8, 'c')")
    (receipt,) = source.fetch()
    assert told(source, receipt) == [(1, "7.000000", "update"), (1, "7.000000", "truncate"), (2, "3.000000", "truncate"),
                                     (3, "4.500000", "truncate"), (1, "8.000000", "insert")]  # fmt: skip
    assert [row["_order"] for row in source.rows(receipt)] == [0, 1, 2, 3, 4]


def test_another_table_that_is_emptied_ends_no_rows(source: Source, database: Any) -> None:
    database.execute("create table own.other (id bigint primary key)")
    database.execute("alter publication own_meter add table own.other")
    source.fetch()
    database.execute("truncate own.other")
    assert source.fetch() == []


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "alter table own.meter replica identity default",
            'changed row of own.meter\n  → alter table "own"."meter" replica identity',
        ),
        (
            "alter publication own_meter set (publish = 'insert')",
            "does not hold all changes of own.meter\n  → create publication",
        ),
    ],
)
def test_a_log_that_would_not_hold_all_is_refused(source: Source, database: Any, sql: str, message: str) -> None:
    database.execute(sql)
    with pytest.raises(UserError, match=message):
        source.fetch()


def test_rows_without_a_flag_of_deletion_are_refused(source: Source, database: Any) -> None:
    source.declare(FETCH)
    with pytest.raises(UserError, match="changes: no column says which rows were deleted\n  → add one"):
        source.fetch()
