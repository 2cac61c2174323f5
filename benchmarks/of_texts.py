"""A text file of another encoding to Delta with line numbers, against DuckDB on its twin in UTF-8."""

from __future__ import annotations

import duckdb

from benchmarks import content, data
from benchmarks.against_others import fresh, ours
from benchmarks.result import Result, Row, Setting, as_json, peak, said, seconds
from benchmarks.side import python

FULL = 20_000_000
TABLE = "cleaned.bench_gbk"


def csv_gbk(setting: Setting) -> Result:
    """Measure GBK with Chinese headers to Delta, landed and checked, against UTF-8 to Parquet; whole processes, all as texts."""
    rows = setting.rows(FULL)
    gbk, twin = data.gbk(setting.cache, rows), data.year(setting.cache, rows)
    our, their = [], []
    for _ in range(setting.repeats):
        lake, run = ours(setting, gbk, TABLE)
        our.append(run)
        out = fresh(setting, "twin.parquet")
        out.unlink(missing_ok=True)
        their.append(python("benchmarks.by_hand.duckdb_twin", twin, out))
        mine, yours = _summary(content.table(lake, TABLE)), _summary(content.files(out))
        content.demand_equal("the rows, their texts and lines", mine, yours)
    ratio = seconds(our) / seconds(their)
    shares = f"{said(our, 'land', 'build'):.1f} s of it land and build"
    note = f"{shares}; memory {peak(our):.1f} GiB against {peak(their):.1f}"
    work = f"{rows / 1e6:g} M rows of GBK, CSV → Delta with line numbers"
    row = Row(work, "DuckDB: the UTF-8 twin to Parquet with row numbers", ratio, 1.5, 3, note=note)
    return Result("csv_gbk", (row,), f"{mine[0]:,} rows with their lines", as_json(ours=our, duckdb=their))


def _summary(sql: str) -> tuple[int, ...]:
    columns = ", ".join(("meter_id", '"time"', "electricity_kwh", "area_code", "status", "_locator"))
    found = duckdb.connect().execute(f"select count(*), sum(cast(hash({columns}) as hugeint)) from ({sql})").fetchone()
    assert found
    return found
