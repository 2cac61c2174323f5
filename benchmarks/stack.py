"""`python -m benchmarks.stack`: what is measured on the real stack, each case in a module of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

from benchmarks import report
from benchmarks.cases import asked, measured
from benchmarks.result import Result, Setting

# Case → module:function; a case imports what it needs when it is run.
CASES = {
    "airflow_demo": "benchmarks.airflow_demo:demo",
    "spark_demo": "benchmarks.on_spark:demo",
    "spark_meters": "benchmarks.on_spark:meters",
    "spark_scale": "benchmarks.on_spark:scale",
    "s3_meters": "benchmarks.on_s3:meters",
    "s3_demo": "benchmarks.on_s3:demo",
    "postgres_table": "benchmarks.on_postgres:table",
    "trino_mart": "benchmarks.on_trino:mart",
    "airflow_parse": "benchmarks.airflow_parse:parse",
    "kafka": "benchmarks.on_streams:kafka",
    "mqtt": "benchmarks.on_streams:mqtt",
}


def main() -> int:
    """Run the cases that were asked for and keep what was measured; 1 where one missed what it must at least reach."""
    return measured(asked("benchmarks.stack", __doc__ or "", CASES).parse_args(), CASES, _case, _keep)


def _case(name: str) -> Callable[[Setting], Result]:
    module, function = CASES[name].split(":")
    found: Callable[[Setting], Result] = getattr(import_module(module), function)
    return found


def _keep(result: Result, setting: Setting) -> None:
    if setting.scale == 1:
        report.save(result, setting)
        report.publish()


if __name__ == "__main__":
    sys.exit(main())
