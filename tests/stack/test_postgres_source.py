"""PostgreSQL as a source: each type exactly, increments that lose nothing, from a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from jobs import fetch as fetching
from schemas.errors import UserError
from tests.sources import COLUMNS, DELETED, TABLE, Source

Environment = dict[str, str]
WHOLE = "{by: database, connection: meters, table: own.reading}"
NEW = "{by: database, connection: meters, table: own.reading, cursor: changed}"


@pytest.fixture
def database(postgres: Environment) -> Iterator[psycopg.Connection[Any]]:
    """Return a connection with an empty schema `own` and one table in it."""
    with psycopg.connect(postgres["CARBONLAKE_DATABASE"], autocommit=True) as made:
        made.execute("drop schema if exists own cascade")
        made.execute("create schema own")
        made.execute("create table own.reading (id bigint primary key, kwh numeric(18, 6), changed timestamptz default now())")
        made.execute("insert into own.reading select n, n * 1.5 from generate_series(1, 3) n")
        yield made


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Environment) -> Source:
    return Source(tmp_path, monkeypatch, {"meters": postgres["CARBONLAKE_DATABASE"]})


def ids(source: Source, receipt: Any) -> list[int]:
    return sorted(row["id"] for row in source.rows(receipt))


def test_a_whole_table_comes_with_rows_and_sums_of_the_same_snapshot(source: Source, database: Any, spark: Any) -> None:
    source.declare(WHOLE, write="replace")
    (receipt,) = source.fetch()
    assert (receipt.name, json.loads(receipt.declared)) == ("own.reading.parquet", {"rows": 3, "sums": {"kwh": "9.000000"}})
    assert [(one, str(kwh)) for one, kwh in source.built(spark, "id", "kwh")] == [
        (1, "1.500000"),
        (2, "3.000000"),
        (3, "4.500000"),
    ]
    assert [one.fresh for one in source.fetch()] == [False]
    database.execute("delete from own.reading where id = 2")
    assert [one.fresh for one in source.fetch()] == [True]
    assert [one for (one,) in source.built(spark, "id")] == [1, 3]


TYPES = {
    "numeric(40, 20)": ("'12345678901234567890.00000000000000000001'", "12345678901234567890.00000000000000000001"),
    "numeric": ("1e-30", "0.000000000000000000000000000001"),
    "bigint": ("9007199254740993", 9007199254740993),
    "real": ("0.1", "0.1"),
    "double precision": ("0.1", 0.1),
    "boolean": ("true", True),
    "char(5)": ("'ab'", "ab"),
    "bytea": (r"'\x00ff'", "00ff"),
    "money": ("'1234.50'", "1234.50"),
    "jsonb": ("""'{"a": 1.10, "b": 12345678901234567890}'""", '{"a": 1.10, "b": 12345678901234567890}'),
    "numeric[]": ("'{1.10,NULL}'", "[1.10,null]"),
    "text[]": ("""'{"a,b","c\\"d"}'""", '["a,b","c\\"d"]'),
    "int4range": ("'[1,3)'", "[1,3)"),
    "interval": ("'1 day 2 hours'", "P1DT2H"),
    "uuid": ("'00000000-0000-0000-0000-000000000001'", "00000000-0000-0000-0000-000000000001"),
    "inet": ("'10.0.0.1'", "10.0.0.1/32"),
    "time": ("'10:00:00.5'", "10:00:00.5"),
    "oid": ("4294967295", 4294967295),
    "xml": ("'<a/>'", "<a/>"),
    "own.colour": ("'红'", "红"),
    "own.positive": ("5", 5),
    "own.point": ("row(1, 'a')", '{"x":1,"name":"a"}'),
}


def test_every_type_comes_without_loss(source: Source, database: Any) -> None:
    database.execute("create type own.colour as enum ('红', '绿')")
    database.execute("create domain own.positive as integer check (value > 0)")
    database.execute("create type own.point as (x integer, name text)")
    names = {f"c{place}": type_ for place, type_ in enumerate(TYPES)}
    database.execute(f"create table own.typed ({', '.join(f'{name} {type_}' for name, type_ in names.items())})")
    database.execute(f"insert into own.typed values ({', '.join(sql for sql, _ in TYPES.values())})")
    database.execute("insert into own.typed default values")
    source.declare(WHOLE.replace("reading", "typed"), write="replace")
    full, empty = source.rows(source.fetch()[0])
    assert {names[name]: value for name, value in full.items()} == {type_: value for type_, (_, value) in TYPES.items()}
    assert set(empty.values()) == {None}


def test_instants_and_days_come_as_they_are_and_out_of_the_calendar_as_text(source: Source, database: Any, spark: Any) -> None:
    database.execute("create table own.time (id int, day date, at timestamptz, local timestamp)")
    database.execute("insert into own.time values (1, '2026-01-02', '2026-01-02 10:00+08', '2026-01-02 10:00')")
    types = {"id": "bigint", "day": "date", "at": "timestamp", "local": "timestamp"}
    columns = "".join(f"  {name}: {{type: {type_}, description: x}}\n" for name, type_ in types.items())
    source.declare(WHOLE.replace("reading", "time"), write="replace", columns=columns)
    source.fetch()
    plain = source.built(spark, "id", "day", "at", "local")
    assert [tuple(map(str, row)) for row in plain] == [
        ("1", "2026-01-02", "2026-01-02 02:00:00+00:00", "2026-01-02 10:00:00+00:00")
    ]
    database.execute("insert into own.time values (2, 'infinity', '-infinity', '0044-03-15 BC')")
    (receipt,) = source.fetch()
    assert source.rows(receipt)[1] == {"id": 2, "day": "infinity", "at": "-infinity", "local": "0044-03-15 00:00:00 BC"}
    # What fits is the same as before, what does not is set aside.
    assert source.built(spark, "id", "day", "at", "local") == plain


def test_numbers_that_are_none_are_set_aside(source: Source, database: Any, spark: Any) -> None:
    database.execute("create table own.odd (id bigint, kwh numeric)")
    database.execute("insert into own.odd values (1, 'NaN'), (2, 'Infinity'), (3, '-Infinity'), (4, 1.25)")
    source.declare(WHOLE.replace("reading", "odd"), write="replace")
    source.fetch()
    assert [(one, str(kwh)) for one, kwh in source.built(spark, "id", "kwh")] == [(4, "1.250000")]


def test_a_transaction_that_commits_late_is_not_lost(source: Source, database: Any, postgres: Environment) -> None:
    source.declare(NEW)
    with psycopg.connect(postgres["CARBONLAKE_DATABASE"]) as slow:
        slow.execute("insert into own.reading (id, kwh, changed) values (10, 1, '2020-01-01')")
        slow.execute("savepoint a")
        slow.execute("insert into own.reading (id, kwh, changed) values (11, 1, '2020-01-01')")
        database.execute("insert into own.reading (id, kwh) values (4, 1)")
        assert ids(source, source.fetch()[0]) == [1, 2, 3, 4]
    (late,) = source.fetch()
    assert {10, 11} <= set(ids(source, late))


def test_an_update_that_leaves_the_cursor_alone_is_seen(source: Source, database: Any) -> None:
    source.declare(NEW)
    source.fetch()
    database.execute("update own.reading set kwh = 99 where id = 1")
    rows = source.rows(source.fetch()[0])
    assert (1, "99.000000") in [(row["id"], row["kwh"]) for row in rows]


def test_transactions_alone_give_what_is_new_and_nothing_twice(source: Source, database: Any) -> None:
    source.declare(NEW.replace("cursor: changed", "cursor: xmin"))
    assert ids(source, source.fetch()[0]) == [1, 2, 3]
    assert source.fetch() == []
    database.execute("update own.reading set kwh = 5 where id = 2")
    assert ids(source, source.fetch()[0]) == [2]


def test_another_cluster_or_numbers_come_round_are_read_whole(source: Source, database: Any) -> None:
    from jobs.fetch.postgres import Snapshot

    source.declare(NEW)
    source.fetch()
    from schemas.contracts import contract

    how: Any = contract(TABLE).source.fetch  # type: ignore[union-attr]
    found = Snapshot(source.connections["meters"], how, "here")
    position = source.position()
    assert "xmin" in found.newer(position)
    assert found.newer(position | {"system": "another"}) == ""
    found.horizon += 1 << 31
    assert found.newer(position) == ""
    found.close()


def test_a_declared_overlap_asks_by_the_cursor_alone(source: Source, database: Any) -> None:
    source.declare(NEW.replace("}", ", overlap: 1h}"))
    source.fetch()
    database.execute("insert into own.reading values (20, 1, now() - interval '30 minutes'), (21, 1, now() - interval '3 hours')")
    assert ids(source, source.fetch()[0]) == [1, 2, 3, 20]


def test_a_first_load_in_lots_misses_nothing_that_changes_meanwhile(source: Source, database: Any) -> None:
    source.declare(NEW.replace("}", ", batch: 2}"))
    seen: list[list[int]] = []

    def meanwhile(receipt: Any) -> None:
        seen.append(ids(source, receipt))
        if len(seen) == 1:  # behind the reading, and before it
            database.execute("update own.reading set kwh = 77, changed = '2020-01-01' where id = 1")
            database.execute("insert into own.reading (id, kwh) values (0, 1), (9, 1)")

    fetching.fetch(source.lake, TABLE, source.connections, meanwhile)
    assert seen == [[1, 2], [3, 9]]
    rest = source.rows(source.fetch()[0])
    assert {(0, "1.000000"), (1, "77.000000")} <= {(row["id"], row["kwh"]) for row in rest}


def test_rows_that_have_gone_come_again_flagged(source: Source, database: Any, spark: Any) -> None:
    source.declare(NEW.replace("}", ", deletes: compared}"), columns=COLUMNS + DELETED)
    source.fetch()
    database.execute("delete from own.reading where id = 3")
    *_, gone = source.fetch()
    assert [(row["id"], row["kwh"], row["_deleted"]) for row in source.rows(gone)] == [(3, "4.500000", True)]
    assert source.built(spark, "id", "deleted") == [(1, False), (2, False), (3, True)]


def test_a_delivery_is_of_one_moment_whatever_is_written_meanwhile(
    source: Source, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.fetch.postgres import Snapshot

    save = Snapshot.save

    def late(self: Any, *given: Any, **more: Any) -> Any:
        database.execute("insert into own.reading values (50, 1)")
        return save(self, *given, **more)

    monkeypatch.setattr(Snapshot, "save", late)
    source.declare(WHOLE, write="replace")
    (receipt,) = source.fetch()
    assert (ids(source, receipt), json.loads(receipt.declared)["rows"]) == ([1, 2, 3], 3)


def test_a_query_reads_and_never_writes(source: Source, database: Any) -> None:
    source.declare('{by: database, connection: meters, query: "select id, kwh * 2 as kwh from own.reading where id % 2 = 1"}',
                   write="replace")  # fmt: skip
    assert [(row["id"], row["kwh"]) for row in source.rows(source.fetch()[0])] == [(1, "3.000000"), (3, "9.000000")]
    database.execute("create function own.sly() returns int language sql volatile as 'delete from own.reading; select 1'")
    source.declare('{by: database, connection: meters, query: "select own.sly() as id"}', write="replace")
    with pytest.raises(UserError, match="cannot execute DELETE in a read-only transaction"):
        source.fetch()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("own.reading", "own.nothing", 'relation "own.nothing" does not exist\n  → mend the table'),
        ("cursor: changed", "cursor: moved", "there is no column 'moved'\n  → it has id, kwh, changed"),
    ],
)
def test_what_is_not_there_says_what_to_do(source: Source, database: Any, old: str, new: str, message: str) -> None:
    source.declare(NEW.replace(old, new))
    with pytest.raises(UserError, match=message):
        source.fetch()


def test_a_wrong_password_is_told_and_not_shown(source: Source, database: Any) -> None:
    right = source.connections["meters"]
    source.connections = {"meters": right.replace("@", "-and-more@")}
    source.declare(NEW)
    with pytest.raises(UserError, match="password authentication failed") as caught:
        source.fetch()
    assert "-and-more" not in str(caught.value)


def test_a_connection_is_tried_without_taking_anything(source: Source, database: Any) -> None:
    source.declare(NEW)
    assert fetching.tested(TABLE, source.connections) == "3 columns: id, kwh, changed"
    assert source.position() == {}


def test_a_table_is_looked_at_and_a_contract_for_it_is_proposed(source: Source, database: Any) -> None:
    from jobs.probe_database import look

    told, made_from = look(("meters", "own.reading"), source.connections)
    assert told["columns"] == {"id": "BIGINT", "kwh": "NUMERIC(18, 6)", "changed": "TIMESTAMP"}
    assert (told["key"], told["rows"], len(told["first_rows"])) == (["id"], 3, 3)
    assert made_from["fetch"] == {"by": "database", "connection": "meters", "table": "own.reading"}
    with pytest.raises(UserError, match=r"there is no table 'own.nothing'\n  → tables there: reading"):
        look(("meters", "own.nothing"), source.connections)


def test_all_rows_are_compared_with_those_that_were_fetched(source: Source, database: Any, spark: Any) -> None:
    from jobs.deep import compare

    source.declare(NEW)
    source.fetch()
    source.built(spark, "id")
    told = compare(source.lake, TABLE, source.connections)
    assert (told.agrees, told.at_source, told.fetched, told.in_table) == (True, 3, 3, 3)
    database.execute("delete from own.reading where id = 1")
    database.execute("update own.reading set kwh = 9 where id = 2")  # keeps its cursor
    database.execute("insert into own.reading values (4, 4)")
    told = compare(source.lake, TABLE, source.connections)
    assert (told.agrees, dict(told.counts)) == (False, {"missing": 1, "extra": 1, "altered": 1})
    source.fetch()
    # PostgreSQL's transactions tell the update and the insert; what was deleted is seen where `deletes` are compared.
    assert dict(compare(source.lake, TABLE, source.connections).counts) == {"missing": 0, "extra": 1, "altered": 0}
