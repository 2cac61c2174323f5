"""The demo's graph run by Airflow, on one engine that its tasks share, against `carbonlake run` of it."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from benchmarks.result import Result, Row, Setting, as_json, seconds
from benchmarks.side import Run, command
from dags.plan import plans
from tests.dags.servers import Servers, airflow, dropped, until

PATIENCE = 1800.0


def demo(setting: Setting) -> Result:
    """Measure from the moment that every source is started until no table is left to build; servers are up before."""
    drop = dropped(setting.cache / "demo_drop")
    alone = [_alone(setting.cache / "demo_alone", drop) for _ in range(setting.repeats)]
    scheduled = [_scheduled(drop) for _ in range(setting.repeats)]
    row = Row("the demo's graph by Airflow, less 60 s", "`carbonlake run` of it", (seconds(scheduled) - 60) / seconds(alone),
              None, 3, note=f"{seconds(scheduled):.0f} s, landing included, against {seconds(alone):.0f} s; LocalExecutor on "
              "PostgreSQL, one standing engine")  # fmt: skip
    return Result("airflow_demo", (row,), "nothing is left for `carbonlake run`", as_json(airflow=scheduled, alone=alone))


def _alone(lake: Path, drop: Path) -> Run:
    shutil.rmtree(lake, ignore_errors=True)
    command("--lake", str(lake), "land", str(drop))
    return command("--lake", str(lake), "run")


def _scheduled(drop: Path) -> Run:
    with airflow(CARBONLAKE_DROP=str(drop), CARBONLAKE_PROJECT="") as servers:
        derived = [one.name for one in plans() if one.waits_for]
        servers.unpause(*derived)
        began = time.perf_counter()
        started = [(one.name, servers.play(one.name)) for one in plans() if not one.waits_for]
        for name, run in started:
            servers.ended(name, run, PATIENCE)
        until(lambda: servers.quiet(derived), "every table is built", PATIENCE)
        took = time.perf_counter() - began
        if left := _left(servers):
            raise RuntimeError(f"Airflow left {', '.join(left)}")
        return Run(took, 0, 0, {"runs": {name: len(servers.runs(name)) for name in derived}})


def _left(servers: Servers) -> list[str]:
    done = servers.command(servers.environment["CARBONLAKE_COMMAND"], "run", "--json")
    return [one["table"] for one in json.loads(done.stdout) if one["status"] != "skipped"]
