"""The DAGs that Airflow finds here: one per theme and cadence, made from the contracts; tasks call the command line."""

from __future__ import annotations

import os
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset, AssetAny, Param, TaskGroup
from airflow.timetables.trigger import CronTriggerTimetable

from conf import settings
from dags.alert import failed
from dags.plan import USUAL, Plan, Task, plans
from schemas.contracts import contracts

# The command may live in an environment of its own: Airflow and the engines need not share one.
COMMAND = shlex.quote(os.environ.get("CARBONLAKE_COMMAND", "carbonlake"))
# Where commands run: relative paths of the settings count from here.
HOME = os.environ.get("CARBONLAKE_HOME", str(Path.cwd()))
SETTINGS = settings.load()
START = datetime(2026, 1, 1, tzinfo=UTC)
WAITS = 3  # exit code of `carbonlake run`: a table that was named waits for a delivery
FORCE = "{{ ' --force' if params.force else '' }}"
# A build that is tried again, or meets another one, gives the same table, so that retries do no harm.
DEFAULTS: dict[str, Any] = {
    "owner": "carbonlake",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=30),
    "execution_timeout": timedelta(hours=6),
    "on_failure_callback": failed,
}
UPKEEP = {
    "carbonlake_maintain": ("0 4 * * 0", "maintain", "Compaction, checkpoints and vacuum; never takes a version still needed."),
    "carbonlake_audit": ("0 6 * * *", "quality report", "Every check of every table as pages that open offline."),
}


def asset(table: str) -> Asset:
    """Return a table as Airflow knows it."""
    return Asset(name=table, uri=f"carbonlake://{table.replace('.', '/')}", group=table.split(".")[0])


def dag(plan: Plan) -> DAG:
    """Return the DAG of a plan: its drop folders first, then its tables, grouped by layer."""
    with _opened(plan.name, _schedule(plan), _told(plan)) as made:
        before = [_land(plan)] if plan.lands else []
        groups = {layer: TaskGroup(layer, prefix_group_id=False) for layer in dict.fromkeys(task.layer for task in plan.tasks)}
        built = {task.name: _build(task, groups[task.layer]) for task in plan.tasks}
        for task in plan.tasks:
            built[task.name].set_upstream([built[name] for name in task.after] or before)
    return made


def upkeep(name: str) -> DAG:
    """Return a DAG that looks after the lake as a whole."""
    cron, words, told = UPKEEP[name]
    with _opened(name, CronTriggerTimetable(cron, timezone=USUAL), told) as made:
        BashOperator(task_id=words.replace(" ", "_"), bash_command=f"{COMMAND} {words}", cwd=HOME)
    return made


def _opened(name: str, schedule: Any, told: str) -> DAG:
    force = Param(False, type="boolean", description="Build even what is up to date")
    return DAG(name, schedule=schedule, start_date=START, catchup=False, max_active_runs=1, default_args=DEFAULTS,
               params={"force": force}, tags=["carbonlake"], doc_md=told)  # fmt: skip


def _schedule(plan: Plan) -> Any:
    if plan.waits_for:
        return AssetAny(*(asset(table) for table in plan.waits_for))
    return CronTriggerTimetable(plan.cron, timezone=plan.timezone) if plan.cron else None


def _told(plan: Plan) -> str:
    rows = [f"| `{table}` | {contracts()[table].description} | `carbonlake lineage {table}` |" for table in plan.tables]
    return "\n".join(["| table | what it is | where it comes from |", "|---|---|---|", *rows])


def _land(plan: Plan) -> BashOperator:
    """Take in what lies in the drop folders of the plan's tables; a folder that is not there is no error."""
    steps = [f"{COMMAND} land --source {table}" for table in plan.lands]
    return BashOperator(task_id="land", bash_command="set -e\n" + "\n".join(steps), cwd=HOME)


def _build(task: Task, group: TaskGroup) -> BashOperator:
    return BashOperator(
        task_id=task.name,
        task_group=group,
        bash_command=f"{COMMAND} run {' '.join(task.tables)}{FORCE}",
        skip_on_exit_code=WAITS,
        # A source that waits for its first delivery is an empty table to those that are made from it.
        trigger_rule="none_failed",
        pool=f"carbonlake_{_engine(task)}",
        inlets=[asset(table) for table in task.reads],
        outlets=[asset(table) for table in task.tables],
        cwd=HOME,
        doc_md=f"`carbonlake show {task.tables[-1]}` says what it is, `carbonlake trace {task.tables[-1]}` where rows are from.",
    )


def _engine(task: Task) -> str:
    """Name the engine whose pool a task waits in: the one that a contract asks for, or that of the settings."""
    asked = [engine for table in task.tables if (engine := contracts()[table].engine)]
    return str(asked[0] if asked else "sail" if SETTINGS.engine == "sail" else "spark")


for made in [*map(dag, plans()), *map(upkeep, UPKEEP)]:
    globals()[made.dag_id] = made
