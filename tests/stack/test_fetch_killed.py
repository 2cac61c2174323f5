"""Fetches from real servers that are killed anywhere, or find no room: nothing is lost and nothing doubled."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest

from jobs import land, objects
from tests.jobs.fetchers import Numbers, Ordeal, Row, as_csv, told
from tests.sources import COLUMNS, DELETED, TABLE, Source
from tests.stack.s3 import bucket, options
from tests.stack.sshd import sshd

SIZES = (1, 3_000, 20_000)  # within the first bytes, a record of the lake's own, a delivery
ROWS = 6_000
SLOT = "carbonlake_killed"


@pytest.fixture
def database(postgres: dict[str, str], replicating: None) -> Iterator[psycopg.Connection[Any]]:
    """Return a connection with an empty table whose changes are published."""
    with psycopg.connect(postgres["CARBONLAKE_DATABASE"], autocommit=True) as made:
        made.execute("drop schema if exists own cascade")
        made.execute("drop publication if exists own_killed")
        made.execute("create schema own")
        made.execute("create table own.reading (id bigint primary key, kwh numeric(18, 6))")
        made.execute("alter table own.reading replica identity full")
        made.execute("create publication own_killed for table own.reading")
        yield made
        made.execute("drop publication own_killed")
        made.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name like %s", [f"{SLOT}%"])


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: dict[str, str]) -> Source:
    return Source(tmp_path, monkeypatch, {"meters": postgres["CARBONLAKE_DATABASE"]})


def insert(database: Any, rows: list[Row]) -> list[Row]:
    with database.transaction(), database.cursor().copy("copy own.reading from stdin") as copy:
        for row in rows:
            copy.write_row(row)
    return rows


def test_increments_of_a_database(source: Source, database: Any, spark: Any) -> None:
    source.declare("{by: database, connection: meters, table: own.reading, cursor: xmin}")
    numbers = Numbers()
    ordeal = Ordeal(source, lambda: insert(database, numbers(ROWS)))
    ordeal.run(1, SIZES)
    ordeal.demand_table(spark)


def test_a_first_load_in_lots_that_is_killed_again_and_again(source: Source, database: Any) -> None:
    source.declare("{by: database, connection: meters, table: own.reading, cursor: xmin, batch: 1000}")
    rows, kills = insert(database, Numbers()(10_000)), 0
    ordeal = Ordeal(source, list)
    for point in ("fetch:came", "fetch:landed", "commit:after_move", "commit:after_commit") * 2:
        assert ordeal.fetch(point, 2 if point == "fetch:came" else 1)[0] == -signal.SIGKILL
        kills += 1
    ordeal.expected.update(rows)
    assert ordeal.rows() < ordeal.expected
    first = sum(1 for _ in land.receipts(source.lake, TABLE))
    source.fetch()
    lots = [
        one for one in land.receipts(source.lake, TABLE) if one.name.endswith(tuple(f"-{n:06d}.parquet" for n in range(1, 11)))
    ]
    assert sorted(row for one in lots for row in told(source, one)) == sorted(rows)
    print(f"\n{kills} kills of one load, {first} of {len(lots)} lots landed by those that died: {len(rows)} rows, each once")


def test_changes_from_the_log_of_a_database(source: Source, database: Any, spark: Any) -> None:
    source.declare(f"{{by: database, connection: meters, table: own.reading, changes: {SLOT}, publication: own_killed}}",
                   write="append")  # fmt: skip
    numbers = Numbers()
    ordeal = Ordeal(source, lambda: insert(database, numbers(ROWS)))
    ordeal.run(1, SIZES)
    ordeal.demand_table(spark)


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", ["fetch:came", "fetch:landed"])
def test_a_log_that_was_lost_is_begun_anew_however_often_that_is_killed(
    source: Source, database: Any, spark: Any, point: str, nth: int
) -> None:
    """What changed while there was no slot is in no log: only the whole table tells it, and what has gone from it."""
    fetch = f"{{by: database, connection: meters, table: own.reading, changes: {SLOT}, publication: own_killed}}"
    source.declare(fetch, columns=COLUMNS + DELETED)
    insert(database, Numbers()(5))
    source.fetch()
    database.execute("select pg_drop_replication_slot(%s)", [SLOT])
    database.execute("delete from own.reading where id = 2")
    database.execute("update own.reading set kwh = 7 where id = 1")
    ordeal = Ordeal(source, list)
    assert ordeal.fetch(point, nth)[0] == -signal.SIGKILL
    source.fetch()
    found = {number: (str(kwh), gone) for number, kwh, gone in source.built(spark, "id", "kwh", "deleted")}
    assert (len(found), found[1], found[2]) == (5, ("7.000000", False), ("2.250000", True))
    database.execute("delete from own.reading where id = 3")
    source.fetch()
    assert dict(source.built(spark, "id", "deleted")) == {0: False, 1: False, 2: True, 3: True, 4: False}
    (slots,) = database.execute("select count(*) from pg_replication_slots where slot_name like %s", [f"{SLOT}%"]).fetchone()
    assert slots == 1


def test_files_of_a_server(source: Source, tmp_path: Path, spark: Any) -> None:
    (tmp_path / "sshd").mkdir()
    (tmp_path / "out").mkdir()
    numbers, names = Numbers(), iter(range(10_000))

    def more() -> list[Row]:
        lots = [numbers(count) for count in (100, 1000, 3000)]
        for rows in lots:
            number = next(names)
            path = tmp_path / "out" / f"{number}.csv"
            path.write_text(as_csv(rows))
            os.utime(path, (time.time() - 90_000 + number,) * 2)
        return [row for rows in lots for row in rows]

    with sshd(tmp_path / "sshd") as server:
        source.connections = {"files": server.url, "known": server.host_key, "key": server.private_key}
        source.declare(f"{{by: sftp, connection: files, host_key: known, private_key: key, folder: '{tmp_path}/out'}}",
                       format="csv")  # fmt: skip
        ordeal = Ordeal(source, more)
        ordeal.run(3, SIZES)
    ordeal.demand_table(spark)


def test_objects_of_a_bucket(source: Source, minio: dict[str, str], spark: Any) -> None:
    given = options(minio)
    place, at = bucket(given), urlsplit(given["AWS_ENDPOINT_URL"])
    key = f"{quote(given['AWS_ACCESS_KEY_ID'], safe='')}:{quote(given['AWS_SECRET_ACCESS_KEY'], safe='')}"
    source.connections = {"store": f"{at.scheme}://{key}@{at.netloc}?region={given['AWS_REGION']}"}
    source.declare(f"{{by: bucket, connection: store, url: 's3://{place}/meters'}}", format="csv")
    numbers, names = Numbers(), iter(range(10_000))

    def more() -> list[Row]:
        lots = [numbers(count) for count in (100, 1000, 3000)]
        for rows in lots:
            content = as_csv(rows).encode()
            objects.client(given).put_object(place, f"meters/{next(names):05d}.csv", io.BytesIO(content), len(content))
        return [row for rows in lots for row in rows]

    ordeal = Ordeal(source, more)
    ordeal.run(3, SIZES)
    ordeal.demand_table(spark)
