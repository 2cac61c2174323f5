"""A table of PostgreSQL into the lake, audited, against COPY writing it as CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import psycopg

from benchmarks import content
from benchmarks.against_others import fresh
from benchmarks.result import Result, Row, Setting, as_json, peak, said, seconds
from benchmarks.side import python, watched
from carbonlake.stack import parts, postgres

FULL = 5_000_000
TABLE = "cleaned.bench_postgres"
MADE = """
create schema if not exists bench;
drop table if exists bench.reading;
create table bench.reading as
select n as id, lpad((n % 50000)::text, 12, '0') as meter_id, timestamptz '2025-01-01' + (n / 50000) * interval '1 hour' as time,
    ((n * 7919 % 1000003) / 1000.0)::numeric(18, 6) as electricity_kwh,
    ((n * 104729 % 10007) / 100.0)::numeric(18, 6) as reactive_kvarh,
    (array['110000', '310000', '320000', '440000'])[n % 4 + 1] as area_code,
    (array['measured', 'estimated'])[(n % 17 = 0)::int + 1] as status, 220 + (n % 1000) / 97.0::double precision as voltage_v,
    (n % 3)::int as tries, date '2025-01-01' + (n / 1200000)::int as day
from generate_series(1::bigint, {rows}) n;
alter table bench.reading add primary key (id);
"""
SUMS = "select count(*), cast(sum(electricity_kwh) as varchar), cast(sum({key}) as varchar) from {rows}"


def table(setting: Setting) -> Result:
    """Measure fetching, reading, typing, judging and publishing a table against one COPY; both sides stream it whole."""
    our, their = [], []
    rows = setting.rows(FULL)
    with _server(setting, rows) as url:
        csv = setting.cache / "postgres.csv"
        for _ in range(setting.repeats):
            lake = fresh(setting, "lake")
            our.append(python("benchmarks.ours", "fetch", lake, TABLE, CARBONLAKE_CONNECTIONS=json.dumps({"bench": url})))
            csv.unlink(missing_ok=True)
            their.append(watched(["psql", "--no-psqlrc", "--quiet", url, "-c", f"\\copy bench.reading to '{csv}' csv"]))
        with psycopg.connect(url) as connection:
            there = connection.execute(SUMS.format(key="id", rows="bench.reading")).fetchone()
    here = duckdb.connect().execute(SUMS.format(key="reading_id", rows=f"({content.table(lake, TABLE)})")).fetchone() or ()
    content.demand_equal("rows and sums", here, there)
    note = f"{seconds(our) / seconds(their):.1f} × with the start of our process; memory {peak(our):.1f} GiB"
    row = Row(f"{rows / 1e6:g} M rows of PostgreSQL → Delta", "COPY to CSV by psql", said(our, "fetch", "build") / seconds(their),
              1.5, 2.5, note=note)  # fmt: skip
    return Result("postgres_table", (row,), f"{here[0]:,} rows, {here[1]} kWh", as_json(ours=our, copy=their))


@contextmanager
def _server(setting: Setting, rows: int) -> Iterator[str]:
    """Run a PostgreSQL with the table in it and yield its address."""
    home = setting.cache / "postgres"
    parts.up(home, ["postgres"], lambda part, what: None)
    try:
        url = postgres.environment(home)["CARBONLAKE_DATABASE"]
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(MADE.format(rows=rows))
            connection.execute("vacuum analyze bench.reading")
        yield url
    finally:
        parts.down(home, None, lambda part, what: None)
