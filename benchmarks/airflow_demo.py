"""The demo's graph run by Airflow, on one engine that its tasks share, against `carbonlake run` of it."""

from __future__ import annotations

import json
import shutil
import time
from functools import partial
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError

from benchmarks.result import Result, Row, Setting, as_json, seconds
from benchmarks.side import Run, command
from dags.plan import plans
from schemas.contracts import contracts
from schemas.rooms import SHIPPED
from tests.dags.servers import Servers, airflow, until

PATIENCE = 1800.0


def demo(setting: Setting) -> Result:
    """Measure from the moment that every source is started until no table is left to build; servers are up before."""
    drop = _drop(setting.cache / "demo_drop")
    alone = [_alone(setting.cache / "demo_alone", drop) for _ in range(setting.repeats)]
    scheduled = [_scheduled(drop) for _ in range(setting.repeats)]
    row = Row("the demo's graph by Airflow, less 60 s", "`carbonlake run` of it", (seconds(scheduled) - 60) / seconds(alone),
              None, 3, note=f"{seconds(scheduled):.0f} s, landing included, against {seconds(alone):.0f} s; LocalExecutor on "
              "PostgreSQL, one standing engine")  # fmt: skip
    return Result("airflow_demo", (row,), "nothing is left for `carbonlake run`", as_json(airflow=scheduled, alone=alone))


def _drop(folder: Path) -> Path:
    """Put the sample deliveries where people drop them."""
    for table, one in contracts().items():
        for path in (SHIPPED / "samples" / "deliveries" / one.source.zone).glob(one.source.path) if one.source else ():
            target = folder / table / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return folder


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
        until(lambda: _quiet(servers, derived), "every table is built", PATIENCE)
        took = time.perf_counter() - began
        if left := _left(servers):
            raise RuntimeError(f"Airflow left {', '.join(left)}")
        return Run(took, 0, 0, {"runs": {name: len(servers.runs(name)) for name in derived}})


def _quiet(servers: Servers, names: list[str]) -> bool:
    """Tell whether every run has ended and no table that has changed still waits for one."""
    if any(run["state"] not in ("success", "failed") for name in names for run in servers.runs(name)):
        return False
    return not any(map(partial(_waits, servers), names))


def _waits(servers: Servers, name: str) -> bool:
    """Tell whether events wait for a DAG; the API knows no empty list of them."""
    try:
        return bool(servers.ask("GET", f"dags/{name}/assets/queuedEvents")["total_entries"])
    except HTTPError as error:
        if error.code != HTTPStatus.NOT_FOUND:
            raise
        return False


def _left(servers: Servers) -> list[str]:
    done = servers.command(servers.environment["CARBONLAKE_COMMAND"], "run", "--json")
    return [one["table"] for one in json.loads(done.stdout) if one["status"] != "skipped"]
