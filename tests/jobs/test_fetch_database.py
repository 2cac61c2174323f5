"""Tables of any database come in whole or by what changed, with what the database itself counts; here SQLite."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from jobs import fetch as fetching
from jobs import land
from schemas.contracts import contract
from schemas.errors import UserError
from tests.sources import COLUMNS, DELETED, TABLE, Source

SOME = [(1, "1.50", "2026-01-01 00:00:00"), (2, "2.25", "2026-01-02 00:00:00")]


@pytest.fixture
def database(tmp_path: Path) -> sqlite3.Connection:
    made = sqlite3.connect(tmp_path / "meters.db", isolation_level=None)
    made.execute("create table reading (id integer primary key, kwh numeric(18, 6), changed text)")
    made.executemany("insert into reading values (?, ?, ?)", SOME)
    return made


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: sqlite3.Connection) -> Source:
    return Source(tmp_path, monkeypatch, {"meters": f"sqlite:///{tmp_path / 'meters.db'}"})


WHOLE = "{by: database, connection: meters, table: reading}"
NEW = "{by: database, connection: meters, table: reading, cursor: changed, overlap: 1h}"


def test_a_whole_table_is_one_delivery_with_what_the_database_counts(source: Source) -> None:
    source.declare(WHOLE, write="replace")
    (receipt,) = source.fetch()
    assert receipt.name == "reading.parquet" and receipt.media_type == "application/vnd.apache.parquet"
    assert json.loads(receipt.declared) == {"rows": 2, "sums": {"kwh": "3.75"}}
    assert source.rows(receipt)[1] == {"id": 2, "kwh": "2.25", "changed": "2026-01-02 00:00:00"}


def test_a_whole_table_that_has_not_changed_is_no_new_delivery(source: Source, database: sqlite3.Connection) -> None:
    source.declare(WHOLE, write="replace")
    source.fetch()
    assert [one.fresh for one in source.fetch()] == [False]
    database.execute("delete from reading where id = 1")
    assert [(one.delivery_id, one.fresh) for one in source.fetch()] == [(2, True)]


def test_an_increment_holds_what_is_new_and_what_the_overlap_may_have_missed(
    source: Source, database: sqlite3.Connection
) -> None:
    source.declare(NEW)
    source.fetch()
    assert source.position()["cursor"] == "2026-01-02 00:00:00"
    # The second was written by a transaction that was slower than the one before it.
    database.execute("insert into reading values (3, 3, '2026-01-03 00:00:00'), (4, 4, '2026-01-01 23:30:00')")
    (receipt,) = source.fetch()
    assert [row["id"] for row in source.rows(receipt)] == [2, 3, 4]
    assert json.loads(receipt.declared)["rows"] == 3


def test_an_increment_without_anything_new_is_no_delivery(source: Source) -> None:
    source.declare(NEW)
    source.fetch()
    assert len(source.fetch()) == 1  # the rows at the border, once
    assert source.fetch() == []


@pytest.mark.parametrize("lots", ["", ", batch: 2"])
def test_a_row_from_the_future_hides_nothing_that_changes_after_it(
    source: Source, database: sqlite3.Connection, lots: str
) -> None:
    database.execute("insert into reading values (3, 3, '9999-12-31 00:00:00')")
    source.declare(NEW.replace("}", f"{lots}}}"))
    source.fetch()
    database.execute("insert into reading values (4, 4, '2026-01-04 00:00:00')")
    (receipt,) = source.fetch()
    assert [row["id"] for row in source.rows(receipt)] == [1, 2, 3, 4]
    assert source.fetch() == []
    database.execute("update reading set changed = '2026-01-05 00:00:00' where id = 3")
    source.fetch()
    assert source.position()["cursor"] == "2026-01-05 00:00:00"


def test_a_row_without_a_cursor_is_in_each_increment(source: Source, database: sqlite3.Connection) -> None:
    source.declare(NEW)
    source.fetch()
    database.execute("insert into reading values (9, 1, null)")
    assert [row["id"] for row in source.rows(source.fetch()[0])] == [2, 9]


def test_rows_that_have_gone_come_again_as_they_were_flagged_as_deleted(source: Source, database: sqlite3.Connection) -> None:
    source.declare(NEW.replace("}", ", deletes: compared}"), columns=COLUMNS + DELETED)
    source.fetch()
    database.execute("delete from reading where id = 1")
    *_, gone = source.fetch()
    assert [(row["id"], row["kwh"], row["_deleted"]) for row in source.rows(gone)] == [(1, "1.5", True)]
    assert json.loads(gone.declared) == {"rows": 1}
    assert source.fetch() == []
    database.execute("insert into reading values (1, 7, '2026-01-05 00:00:00')")
    (back,) = source.fetch()
    assert [(row["id"], row["_deleted"]) for row in source.rows(back)] == [(1, False), (2, False)]


def test_the_cleaned_table_shows_the_present_state(source: Source, database: sqlite3.Connection, spark: Any) -> None:
    source.declare(NEW.replace("}", ", deletes: compared}"), columns=COLUMNS + DELETED)
    source.fetch()
    database.execute("update reading set kwh = 5, changed = '2026-01-04 00:00:00' where id = 2")
    database.execute("delete from reading where id = 1")
    source.fetch()
    rows = source.built(spark, "id", "kwh", "deleted")
    assert [(one, str(kwh), deleted) for one, kwh, deleted in rows] == [(1, "1.500000", True), (2, "5.000000", False)]


def test_a_first_load_in_lots_goes_on_where_it_was_broken_off(
    source: Source, database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.executemany("insert into reading values (?, 1, '2026-01-01 00:00:00')", [(n,) for n in range(3, 8)])
    source.declare(NEW.replace("}", ", batch: 3}"))
    taken: list[land.Receipt] = []

    def stop(receipt: land.Receipt) -> None:
        taken.append(receipt)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetching.fetch(source.lake, TABLE, source.connections, stop)
    rest = source.fetch()
    assert [[row["id"] for row in source.rows(one)] for one in [*taken, *rest]] == [[1, 2, 3], [4, 5, 6], [7]]
    assert source.position()["cursor"] == "2026-01-02 00:00:00"
    assert [row["id"] for row in source.rows(source.fetch()[0])] == [2]


def test_values_come_without_loss(source: Source, database: sqlite3.Connection) -> None:
    database.execute("drop table reading")
    database.execute("create table reading (id integer, kwh text, ok boolean, share float, raw blob, day date)")
    database.execute("insert into reading values (9007199254740993, '0.10', 1, 0.1, x'00ff', '2026-01-01')")
    source.declare(WHOLE, write="replace")
    (row,) = source.rows(source.fetch()[0])
    assert row == {"id": 9007199254740993, "kwh": "0.10", "ok": True, "share": 0.1, "raw": "00ff", "day": "2026-01-01"}


def test_a_query_gives_every_value_as_text(source: Source) -> None:
    source.declare('{by: database, connection: meters, query: "select id, kwh * 2 as kwh from reading where id > 1"}',
                   write="replace")  # fmt: skip
    assert source.rows(source.fetch()[0]) == [{"id": "2", "kwh": "4.5"}]


def test_a_value_that_its_column_does_not_allow_is_refused(source: Source, database: sqlite3.Connection) -> None:
    database.execute("create table odd (id integer, n integer)")
    database.execute("insert into odd values (1, 'many')")
    source.declare(WHOLE.replace("table: reading", "table: odd"), write="replace")
    with pytest.raises(UserError, match=r"'n' holds what its type does not allow: .*\n  → read it as text: a `query` with cast"):
        source.fetch()


@pytest.mark.parametrize(
    ("fetch", "write", "message"),
    [
        ("{by: database, connection: meters}", "merge", "`table` or `query` says what is read"),
        (NEW.replace(", overlap: 1h", ""), "merge", "slow transaction .* would be lost\n  → say in `overlap`"),
        (NEW, "append", "rows at the border of an increment come twice\n  → declare `write: merge`"),
        (NEW.replace("1h", "soon"), "merge", "overlap: 'soon' is no age; write it like 90m"),
        (NEW.replace("}", ", deletes: compared}"), "merge", "no column says which rows were deleted\n  → add one"),
        (WHOLE.replace("}", ", batch: 5}"), "merge", "overlap, deletes, batch: they go with a `cursor`"),
        (WHOLE.replace("table: reading", "table: nothing"), "replace", "the database says: nothing\n  → see that the connection"),
        (WHOLE.replace("connection: meters", "connection: other"), "replace", "there is no connection 'other'\n  → write it"),
        (NEW.replace("cursor: changed", "cursor: moved"), "merge", "there is no column 'moved'\n  → it has id, kwh, changed"),
    ],
)
def test_what_can_not_be_fetched_says_what_to_do(source: Source, fetch: str, write: str, message: str) -> None:
    source.declare(fetch, write=write)
    with pytest.raises(UserError, match=message):
        source.fetch()


def test_a_database_that_is_not_there_is_not_made(source: Source, tmp_path: Path) -> None:
    source.connections = {"meters": f"sqlite:///{tmp_path / 'none.db'}"}
    source.declare(WHOLE, write="replace")
    with pytest.raises(UserError, match=r"none.db\): there is no such file\n  → check the connection"):
        source.fetch()
    assert not (tmp_path / "none.db").exists()


def test_a_connection_is_tried_without_taking_anything(source: Source) -> None:
    source.declare(WHOLE, write="replace")
    assert fetching.tested(TABLE, source.connections) == "3 columns: id, kwh, changed"
    assert land.receipts(source.lake, contract(TABLE).table) == []
