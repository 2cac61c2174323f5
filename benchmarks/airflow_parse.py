"""How long Airflow takes to make all DAGs anew from 500 contracts: `python -m benchmarks.airflow_parse` with Airflow's Python."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from benchmarks.result import Result, Row, Setting, as_json, said
from benchmarks.side import ROOT, watched

PYTHON = ROOT / ".venv-airflow" / "bin" / "python"
TABLES = 500
SOURCE = """description: Electricity of the meters of district {number}
owner: energy
source: {{zone: district_{zone}, path: "{number}/*.csv", format: csv, publisher: us, licence: CC0-1.0, schedule: daily}}
key: [meter_id, date]
write: merge
columns:
  meter_id: {{type: string, description: Meter, from: [meter, 表号]}}
  date: {{from: day}}
  electricity_kwh: {{from: kwh}}
  heat_gj: {{type: "decimal(28,6)", unit: GJ, description: Heat, from: heat}}
rules:
  - {{rule: at_least, column: electricity_kwh, limit: 0}}
  - {{rule: at_least, column: heat_gj, limit: 0}}
balance: [electricity_kwh, heat_gj]
freshness: 36h
"""
DERIVED = """description: Electricity of district {number}
owner: energy
inputs: [{inputs}]
key: [date]
columns:
  date: {{}}
  electricity_kwh: {{}}
rules:
  - {{rule: at_least, column: electricity_kwh, limit: 0}}
"""


def parse(setting: Setting) -> Result:
    """Measure a fresh process that has Airflow imported, as the DAG processor's have when they fork."""
    project = _project(setting.cache / "contracts500")
    runs = [watched([str(PYTHON), "-m", "benchmarks.airflow_parse"], str(project)) for _ in range(max(3, setting.repeats))]
    tables = int(runs[0].says["tables"])
    if tables < TABLES or any(run.says["errors"] for run in runs):
        raise RuntimeError(f"the DAGs did not load: {runs[0].says}")
    note = f"{runs[0].says['dags']} DAGs, {runs[0].says['tasks']} tasks; {said(runs, 'cpu'):.2f} s of processor time"
    row = Row(f"all DAGs made from {tables} contracts", "–", said(runs, "seconds"), None, 1, "s", note=note)
    return Result("airflow_parse", (row,), f"no import error, {tables} tables in them", as_json(ours=runs))


def _project(folder: Path) -> Path:
    """Write a project with as many sources as tables made from them, ten to a zone, five to a group."""
    for number in range(TABLES // 2):
        inputs = [f"cleaned.meter_{number}", *([f"thematic.load_{number - 1}"] if number % 5 else [])]
        for layer, name, text in (("cleaned", "meter", SOURCE), ("thematic", "load", DERIVED)):
            path = folder / "schemas" / layer / f"{name}_{number}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.format(number=number, zone=number // 10, inputs=", ".join(inputs)), encoding="utf-8")
    return folder


def main() -> None:
    """Parse once and print what it took as JSON."""
    os.environ.setdefault("AIRFLOW_HOME", str(ROOT / "build" / "bench" / "airflow-home"))
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
    import airflow.providers.standard.operators.bash
    import airflow.providers.standard.operators.trigger_dagrun
    import airflow.sdk
    import airflow.timetables.trigger  # noqa: F401
    from airflow.dag_processing.dagbag import DagBag

    began, used = time.perf_counter(), time.process_time()
    bag = DagBag(str(ROOT / "dags"))
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    tasks = sum(len(dag.tasks) for dag in bag.dags.values())
    tables = len({outlet.name for dag in bag.dags.values() for task in dag.tasks for outlet in task.outlets})
    print(json.dumps({"seconds": seconds, "cpu": cpu, "dags": len(bag.dags), "tasks": tasks, "tables": tables,
                      "errors": {str(k): str(v) for k, v in bag.import_errors.items()}}))  # fmt: skip


if __name__ == "__main__":
    main()
