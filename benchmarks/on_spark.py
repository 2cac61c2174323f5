"""Our builds on Apache Spark against PySpark by hand on the same, and against themselves as rows grow."""

from __future__ import annotations

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from deltalake import DeltaTable

from benchmarks import content, data, standalone
from benchmarks.against_others import FULL, demand_equal, fresh
from benchmarks.ours import METER, MONTH
from benchmarks.result import Result, Row, Setting, as_json, peak, said
from benchmarks.side import Run, python
from jobs.lake import Lake
from jobs.relation import columns
from schemas import graph

LEAST = 1.4
SIZES = (10_000_000, 40_000_000, 100_000_000)
# The scripts by hand have the same: two threads, four parts, six GiB.
HERE = {"CARBONLAKE_ENGINE": "spark", "CARBONLAKE_ENGINE_MEMORY": "6g"}
EXECUTORS, EXECUTOR_MEMORY = 2, "4g"
# Spark's own exit code for lack of memory, and that of a process that the system has killed.
KILLED = re.compile(r"exitStatus (?:52|137)\b")


def demo(setting: Setting) -> Result:
    """Measure every table of the demo from the values as found: ours with everything around it, by hand with nothing."""
    lake = fresh(setting, "spark_demo")
    python("benchmarks.ours", "demo", lake, project="", **HERE)
    our, their = [], []
    for _ in range(setting.repeats):
        our.append(python("benchmarks.ours", "again", lake, "all", project="", **HERE))
        out = fresh(setting, "by_hand")
        their.append(python("benchmarks.by_hand.pyspark_demo", lake, out, project="", **HERE))
        equal = _same_tables(lake, out)
    note = f"memory {peak(our):.1f} GiB against {peak(their):.1f}"
    row = Row(f"the demo's {len(graph.select([]))} tables on Apache Spark local", "PySpark by hand on the same",
              said(our, "build") / said(their, "seconds"), None, LEAST, note=note)  # fmt: skip
    return Result("spark_demo", (row,), equal, as_json(ours=our, by_hand=their))


def _same_tables(lake: Path, out: Path) -> str:
    """Compare every table, row by row; return what was found equal."""
    rows, tables = 0, graph.select([])
    with duckdb.connect() as both:
        both.execute("set TimeZone = 'UTC'")
        for table in tables:
            head, other = Lake(lake).open(table), DeltaTable(str(out / table))
            assert head is not None
            names = ", ".join(f'"{name}"' for name in columns(head) if not name.startswith("_"))
            one, two = (f"select {names} from read_parquet({it.file_uris()}, hive_partitioning = true)" for it in (head, other))
            found = [(both.execute(f"select count(*) from (({a}) except all ({b}))").fetchone() or (0,))[0]
                     for a, b in ((one, two), (two, one))]  # fmt: skip
            content.demand_equal(table, found, [0, 0])
            rows += (both.execute(f"select count(*) from ({one})").fetchone() or (0,))[0]
    return f"{len(tables)} tables with {rows:,} rows"


def meters(setting: Setting) -> Result:
    """Measure CSV to monthly sums on Apache Spark, both sides in a new JVM: landing and everything on against a script."""
    csv = data.year(setting.cache, setting.rows(FULL))
    our, their = [], []
    for _ in range(setting.repeats):
        lake, out = fresh(setting, "lake"), fresh(setting, "by_hand")
        our.append(python("benchmarks.ours", "build", lake, csv, METER, MONTH, **HERE))
        their.append(python("benchmarks.by_hand.pyspark_meter", csv, out))
        equal = demand_equal(lake, out, "*.parquet", "rejected/**/*.parquet", "month/*.parquet")
    ratio = said(our, "land", "build") / said(their, "cold")
    warm = said(our, "land", "build") / said(their, "seconds")
    note = f"{warm:.2f} × of its second run in the same session; memory {peak(our):.1f} GiB against {peak(their):.1f}"
    row = Row(f"{setting.rows(FULL) / 1e6:g} M meter rows on Apache Spark local, CSV → cleaned → monthly, everything on",
              "PySpark by hand on the same", ratio, None, LEAST, note=note)  # fmt: skip
    return Result("spark_meters", (row,), equal, as_json(ours=our, by_hand=their))


def scale(setting: Setting) -> Result:
    """Measure how time grows on a standalone cluster whose executors have 4 GiB, and that none of them runs out of it."""
    sizes = [setting.rows(size) for size in SIZES]
    runs: dict[int, list[Run]] = {size: [] for size in sizes}
    with TemporaryDirectory(prefix="carbonlake-cluster-") as folder:
        with standalone.cluster(Path(folder), EXECUTORS, 1, EXECUTOR_MEMORY) as cluster:
            settings = {
                "spark.executor.memory": EXECUTOR_MEMORY,
                "spark.executor.cores": "1",
                "spark.sql.shuffle.partitions": "16",
            }
            there = {"CARBONLAKE_ENGINE": cluster.url, "CARBONLAKE_ENGINE_MEMORY": "2g",
                     "CARBONLAKE_SPARK_SETTINGS": json.dumps(settings)}  # fmt: skip
            for _ in range(setting.repeats):
                for size in sizes:
                    runs[size].append(_grown(setting, size, there))
        lost = _out_of_memory(Path(folder))
    per_row = [said(runs[size], "build") / size for size in sizes]
    name = " → ".join(f"{size / 1e6:g} M" for size in sizes)
    growth = Row(f"{name} rows on Spark standalone, {EXECUTORS} executors of 4 GiB", "itself: time a row of the largest "
                 "against the smallest", per_row[-1] / per_row[0], None, 1.0,
                 note=f"against the middle one {per_row[-1] / per_row[1]:.2f} ×; {1e-6 / per_row[-1]:.3f} M rows/s")  # fmt: skip
    memory = Row(f"{name} rows: executors out of memory", "–", lost, None, 0, "executors")
    return Result(
        "spark_scale", (growth, memory), "monthly sums equal the readings", as_json(**{str(k): v for k, v in runs.items()})
    )


def _grown(setting: Setting, size: int, there: dict[str, str]) -> Run:
    lake, csv = fresh(setting, "lake"), data.year(setting.cache, size)
    run = python("benchmarks.ours", "build", lake, csv, METER, MONTH, **there)
    month = content.summary(content.table(lake, MONTH), content.MONTH)
    readings = content.summary(content.table(lake, METER), content.READING)
    content.demand_equal(f"sums of {size:,} rows", month[1], readings[1])
    return run


def _out_of_memory(folder: Path) -> int:
    """Return how many executors ran out of memory, by what they said, or were killed for it, by what their workers say."""
    said = [path.read_text(errors="replace") for path in folder.rglob("stderr")]
    workers = [path.read_text(errors="replace") for path in folder.glob("worker-*.log")]
    if not said or not any("Asked to launch executor" in text for text in workers):
        raise RuntimeError(f"no executor left a log in {folder}")
    return max(sum("OutOfMemoryError" in text for text in said), sum(len(KILLED.findall(text)) for text in workers))
