"""`python -m benchmarks.run`: every comparison, both sides in turn, results equal before times count."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import against_itself, against_others, of_the_demo, report
from benchmarks.result import Setting

CASES = {
    "meter20m_duckdb": against_others.meter20m_duckdb,
    "meter20m_spark": against_others.meter20m_spark,
    "overhead": against_others.overhead,
    "rules12": against_others.rules12,
    "redelivery": against_itself.redelivery,
    "one_of_thousand": against_itself.one_of_thousand,
    "scaling": against_itself.scaling,
    "rounds40": against_itself.rounds40,
    "trace": of_the_demo.trace,
    "demo": of_the_demo.demo,
}


def main() -> int:
    """Run the cases that were asked for and write the table; 1 where one missed what it must at least reach."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--only", action="append", choices=CASES, help="a case, as often as needed; all without it")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows, e.g. 0.05")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path("build/bench"), help="where data and lakes lie")
    parser.add_argument("--publish", action="store_true", help="write the table and the picture also at a smaller scale")
    given = parser.parse_args()
    setting = Setting(given.cache.absolute(), given.scale, given.repeats)
    missed = False
    for name in given.only or CASES:
        result = CASES[name](setting)
        print(f"{name}: equal ({result.equal})")
        for row in result.rows:
            print(f"  {row.work} against {row.against}: {row.value:.2f} {row.unit} [{row.verdict}] {row.note}", flush=True)
            missed |= row.verdict == "missed"
        if setting.scale == 1 or given.publish:
            report.save(result, setting)
            report.publish(tuple(CASES))
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
