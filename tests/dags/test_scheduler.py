"""The real scheduler with LocalExecutor on PostgreSQL: months, alerts, kills and outages, and the demo, on a shared engine."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from dags.plan import plans
from jobs.lake import Lake
from schemas.contracts import contracts
from schemas.rooms import SHIPPED, VARIABLE
from tests import documents
from tests.dags.receivers import webhook
from tests.dags.servers import Servers, airflow, until
from tests.jobs import building

pytestmark = pytest.mark.airflow
FLOW, MONTHS, TOTAL = "cleaned.flow_merge", "thematic.flow_merge_month", "thematic.flow_total"
FLOWS, BY_MONTH, TOTALS = "carbonlake_flows_monthly", "carbonlake_thematic_flow_merge_month", "carbonlake_thematic_flow_total"
# Knows no months: a DAG that events with a month do not start.
OF_ALL = """
description: Flow of all months
owner: tests
inputs: {flow: cleaned.flow_merge}
key: [meter]
columns:
  meter: {type: string, description: Meter}
  mass_t: {type: "decimal(28,6)", unit: t, description: Mass}
"""
# The first build of the flow that meets the file `hold` waits for the file `go`.
COMMAND = """#!/bin/sh
case "$*" in *"run cleaned.flow_merge"*) if mv "$CARBONLAKE_HOME/hold" "$CARBONLAKE_HOME/held" 2>/dev/null; then
  echo $$ > "$CARBONLAKE_HOME/held"; while [ ! -e "$CARBONLAKE_HOME/go" ]; do sleep 0.2; done; fi;; esac
exec %s "$@"
"""


@pytest.fixture(scope="module")
def alerts() -> Iterator[tuple[str, list[Any]]]:
    """Return the address of a webhook and what it has received."""
    with webhook() as found:
        yield found


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, alerts: tuple[str, list[Any]]) -> Iterator[Servers]:
    """Run everything, with a project whose source comes once a month laid over the shipped tables."""
    files = building.flows(["merge"])
    source = files["schemas/cleaned/flow_merge.yaml"].replace("CC0-1.0}", "CC0-1.0, schedule: monthly}")
    files["schemas/cleaned/flow_merge.yaml"] = source + "freshness: 1m\n"
    files["schemas/thematic/flow_total.yaml"] = OF_ALL
    files["layers/thematic/flow_total.py"] = building.TRANSFORM % ('"meter"', 'F.sum("mass_t").alias("mass_t")')
    project = building.lay(tmp_path_factory.mktemp("flows"), files)
    command = project / "command.sh"
    command.write_text(COMMAND % Path(sys.executable).with_name("carbonlake"))
    command.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(project))
        with airflow(CARBONLAKE_PROJECT=str(project), CARBONLAKE_COMMAND=str(command), CARBONLAKE_ALERT_URL=alerts[0]) as found:
            yield found


def deliver(servers: Servers, name: str, *lines: tuple[Any, ...]) -> None:
    """Put a delivery into the drop folder of the flow."""
    place = Path(servers.environment["CARBONLAKE_DROP"]) / FLOW / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(building.csv(lines))


def hold(servers: Servers) -> str:
    """Start a run of the flow whose build waits in the middle, and return its id."""
    for name in ("held", "go"):
        (servers.work / name).unlink(missing_ok=True)
    (servers.work / "hold").touch()
    run = servers.play(FLOWS)
    until(lambda: (servers.work / "held").exists() and (servers.work / "held").read_text(), "the build is held")
    return run


def rows(servers: Servers, table: str, *columns: str) -> list[tuple[str, ...]]:
    """Return rows as text."""
    found = building.rows(Lake(servers.environment["CARBONLAKE_LAKE"]), table, *columns)
    return [tuple(map(str, row)) for row in found]


def versions(servers: Servers) -> int:
    """Return how often the flow has been published."""
    head = Lake(servers.environment["CARBONLAKE_LAKE"]).open(FLOW)
    return head.version() if head else 0


def test_a_backfill_of_three_months_builds_each_of_them(servers: Servers) -> None:
    servers.unpause(FLOWS, BY_MONTH, TOTALS)
    # The month that is over has its run at once, which takes in whatever lies there; there is nothing yet.
    (scheduled,) = until(lambda: servers.runs(FLOWS), "the newest month has its run")
    assert servers.ended(FLOWS, scheduled["dag_run_id"]) == "success" and not rows(servers, FLOW)
    for month in ("2026-01", "2026-02", "2026-03", "2026-04"):
        deliver(servers, f"{month}.csv", ("m", f"{month}-05", 3, "x"))
    script = [block.text for block in documents.blocks(SHIPPED / "docs" / "airflow.md") if block.kind == "sh"][1]
    done = servers.command("sh", "-e", "-c", f"PATH={Path(sys.executable).parent}:$PATH\n{script}")
    assert done.returncode == 0, done.stdout + done.stderr
    by_key = {"2026-01", "2026-02", "2026-03"}

    def quiet() -> bool:
        found = [run for name in (FLOWS, BY_MONTH, TOTALS) for run in servers.runs(name)]
        return len(rows(servers, MONTHS, "month")) == 3 and all(run["state"] in ("success", "failed") for run in found)

    until(quiet, "the months are there", 600)
    backfill = [run for run in servers.runs(FLOWS) if run["run_type"] == "backfill"]
    assert {run["partition_key"]: run["state"] for run in backfill} == dict.fromkeys(by_key, "success")
    assert {run["partition_key"] for run in servers.runs(BY_MONTH)} == by_key
    assert rows(servers, MONTHS, "month") == [(f"{month}-01",) for month in sorted(by_key)]
    assert rows(servers, TOTAL, "mass_t") == [("9.000000",)]  # what knows no months was started all the same
    assert len(rows(servers, FLOW)) == 3  # April is no part of it


def test_a_killed_worker_is_tried_again_and_a_late_run_is_told(servers: Servers, alerts: tuple[str, list[Any]]) -> None:
    deliver(servers, "2026-04-late.csv", ("m", "2026-04-06", 4, "y"))
    before, there, run = versions(servers), len(rows(servers, FLOW)), hold(servers)
    waiting = psutil.Process(int((servers.work / "held").read_text()))
    scheduler = servers.pid("airflow-scheduler")
    for process in waiting.parents():
        if process.pid != scheduler and scheduler in {one.pid for one in process.parents()} and "airflow" in process.name():
            process.send_signal(signal.SIGKILL)
    late = until(lambda: [one for one in alerts[1] if one["run"] == run and "deadline" in one], "the deadline is told", 300)
    assert "has not ended within 0:01:00" in late[0]["text"]
    (servers.work / "go").touch()  # the orphan builds beside the second try
    assert servers.ended(FLOWS, run, 600) == "success"
    assert servers.tasks(FLOWS, run)[FLOW]["try_number"] > 1
    until(lambda: not psutil.pid_exists(waiting.pid), "the orphan has ended")
    assert len(rows(servers, FLOW)) == there + 2 and versions(servers) == before + 1  # April's first one lay there, too


def test_scheduler_and_database_may_go_and_come_back(servers: Servers) -> None:
    deliver(servers, "2026-05.csv", ("m", "2026-05-01", 5, "z"))
    before, there, run = versions(servers), len(rows(servers, FLOW)), hold(servers)
    servers.kill("airflow-scheduler")
    servers.kill("postgres")
    (servers.work / "go").touch()
    servers.start("postgres")
    servers.start("airflow-scheduler")
    assert servers.ended(FLOWS, run, 600) == "success"
    assert len(rows(servers, FLOW)) == there + 1 and versions(servers) == before + 1


def test_a_stale_table_is_told_to_the_webhook(servers: Servers, alerts: tuple[str, list[Any]]) -> None:
    program = str(Path(sys.executable).with_name("carbonlake"))
    until(lambda: servers.command(program, "freshness").returncode == 1, "the minute of freshness is over")
    run = servers.play("carbonlake_audit")
    assert servers.ended("carbonlake_audit", run) == "failed"
    told = {("freshness", 1), ("sources", 1)}  # the source of the table is late, too
    until(lambda: {(one["task"], one["try"]) for one in alerts[1] if one["run"] == run} >= told, "both failures are told")
    assert {(one["task"], one["try"]) for one in alerts[1] if one["run"] == run} == told
    states = {name: task["state"] for name, task in servers.tasks("carbonlake_audit", run).items()}
    assert (states["quality_report"], states["reminders"]) == ("success", "success")


def test_the_demo_is_finished_by_the_scheduler(servers: Servers) -> None:
    for table, one in contracts().items():
        for path in (SHIPPED / "samples" / "deliveries" / one.source.zone).glob(one.source.path) if one.source else ():
            target = Path(servers.environment["CARBONLAKE_DROP"]) / table / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    derived = [one.name for one in plans() if not one.lands]
    servers.unpause(*derived)
    started = [(one.name, servers.play(one.name)) for one in plans() if one.lands]
    assert {servers.ended(name, run, 900) for name, run in started} == {"success"}

    def finished() -> bool:
        runs = [run for name in derived for run in servers.runs(name)]
        return all(run["state"] in ("success", "failed") for run in runs) and not _left(servers)

    until(finished, "nothing is left to build", 900)
    assert {run["state"] for name in derived for run in servers.runs(name)} == {"success"}
    year = "business.emission_year"
    dag, task = next((one.name, task.name) for one in plans() for task in one.tasks if year in task.tables)
    log = next(servers.home.glob(f"airflow/logs/dag_id={dag}/run_id=*/task_id=*{task}/attempt=1.log")).read_text()
    assert re.search(r"✓\s+business\.emission_year|up to date: skipped", log) and "quality report file://" in log


def _left(servers: Servers) -> list[str]:
    """Return the tables that `carbonlake run` still finds to be built."""
    done = servers.command(str(Path(sys.executable).with_name("carbonlake")), "run", "--json")
    return [one["table"] for one in json.loads(done.stdout) if one["status"] != "skipped"]
