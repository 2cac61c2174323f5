"""The table and the picture that are published: ratios, never seconds, with versions and machine."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks.result import Result, Row, Setting

HOME = Path(__file__).resolve().parent
RESULTS = HOME / "results"
PACKAGES = ("pysail", "pyspark", "deltalake", "duckdb", "polars", "pyarrow", "great-expectations")
# The cases of benchmarks/run.py and of benchmarks/stack.py, as the table shows them.
ORDER = (
    "meter20m_duckdb",
    "meter20m_spark",
    "overhead",
    "rules12",
    "redelivery",
    "one_of_thousand",
    "small_files",
    "scaling",
    "rounds40",
    "excel",
    "csv_gbk",
    "file_memory",
    "accounting",
    "rollups",
    "restate",
    "trace",
    "demo",
    "airflow_demo",
    "airflow_parse",
    "spark_demo",
    "spark_meters",
    "spark_scale",
    "s3_meters",
    "s3_demo",
    "trino_mart",
    "netcdf_xarray",
    "grid_memory",
    "postgres_table",
    "kafka",
    "mqtt",
)
WORDS = {"goal": "goal reached", "least": "at least reached", "missed": "**missed**"}
COLOURS = {"goal": "#2a7f62", "least": "#c9a227", "missed": "#b23a48"}


def save(result: Result, setting: Setting) -> Path:
    """Write one case as JSON, seconds and memory of every run included."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{result.case}.json"
    body = {
        "case": result.case, "rows": [asdict(row) | {"verdict": row.verdict} for row in result.rows], "equal": result.equal,
        "scale": setting.scale, "repeats": setting.repeats, "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(), "versions": {name: version(name) for name in PACKAGES}, "runs": result.runs,
    }  # fmt: skip
    path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def machine() -> dict[str, Any]:
    """Return what the machine is: cores, memory, system, Python."""
    return {"cores": os.cpu_count(), "memory_gib": round(psutil.virtual_memory().total / 2**30), "system": platform.system(),
            "processor": platform.machine(), "python": platform.python_version()}  # fmt: skip


def publish() -> None:
    """Write results.md and results.svg from the cases that were measured."""
    cases = [json.loads((RESULTS / f"{name}.json").read_text()) for name in ORDER if (RESULTS / f"{name}.json").exists()]
    (HOME / "results.md").write_text(_table(cases), encoding="utf-8")
    _picture([_row(row) for case in cases for row in case["rows"]])


def _row(row: dict[str, Any]) -> Row:
    return Row(**{key: value for key, value in row.items() if key != "verdict"})


def _table(cases: list[dict[str, Any]]) -> str:
    lines = [
        "# Measured", "",
        "`make bench` and `make bench-stack` run both sides in turn on the same files, compare what they made, and only then",
        "look at the clock.",
        "Numbers are ratios of medians; the seconds of every run are in `results/`. Written by `benchmarks/report.py`.", "",
        "![measured against at least](results.svg)", "",
        "| work | against | goal | at least | measured | |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    lines += [_line(_row(row)) for case in cases for row in case["rows"]]
    lines += ["", "| case | equal before times counted | repeats | share of the rows | measured at |", "|---|---|---|---|---|"]
    lines += [f"| {c['case']} | {c['equal']} | {c['repeats']} | {c['scale']:.0%} | {c['measured_at'][:10]} |" for c in cases]
    if cases:
        machine, versions = cases[-1]["machine"], cases[-1]["versions"]
        told = ", ".join(f"{name} {number}" for name, number in versions.items())
        lines += ["", f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']} {machine['processor']}, "
                      f"Python {machine['python']}; {told}."]  # fmt: skip
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    sign = "≥" if row.more else "≤"
    goal = f"{sign} {row.goal:g} {row.unit}" if row.goal is not None else "–"
    note = f" ({row.note})" if row.note else ""
    least, value = f"{sign} {row.least:g} {row.unit}", f"{row.value:.2f} {row.unit}{note}"
    return f"| {row.work} | {row.against} | {goal} | {least} | {value} | {WORDS[row.verdict]} |"


def _picture(rows: list[Row]) -> None:
    """Draw each measurement as a share of what it must at least reach; left of the line is good."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "carbonlake"
    from matplotlib import pyplot

    # Where none is allowed, such as failures, there is no share.
    shares = [row.least / row.value if row.more else row.value / row.least if row.least else row.value for row in rows]
    figure, axes = pyplot.subplots(figsize=(9, 0.5 * len(rows) + 1))
    axes.barh(range(len(rows)), shares, color=[COLOURS[row.verdict] for row in rows])
    axes.set_yticks(range(len(rows)), [f"{row.work}\nagainst {row.against}" for row in rows], fontsize=7)
    axes.invert_yaxis()
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xlabel("share of what is allowed (1 = at least)")
    figure.tight_layout()
    figure.savefig(HOME / "results.svg", metadata={"Date": None})
    pyplot.close(figure)
