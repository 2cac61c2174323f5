"""Files of rows: text of another encoding against DuckDB on its twin in UTF-8; text and Parquet ten times larger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from benchmarks import content, data
from benchmarks.against_others import fresh, ours
from benchmarks.result import Result, Row, Setting, as_json, peak, said, seconds
from benchmarks.side import Run, python

FULL = 20_000_000
TABLE, PARQUET = "cleaned.bench_gbk", "cleaned.bench_parquet"


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


def file_memory(setting: Setting) -> Result:
    """Measure how memory grows from a file of rows to one ten times larger, text and Parquet."""
    rows, runs = [], {}
    for name, table, make in (("Text", TABLE, data.gbk), ("Parquet", PARQUET, data.parquet)):
        large = setting.rows(FULL)
        sides = {size: _grown(setting, table, make, size) for size in (large // 10, large)}
        small, most = (peak(some) for some in sides.values())
        rows.append(Row(f"{name} ten times larger, {large / 1e6:g} M rows: memory", "itself", most / small, 1.05, 1.10,
                        note=f"{small:.2f} → {most:.2f} GiB"))  # fmt: skip
        runs |= {f"{name}_{size}": some for size, some in sides.items()}
    return Result("file_memory", tuple(rows), "all rows are in the tables", as_json(**runs))


def _grown(setting: Setting, table: str, make: Callable[[Path, int], Path], size: int) -> list[Run]:
    file, runs = make(setting.cache, size), []
    (expected,) = duckdb.execute(f"select count(*) from '{data.parquet(setting.cache, size)}'").fetchone() or (0,)
    for _ in range(setting.repeats):
        lake, run = ours(setting, file, table)
        runs.append(run)
        (found,) = duckdb.execute(f"select count(*) from ({content.table(lake, table)})").fetchone() or (0,)
        content.demand_equal("rows", found, expected)
    return runs


def _summary(sql: str) -> tuple[int, ...]:
    columns = ", ".join(("meter_id", '"time"', "electricity_kwh", "area_code", "status", "_locator"))
    found = duckdb.connect().execute(f"select count(*), sum(cast(hash({columns}) as hugeint)) from ({sql})").fetchone()
    assert found
    return found
