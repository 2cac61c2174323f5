"""Comparisons with doing it by hand: the same files, the same outputs, both sides in turn."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from benchmarks import content, data
from benchmarks.ours import METER, MONTH
from benchmarks.result import Result, Row, Setting, as_json, peak, said, seconds
from benchmarks.side import Run, python

FULL = 20_000_000
RULED, BARE = "cleaned.bench_ruled", "cleaned.bench_bare"


def fresh(setting: Setting, name: str) -> Path:
    """Return the path of an output that is not there yet."""
    path = setting.cache / name
    shutil.rmtree(path, ignore_errors=True)
    return path


def ours(setting: Setting, csv: Path, *tables: str) -> tuple[Path, Run]:
    """Land and build in a fresh lake."""
    lake = fresh(setting, "lake")
    return lake, python("benchmarks.ours", "build", lake, csv, *tables)


def meter20m_duckdb(setting: Setting) -> Result:
    """Measure CSV to monthly sums against a DuckDB script, whole processes."""
    csv = data.year(setting.cache, setting.rows(FULL))
    our, their = [], []
    for _ in range(setting.repeats):
        lake, run = ours(setting, csv, METER, MONTH)
        our.append(run)
        out = fresh(setting, "by_hand")
        their.append(python("benchmarks.by_hand.duckdb_meter", csv, out))
        equal = demand_equal(lake, out, "*.parquet", "rejected.parquet", "month.parquet")
    ratio = seconds(our) / seconds(their)
    note = f"memory {peak(our):.1f} GiB against {peak(their):.1f}"
    row = Row(_work(setting, "meter rows, CSV → cleaned → monthly, everything on"), "DuckDB script", ratio, 1.0, 1.4, note=note)
    return Result("meter20m_duckdb", (row,), equal, as_json(ours=our, duckdb=their))


def meter20m_spark(setting: Setting) -> Result:
    """Measure the same against a PySpark script: its second run in a warm session, our first in a cold one."""
    csv = data.year(setting.cache, setting.rows(FULL))
    our, their = [], []
    for _ in range(setting.repeats):
        lake, run = ours(setting, csv, METER, MONTH)
        our.append(run)
        out = fresh(setting, "by_hand")
        their.append(python("benchmarks.by_hand.pyspark_meter", csv, out))
        equal = demand_equal(lake, out, "*.parquet", "rejected/**/*.parquet", "month/*.parquet")
    ratio = said(their, "seconds") / said(our, "land", "build")
    whole = said(their, "seconds") / seconds(our)
    note = f"{whole:.1f} × with the start of our process counted; memory {peak(our):.1f} GiB against {peak(their):.1f}"
    row = Row(
        _work(setting, "meter rows, the same"),
        "PySpark on Apache Spark local, warm",
        ratio,
        8,
        4,
        "× faster",
        more=True,
        note=note,
    )
    return Result("meter20m_spark", (row,), equal, as_json(ours=our, spark=their))


def overhead(setting: Setting) -> Result:
    """Measure our build against the same transforms on the same engine without anything around them."""
    csv = data.year(setting.cache, setting.rows(FULL))
    our, their = [], []
    for _ in range(setting.repeats):
        lake, run = ours(setting, csv, METER, MONTH)
        our.append(run)
        out = fresh(setting, "by_hand")
        their.append(python("benchmarks.by_hand.plain_transforms", csv, out))
        good = f"select * from ({content.files(out / 'meter/**/*.parquet')}) where electricity_kwh >= 0 and meter_id is not null"
        kept = content.summary(content.table(lake, METER), content.READING)
        content.demand_equal("the good rows", kept, content.summary(good, content.READING))
    ratio = said(our, "build") / said(their, "seconds")
    row = Row(_work(setting, "meter rows, our build"), "the same transforms without checks, balance, lineage", ratio, 1.15, 1.4,
              note=f"landing (copy and SHA-256) not counted; memory {peak(our):.1f} GiB against {peak(their):.1f}")  # fmt: skip
    return Result("overhead", (row,), f"{kept[0]:,} rows, {kept[1]} kWh", as_json(ours=our, plain=their))


def rules12(setting: Setting) -> Result:
    """Measure what 12 rules cost a build, and our pass over 5 M typed rows against Great Expectations."""
    csv = data.year(setting.cache, setting.rows(5_000_000))
    rows = _typed(setting, csv)
    ruled, bare, fused, gx = [], [], [], []
    for _ in range(setting.repeats):
        ruled.append(ours(setting, csv, RULED)[1])
        bare.append(ours(setting, csv, BARE)[1])
        fused.append(python("benchmarks.ours", "rules", fresh(setting, "lake"), rows, RULED))
        gx.append(python("benchmarks.by_hand.gx_rules", rows))
        content.demand_equal("rows that fail each rule", _counts(fused[-1]), _counts(gx[-1]))
    work = _work(setting, "rows, 12 rules", 5_000_000)
    cost = Row(f"{work}: the build", "the same build without rules", said(ruled, "build") / said(bare, "build"), 1.1, 1.3)
    faster = Row(f"{work}: executed", "Great Expectations executing them", said(gx, "seconds") / said(fused, "seconds"), 20, 10,
                 "× faster", more=True, note="both on typed rows, imports and loading not counted")  # fmt: skip
    equal = f"the same counts for 12 rules, {sum(_counts(gx[-1]).values()):,} failures"
    return Result("rules12", (cost, faster), equal, as_json(ruled=ruled, bare=bare, fused=fused, gx=gx))


def _work(setting: Setting, what: str, full: int = FULL) -> str:
    return f"{setting.rows(full) / 1e6:g} M {what}"


def demand_equal(lake: Path, out: Path, meter: str, rejected: str, month: str) -> str:
    """Compare readings, what was set aside and monthly sums; return what was found equal."""
    pairs = ((METER, out / "meter" / "*" / meter, content.READING), (MONTH, out / month, content.MONTH))
    found = []
    for table, pattern, columns in pairs:
        mine = content.summary(content.table(lake, table), columns)
        content.demand_equal(table, mine, content.summary(content.files(pattern), columns))
        found.append(f"{mine[0]:,} rows of {table} with {mine[1]} kWh")
    aside = content.quarantine(lake, METER)
    content.demand_equal("rows set aside", aside, content.rejected(out / rejected))
    return f"{', '.join(found)}, {sum(count for _, count, _ in aside):,} rows set aside"


def _counts(run: Run) -> dict[str, int]:
    return {label: int(count or 0) for label, count in sorted(run.says["failed"].items())}


def _typed(setting: Setting, csv: Path) -> Path:
    """Return the readings typed but not judged, as one Parquet file, made once."""
    path = csv.with_suffix(".typed.parquet")
    if not path.exists():
        duckdb.connect().execute(f"""
            copy (select "{data.METER}" as meter_id, cast("{data.TIME}" as timestamp) as "time",
                    try_cast("{data.KWH}" as decimal(18, 6)) as electricity_kwh, "{data.REGION}" as area_code,
                    "{data.STATUS}" as status, cast(strftime(cast("{data.TIME}" as timestamp), '%Y%m') as integer) as "month"
                from read_csv('{csv}', all_varchar = true)) to '{path}.half' (format parquet)""")
        Path(f"{path}.half").rename(path)
    return path
