"""Emissions: line items by hand against ours, roll-ups to every level, a restatement, the trace of a rolled-up figure."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from benchmarks import content
from benchmarks.against_others import fresh
from benchmarks.data import HOURS
from benchmarks.data_activity import MEASURES, hours
from benchmarks.result import Result, Row, Setting, as_json, peak, said, seconds
from benchmarks.side import python

LINES = ("business.emission", "business.emission_input", "business.unresolved")
SUMS = ("business.emission_day", "business.emission_month", "business.emission_year", "business.emission_rollup")
PER_ROW = 8 / 5  # lines to a row of activity, as data_activity has it
ACTIVITIES, RESTATED, ROLLED = 5_000_000, 5_000_000, 20_000_000  # rows of activity; line items
# A month of one facility, made from 744 hours.
FIGURE = ("book=enterprise", "grain=month", "period=2025-03-01", "level=facility", "member=facility:B00000", "scope=1",
          "category=process", "activity_code=aluminium_output", "gas=CF4")  # fmt: skip


def accounting(setting: Setting) -> Result:
    """Measure activity × factors with everything on, against a DuckDB script and a warm PySpark script with the same outputs."""
    lake = _prepared(setting, setting.rows(ACTIVITIES))
    our, duck, spark = [], [], []
    for _ in range(setting.repeats):
        our.append(python("benchmarks.ours", "again", lake, " ".join(LINES)))
        out = fresh(setting, "by_hand")
        duck.append(python("benchmarks.by_hand.duckdb_accounting", lake, out))
        equal = _same(lake, out, "{}.parquet", LINES)
        out = fresh(setting, "by_hand")
        spark.append(python("benchmarks.by_hand.pyspark_accounting", lake, out))
        _same(lake, out, "{}/*.parquet", LINES)
    work = f"{_activities(setting.rows(ACTIVITIES)) / 1e6:.3g} M activity rows × factors of five gases: lines, inputs, unresolved"
    note = f"memory {peak(our):.1f} GiB against {peak(duck):.1f}"
    one = Row(f"{work}, everything on", "DuckDB script", seconds(our) / seconds(duck), 1.0, 1.5, note=note)
    faster, whole = said(spark, "seconds") / said(our, "build"), said(spark, "seconds") / seconds(our)
    note = f"{whole:.1f} × with the start of our process counted; memory {peak(our):.1f} GiB against {peak(spark):.1f}"
    two = Row("the same", "PySpark on Apache Spark local, warm", faster, 6, 3, "× faster", more=True, note=note)
    shutil.rmtree(lake)
    return Result("accounting", (one, two), equal, as_json(ours=our, duckdb=duck, spark=spark))


def rollups(setting: Setting) -> Result:
    """Measure line items to every level and grain against a DuckDB script, and what a trace of one such figure takes, warm."""
    rows = round(setting.rows(ROLLED) / PER_ROW)
    lake = _prepared(setting, rows, *LINES)
    our, duck = [], []
    for _ in range(setting.repeats):
        our.append(python("benchmarks.ours", "again", lake, " ".join(SUMS)))
        out = fresh(setting, "by_hand")
        duck.append(python("benchmarks.by_hand.duckdb_rollup", lake, out))
        equal = _same(lake, out, "{}.parquet", SUMS)
    work = f"{_count(lake, LINES[0]) / 1e6:.3g} M lines"
    note = f"memory {peak(our):.1f} GiB against {peak(duck):.1f}"
    one = Row(
        f"{work} to 13 levels, day to year, everything on", "DuckDB script", seconds(our) / seconds(duck), 1.0, 1.5, note=note
    )
    traced = [python("benchmarks.ours", "traced_twice", lake, SUMS[3], *FIGURE)]
    two = Row(f"trace of a rolled-up figure in a warm process, {work}", "–", said(traced, "second"), None, 1.0, "s",
              note=f"{traced[0].says['hops']} hops, down to cells and sources of factors")  # fmt: skip
    shutil.rmtree(lake)
    return Result("rollups", (one, two), equal, as_json(ours=our, duckdb=duck, trace=traced))


def restate(setting: Setting) -> Result:
    """Measure a restatement under another GWP set against the first calculation of the same tables."""
    lake = _prepared(setting, round(setting.rows(RESTATED) / PER_ROW))
    first, again = [], []
    tables = " ".join((*LINES, *SUMS))
    for _ in range(setting.repeats):
        first.append(python("benchmarks.ours", "again", lake, tables))
        again.append(python("benchmarks.ours", "restate", lake, "AR6"))
        out = fresh(setting, "by_hand")
        python("benchmarks.by_hand.duckdb_accounting", lake, out, "AR6")
        equal = _same(lake / "_variants" / "ar6", out, "{}.parquet", (LINES[0], LINES[2]))
        shutil.rmtree(lake / "_variants")
    work = f"{_count(lake, LINES[0]) / 1e6:.3g} M lines of a year restated, AR5 → AR6"
    row = Row(work, "the first calculation", said(again, "restate") / said(first, "build"), 0.5, 1.0,
              note="what went into each line is put down by the first alone; a restatement works it out when asked")  # fmt: skip
    shutil.rmtree(lake)
    return Result("restate", (row,), equal, as_json(first=first, restated=again))


def _activities(rows: int) -> int:
    """Return how many rows of activity `hours` makes of what was asked for."""
    return max(1, rows // HOURS // len(MEASURES)) * HOURS * len(MEASURES)


def _prepared(setting: Setting, rows: int, *tables: str) -> Path:
    """Return a lake with about so many rows of activity, the factors, and tables made from them."""
    lake, landed = fresh(setting, "lake"), hours(setting.cache, rows)
    inputs = ("thematic.activity", "knowledge.factor", "knowledge.factor_hour")
    python("benchmarks.ours", "prepared", lake, landed, *(f"+{table}" for table in inputs), *tables)
    return lake


def _count(lake: Path, table: str) -> int:
    found = duckdb.execute(f"select count(*) from ({content.table(lake, table)})").fetchone()
    return int(found[0]) if found else 0


def _same(lake: Path, out: Path, pattern: str, tables: tuple[str, ...]) -> str:
    """Compare tables, all columns that the script makes, by rows and a sum of hashes; return what was found equal."""
    told = []
    for table in tables:
        mine, theirs = content.table(lake, table), content.files(out / pattern.format(table.split(".")[1]))
        with duckdb.connect() as both:
            both.execute("set TimeZone = 'UTC'")
            types, made = ({row[0]: row[1] for row in both.execute(f"describe {sql}").fetchall()} for sql in (mine, theirs))
            beyond = sorted(name for name in set(types) - set(made) if not name.startswith("_"))
            hashed = ", ".join(f'cast("{name}" as {types[name]})' for name in made)
            count = f"select count(*), sum(cast(hash({hashed}) as hugeint))"
            one, two = (both.execute(f"{count} from ({sql})").fetchone() for sql in (mine, theirs))
        content.demand_equal(table, one, two)
        rows = one[0] if one else 0
        told.append(f"{rows:,} rows of {table.split('.')[1]}" + (f" (but for {', '.join(beyond)})" if beyond else ""))
    return ", ".join(told)
