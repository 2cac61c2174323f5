"""The DAGs on a real Airflow: they load, say what the contracts say, build the demo, and tell people of what fails."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dags.plan import plans
from jobs import query
from jobs.lake import FORMAT_FILE, Lake
from schemas import graph, rooms
from schemas.contracts import read_yaml
from tests import documents
from tests.dags.receivers import webhook
from tests.dags.servers import dropped

pytestmark = pytest.mark.airflow
ROOT = rooms.SHIPPED
HEADLINES = ROOT / "samples" / "headlines.yaml"
BUILDING = [(Decimal("10583.4"), Decimal("1718.7"))]
# Airflow reads its settings when it is first imported, so that each test asks a process of its own.
DAGS = """
import json
from airflow.dag_processing.dagbag import DagBag

bag = DagBag({folder!r})
dags = {{name: {{
    "schedule": type(dag.timetable).__name__, "deadline": [one.interval.days for one in dag.deadline or ()], "tasks": {{
    task.task_id: {{
    "after": sorted(task.upstream_task_ids), "pool": task.pool, "retries": task.retries, "weight": task.priority_weight,
    "reads": sorted(asset.name for asset in task.inlets), "makes": sorted(asset.name for asset in task.outlets),
}} for task in dag.tasks}}}} for name, dag in bag.dags.items()}}
print("ANSWER" + json.dumps({{"errors": {{str(k): str(v) for k, v in bag.import_errors.items()}}, "dags": dags}}))
"""
RUN = """
import json, sys
from airflow.dag_processing.dagbag import DagBag

sys.argv = ["airflow", "dags", "test"]

bag = DagBag({folder!r})
states = {{}}
for name in {names!r}:
    dag = bag.dags[name]
    for task in dag.tasks:
        task.retries = 0
    run = dag.test()
    states[name] = {{one.task_id: str(one.state) for one in run.get_task_instances()}}
print("ANSWER" + json.dumps(states))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of an Airflow on SQLite, its database made, with a lake and a drop folder beside it."""
    place = tmp_path_factory.mktemp("airflow")
    environment = os.environ | {
        "AIRFLOW_HOME": str(place), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING", "CARBONLAKE_HOME": str(place), "CARBONLAKE_LAKE": str(place / "lake"),
        "CARBONLAKE_DROP": str(place / "drop"), "CARBONLAKE_COMMAND": str(Path(sys.executable).with_name("carbonlake")),
    }  # fmt: skip
    _airflow(environment, "db", "migrate")
    _airflow(environment, "pools", "import", str(ROOT / "dags" / "pools.json"))
    return environment


def _airflow(environment: dict[str, str], *words: str) -> str:
    command = [str(Path(sys.executable).with_name("airflow")), *words]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def _asked(environment: dict[str, str], script: str, **values: Any) -> Any:
    """Run a script that answers in JSON, in a process of its own."""
    code = script.format(folder=str(ROOT / "dags"), **values)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True,
                          cwd=environment["CARBONLAKE_HOME"])  # fmt: skip
    answers = [line for line in done.stdout.splitlines() if line.startswith("ANSWER")]
    assert answers, done.stderr[-3000:] + done.stdout[-3000:]
    return json.loads(answers[-1].removeprefix("ANSWER"))


def test_every_dag_loads_and_is_what_the_contracts_say(home: dict[str, str]) -> None:
    found = _asked(home, DAGS)
    assert found["errors"] == {}
    expected = {one.name: one for one in plans()}
    assert set(found["dags"]) == {*expected, "carbonlake_maintain", "carbonlake_audit"}
    made = {}
    for name, one in expected.items():
        tasks = found["dags"][name]["tasks"]
        assert found["dags"][name]["schedule"] == ("AssetTriggeredTimetable" if one.waits_for else
                                                   "CronTriggerTimetable" if one.cron else "NullTimetable")  # fmt: skip
        assert found["dags"][name]["deadline"] == ([one.within.days] if one.within else [])
        for task in one.tasks:
            told = tasks[task.name]
            assert told["after"] == list(task.after)
            assert told["reads"] == list(task.reads) and told["makes"] == sorted(task.tables)
            assert told["weight"] == (2 if one.lands else 1)
            assert told["retries"] == 3 and told["pool"] == "carbonlake_sail"
            made.update(dict.fromkeys(told["makes"], name))
    assert set(made) == set(graph.built())
    assert found["dags"]["carbonlake_enterprises_monthly"]["deadline"] == [45]


def test_the_demo_is_built_by_airflow_as_by_the_command_line(home: dict[str, str]) -> None:
    dropped(Path(home["CARBONLAKE_DROP"]))
    carbonlake = home["CARBONLAKE_COMMAND"]
    sources = [one.name for one in plans() if one.lands]
    derived = [one.name for one in plans() if not one.lands]
    states = _asked(home, RUN, names=sources + derived)
    assert {(name, task): state for name, tasks in states.items() for task, state in tasks.items() if state != "success"} == {}
    summary = subprocess.run([carbonlake, "run", "--json"], env=home, check=True, capture_output=True, text=True).stdout
    assert {one["status"] for one in json.loads(summary)} == {"skipped"}  # nothing is left to build
    shown = [query.sql(Lake(home["CARBONLAKE_LAKE"]), one["sql"]).to_pylist() for one in read_yaml(HEADLINES)]
    assert [(round(row["electricity_kwh"], 1), round(row["emission_kgco2"], 1)) for row in shown[0]] == BUILDING
    assert {row["rows_revised"] for row in shown[1]} == {21_703}


def test_the_commands_of_the_document_work_as_they_stand(home: dict[str, str], tmp_path: Path) -> None:
    # The second one needs a scheduler that runs: see test_scheduler.
    script, _ = [block.text for block in documents.blocks(ROOT / "docs" / "airflow.md") if block.kind == "sh"]
    clean = {name: value for name, value in home.items() if not name.startswith(("AIRFLOW", "CARBONLAKE"))}
    clean["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
    drop = tmp_path / "drop" / "cleaned.owid_co2"
    shutil.copytree(ROOT / "samples" / "deliveries" / "owid" / "co2", drop)
    done = subprocess.run(["sh", "-e", "-c", script], env=clean, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "carbonlake_index_emission_cube" in done.stdout
    assert Lake(tmp_path / "lake").open("cleaned.owid_co2") is not None


def test_a_task_that_fails_for_good_is_told_to_the_webhook(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / FORMAT_FILE).write_text('{"format": 99}')  # a lake of a later program, which this one refuses
    broken = home | {"CARBONLAKE_LAKE": str(tmp_path), "CARBONLAKE_DROP": str(tmp_path)}
    name = next(one.name for one in plans() if "cleaned.owid_co2" in one.tables)
    with webhook() as (address, received):
        states = _asked(broken | {"CARBONLAKE_ALERT_URL": address}, RUN, names=[name])
    assert states[name]["cleaned.owid_co2"] == "failed"
    assert [(one["dag"], one["task"]) for one in received] == [(name, "cleaned.owid_co2")]
    assert "keeps the version it had" in received[0]["text"]
