"""Cases as they are asked for on a command line, and measured one after the other."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.result import Result, Setting


def asked(module: str, told: str, cases: Iterable[str]) -> argparse.ArgumentParser:
    """Return what understands the options of a module that measures cases."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=told)
    parser.add_argument("--only", action="append", choices=list(cases), help="a case, as often as needed; all without it")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows, e.g. 0.05")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path("build/bench"), help="where data and lakes lie")
    return parser


def measured(
    given: argparse.Namespace, cases: Iterable[str], case: Callable[[str], Callable[[Setting], Result]],
    keep: Callable[[Result, Setting], None],
) -> int:  # fmt: skip
    """Measure what was asked for, show and keep it; return 1 where one missed what it must at least reach."""
    setting = Setting(given.cache.absolute(), given.scale, given.repeats)
    missed = False
    for name in given.only or cases:
        result = case(name)(setting)
        print(f"{name}: equal ({result.equal})")
        for row in result.rows:
            print(f"  {row.work} against {row.against}: {row.value:.2f} {row.unit} [{row.verdict}] {row.note}", flush=True)
            missed |= row.verdict == "missed"
        keep(result, setting)
    return int(missed)
