"""`python -m benchmarks.stack`: what is measured on the real stack, each case in a module of its own."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from benchmarks import report
from benchmarks.result import Setting

# Case → module:function; a case imports what it needs when it is run.
CASES = {
    "airflow_demo": "benchmarks.airflow_demo:demo",
    "spark_demo": "benchmarks.on_spark:demo",
    "spark_meters": "benchmarks.on_spark:meters",
    "spark_scale": "benchmarks.on_spark:scale",
    "s3_meters": "benchmarks.on_s3:meters",
    "s3_demo": "benchmarks.on_s3:demo",
    "trino_mart": "benchmarks.on_trino:mart",
    "airflow_parse": "benchmarks.airflow_parse:parse",
}


def main() -> int:
    """Run the cases that were asked for and keep what was measured; 1 where one missed what it must at least reach."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stack", description=__doc__)
    parser.add_argument("--only", action="append", choices=CASES, help="a case, as often as needed; all without it")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows, e.g. 0.05")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path("build/bench"), help="where data and lakes lie")
    given = parser.parse_args()
    setting = Setting(given.cache.absolute(), given.scale, given.repeats)
    missed = False
    for name in given.only or CASES:
        module, function = CASES[name].split(":")
        result = getattr(import_module(module), function)(setting)
        print(f"{name}: equal ({result.equal})")
        for row in result.rows:
            print(f"  {row.work} against {row.against}: {row.value:.2f} {row.unit} [{row.verdict}] {row.note}", flush=True)
            missed |= row.verdict == "missed"
        if setting.scale == 1:
            report.save(result, setting)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
