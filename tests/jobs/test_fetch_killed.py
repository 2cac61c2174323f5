"""A fetch that is killed anywhere, or finds no room, loses nothing and doubles nothing: rows are counted one by one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.fetchers import Numbers, Ordeal, Row, as_csv
from tests.misbehaving import Answer, Asked, Site, site
from tests.sources import COLUMNS, Source

pytestmark = pytest.mark.crash
SIZES = (1, 3_000, 20_000)  # within the first bytes, a record of the lake's own, a delivery


@pytest.fixture
def api() -> Iterator[Site]:
    with site() as made:
        yield made


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    return Source(tmp_path, monkeypatch, {"meters": f"sqlite:///{tmp_path}/meters.db"})


def test_a_file_of_an_address(source: Source, api: Site, spark: Any) -> None:
    source.declare(f"{{by: http, url: '{api.url}/readings.csv'}}", format="csv")
    numbers = Numbers()

    def more() -> list[Row]:
        rows = numbers(3_000)
        mark = f'"{rows[0][0]}"'
        api.answer = lambda asked: (
            Answer(status=304)
            if asked.headers.get("If-None-Match") == mark
            else Answer(as_csv(rows).encode(), headers={"ETag": mark})
        )
        return rows

    ordeal = Ordeal(source, more)
    ordeal.run(1, SIZES)
    ordeal.demand_table(spark)


def test_records_of_pages(source: Source, api: Site, spark: Any) -> None:
    pages = "{by: page, parameter: page, size_parameter: size, size: 2000, each: 1}"
    source.declare(f"{{by: http, url: '{api.url}/readings', records: items, pages: {pages}}}", format="json",
                   more=", options: {lines: true}")  # fmt: skip
    numbers, ordeal = Numbers(), Ordeal(source, list, rounds=True)

    def more() -> list[Row]:
        rows = numbers(5_000)

        def answer(asked: Asked) -> Answer:
            begin = (int(asked.query["page"]) - 1) * 2000
            items = ", ".join(f'{{"id": {number}, "kwh": "{kwh}"}}' for number, kwh in rows[begin : begin + 2000])
            return Answer(f'{{"items": [{items}]}}'.encode())

        api.answer = answer
        return rows

    ordeal.more = more
    ordeal.run(3, SIZES)
    ordeal.demand_table(spark)


def test_a_table_of_a_database(source: Source, tmp_path: Path) -> None:
    source.declare("{by: database, connection: meters, table: reading}", write="replace", columns=COLUMNS)
    numbers = Numbers()

    def more() -> list[Row]:
        rows = numbers(8_000)
        with closing(sqlite3.connect(tmp_path / "meters.db")) as database, database:
            database.execute("create table if not exists reading (id integer primary key, kwh text)")
            database.execute("delete from reading")
            database.executemany("insert into reading values (?, ?)", rows)
        return rows

    ordeal = Ordeal(source, more)
    ordeal.run(1, SIZES)
