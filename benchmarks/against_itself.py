"""Comparisons of the lakehouse with itself: more rows, more rounds, a redelivery, one delivery of many."""

from __future__ import annotations

from statistics import median

from benchmarks import content, data
from benchmarks.against_others import FULL, fresh, ours
from benchmarks.ours import METER, MONTH
from benchmarks.result import Result, Row, Setting, as_json, peak, seconds
from benchmarks.side import Run, python


def redelivery(setting: Setting) -> Result:
    """Measure a second delivery that has every key again, against the first."""
    first, second = (data.year(setting.cache, setting.rows(FULL), edition) for edition in (1, 2))
    before, after = [], []
    for _ in range(setting.repeats):
        lake, run = ours(setting, first, METER, MONTH)
        before.append(run)
        old = content.keep(content.table(lake, METER), setting.cache / "first.parquet")
        after.append(python("benchmarks.ours", "build", lake, second, METER, MONTH))
        new = content.summary(content.table(lake, METER), content.READING)
        fresh_rows = f"select * from ({content.table(lake, METER)}) where _delivery = 2"
        expected = f"select * from ({old}) anti join ({fresh_rows}) using (meter_id, time) union all by name {fresh_rows}"
        content.demand_equal("readings", new, content.summary(expected, content.READING))
    rows = f"{setting.rows(FULL) / 1e6:g} M rows delivered again, every key"
    row = Row(rows, "the first delivery", seconds(after) / seconds(before), 1.5, 2.5)
    memory = Row(f"{rows}: memory", "–", peak(after), None, 6, "GiB")
    return Result("redelivery", (row, memory), f"{new[0]:,} rows, {new[1]} kWh", as_json(first=before, second=after))


def one_of_thousand(setting: Setting) -> Result:
    """Measure one changed delivery of a thousand against a full rebuild."""
    rows = setting.rows(FULL)
    deliveries, corrected = data.thousand(setting.cache, rows), data.corrected(setting.cache, rows)
    runs = []
    for _ in range(setting.repeats):
        lake = fresh(setting, "lake")
        runs.append(python("benchmarks.ours", "change", lake, deliveries, corrected))
        changed = content.summary(content.table(lake, METER), content.READING)
        python("benchmarks.ours", "again", lake)
        content.demand_equal("readings", changed, content.summary(content.table(lake, METER), content.READING))
    full, change = median(run.says["full"] for run in runs), median(run.says["change"] for run in runs)
    row = Row(f"one of 1,000 deliveries changed, {rows / 1e6:g} M rows by month", "2 % (at least 5 %) of a full rebuild",
              max(0.0, change - (0.02 if change - 0.02 * full <= 1 else 0.05) * full), 1, 3, "s more",
              note=f"{100 * change / full:.0f} % of a full rebuild")  # fmt: skip
    return Result(
        "one_of_thousand", (row,), f"{changed[0]:,} rows, {changed[1]} kWh, as when all is built again", as_json(ours=runs)
    )


def small_files(setting: Setting) -> Result:
    """Measure many small deliveries of one source against one with the same rows."""
    files = max(100, round(10_000 * setting.scale))
    many, one = data.small(setting.cache, files)
    runs: dict[str, list[Run]] = {"many": [], "one": []}
    for _ in range(setting.repeats):
        found = {}
        for name, delivery in (("one", one), ("many", many)):
            lake, run = ours(setting, delivery, METER, MONTH)
            runs[name].append(run)
            found[name] = content.summary(content.table(lake, METER), content.READING_ANYWHERE)
        content.demand_equal("readings", found["many"], found["one"])
    row = Row(f"{files:,} small files of one source", "one file with the same rows", seconds(runs["many"]) / seconds(runs["one"]),
              3, 6)  # fmt: skip
    return Result("small_files", (row,), f"{found['one'][0]:,} rows, {found['one'][1]} kWh", as_json(**runs))


def scaling(setting: Setting) -> Result:
    """Measure how time and memory grow from 1 M to 40 M rows."""
    sizes = [setting.rows(size) for size in (1_000_000, 10_000_000, 40_000_000)]
    runs: dict[int, list[Run]] = {size: [] for size in sizes}
    for _ in range(setting.repeats):
        for size in sizes:
            lake, run = ours(setting, data.year(setting.cache, size), METER, MONTH)
            runs[size].append(run)
            month = content.summary(content.table(lake, MONTH), content.MONTH)
            readings = content.summary(content.table(lake, METER), content.READING)
            content.demand_equal(f"sums of {size:,} rows", month[1], readings[1])
    per_row = [seconds(runs[size]) / size for size in sizes]
    name = " → ".join(f"{size / 1e6:g} M" for size in sizes)
    growth = Row(f"{name} rows", "itself: time a row of the largest against the smallest", per_row[-1] / per_row[0], None, 1.0,
                 note=f"against the middle one {per_row[-1] / per_row[1]:.2f} ×")  # fmt: skip
    memory = Row(f"{name} rows: memory of all processes", "–", max(peak(some) for some in runs.values()), None, 4, "GiB")
    return Result("scaling", (growth, memory), "monthly sums equal the readings", as_json(**{str(k): v for k, v in runs.items()}))


def rounds40(setting: Setting) -> Result:
    """Measure 40 rounds of small deliveries with maintenance, the last five against the first five after the very first."""
    data.rounds(setting.cache, 40, 20_000)
    folder = setting.cache / "rounds-40-20000"
    runs, ratios = [], []
    for _ in range(setting.repeats):
        lake = fresh(setting, "lake")
        runs.append(python("benchmarks.ours", "rounds", lake, folder))
        took = runs[-1].says["rounds"]
        # The first round makes the tables and warms the engine up, so the five after it are what stays comparable.
        ratios.append(median(took[-5:]) / median(took[1:6]))
        readings = content.summary(content.table(lake, METER), content.READING)
        content.demand_equal("sums", content.summary(content.table(lake, MONTH), content.MONTH)[1], readings[1])
    row = Row("40 rounds of 20,000 rows, maintained", "the rounds after the first", median(ratios), 1.1, 1.3)
    return Result("rounds40", (row,), f"{readings[0]:,} rows, {readings[1]} kWh", as_json(ours=runs))
