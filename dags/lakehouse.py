"""The DAGs that Airflow finds here: one per theme and cadence, made from the contracts; tasks call the command line."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Asset, AssetAny, DeadlineAlert, DeadlineReference, Param, SyncCallback, TaskGroup
from airflow.sdk import CronPartitionTimetable as Months
from airflow.sdk import PartitionedAssetTimetable as MonthsOf
from airflow.timetables.trigger import CronTriggerTimetable

from conf import settings
from dags import commands
from dags.alert import failed, late
from dags.months import by_month, partitioned
from dags.plan import USUAL, Plan, Task, plans
from schemas.contracts import contracts

SETTINGS = settings.load()
START = datetime(2000, 1, 1, tzinfo=UTC)  # months before it can't be backfilled
# Airflow 3.3 ends `airflow dags test` of a DAG that has a deadline with a trace, though the run succeeded (apache/airflow#73428).
TRIED = sys.argv[1:3] == ["dags", "test"]
WAITS = 3  # exit code of `carbonlake run`: a table waits for a delivery, or for an input
# A build that is tried again, or meets another one, gives the same table, so that retries do no harm.
DEFAULTS: dict[str, Any] = {
    "owner": "carbonlake",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=30),
    "execution_timeout": timedelta(hours=6),
    "on_failure_callback": failed,
    "weight_rule": "absolute",
}
# Where slots are few, what comes in is built before what is made from it: that is then made once.
FIRST = 2
MONTH = r"^(\d{4}-(0[1-9]|1[0-2]))?$"
_bash = partial(BashOperator, cwd=commands.HOME, append_env=True)


@cache
def asset(table: str) -> Asset:
    """Return a table as Airflow knows it."""
    return Asset(name=table, uri=f"carbonlake://{table.replace('.', '/')}", group=table.split(".")[0])


def dag(plan: Plan) -> DAG:
    """Return the DAG of a plan: its tables, grouped by layer, then the DAGs it has to start."""
    with _opened(plan.name, _schedule(plan), _told(plan), deadline=_deadline(plan), params=_params(plan),
                 default_args=DEFAULTS | ({"priority_weight": FIRST} if plan.lands else {})) as made:  # fmt: skip
        chosen = commands.choices(plan)
        groups = {layer: TaskGroup(layer, prefix_group_id=False) for layer in dict.fromkeys(task.layer for task in plan.tasks)}
        built = {task.name: _build(task, groups[task.layer], chosen) for task in plan.tasks}
        for task in plan.tasks:
            built[task.name].set_upstream([built[name] for name in task.after])
        for name in plan.starts:
            _start(name).set_upstream(list(built.values()))
    return made


def maintenance() -> DAG:
    """Return the DAG that keeps the tables small and quick."""
    told = "Compaction, checkpoints and vacuum; never takes a version still needed."
    with _opened("carbonlake_maintain", CronTriggerTimetable("0 4 * * 0", timezone=USUAL), told) as made:
        _bash(task_id="maintain", bash_command=commands.words("maintain"))
    return made


def audit() -> DAG:
    """Return the DAG that reports on every check, fails where a table is stale or a source is not well, and sends reminders."""
    told = "Every check of every table as pages that open offline; a stale table, or a source that is not well, is an alert."
    with _opened("carbonlake_audit", CronTriggerTimetable("0 6 * * *", timezone=USUAL), told) as made:
        _bash(task_id="quality_report", bash_command=commands.words("quality", "report"))
        # What is stale stays so for a retry.
        _bash(task_id="freshness", bash_command=commands.words("freshness"), retries=0)
        _bash(task_id="sources", bash_command=commands.words("sources", "health", "--keep"), retries=0)
        _bash(task_id="reminders", bash_command=commands.words("sources", "remind"))
    return made


def _opened(name: str, schedule: Any, told: str, **more: Any) -> DAG:
    return DAG(name, schedule=schedule, start_date=START, catchup=False, max_active_runs=1, tags=["carbonlake"], doc_md=told,
               **{"default_args": DEFAULTS, **more})  # fmt: skip


def _schedule(plan: Plan) -> Any:
    if plan.waits_for:
        tables = AssetAny(*(asset(table) for table in plan.waits_for))
        return MonthsOf(assets=tables) if plan.keyed else tables
    if plan.keyed:  # the run of a month comes with the next one
        return Months(plan.cron, timezone=plan.timezone, run_offset=-1, key_format="%Y-%m")
    return CronTriggerTimetable(plan.cron, timezone=plan.timezone) if plan.cron else None


def _deadline(plan: Plan) -> DeadlineAlert | None:
    """Return the alert for a run that has not ended before the first of its tables is stale."""
    if not plan.within or TRIED:
        return None
    callback = SyncCallback(late, kwargs={"within": str(plan.within)})
    return DeadlineAlert(reference=DeadlineReference.DAGRUN_QUEUED_AT, interval=plan.within, callback=callback)


def _params(plan: Plan) -> dict[str, Param]:
    params = {"force": Param(False, type="boolean", description="Build even what is up to date")}
    if any(map(partitioned, plan.tables)):
        told = "A month, e.g. 2026-01: only its deliveries are taken in, and tables made from others are made anew for it"
        params["month"] = Param("", type="string", pattern=MONTH, description=told)
    return params


def _told(plan: Plan) -> str:
    rows = [f"| `{table}` | {contracts()[table].description} | `carbonlake lineage {table}` |" for table in plan.tables]
    return "\n".join(["| table | what it is | where it comes from |", "|---|---|---|", *rows])


def _start(name: str) -> TriggerDagRunOperator:
    return TriggerDagRunOperator(task_id=f"start_{name}", trigger_dag_id=name, trigger_rule="none_failed_min_one_success")


def _build(task: Task, group: TaskGroup, chosen: dict[str, str]) -> BashOperator:
    return _bash(
        task_id=task.name,
        task_group=group,
        bash_command=commands.run(task),
        env=chosen,
        skip_on_exit_code=WAITS,
        # A source that waits for its first delivery is an empty table to those that are made from it.
        trigger_rule="none_failed",
        pool=f"carbonlake_{_engine(task)}",
        inlets=[asset(table) for table in task.reads],
        outlets=[asset(table) for table in task.tables],
        doc_md=f"`carbonlake show {task.tables[-1]}` says what it is, `carbonlake trace {task.tables[-1]}` where rows are from.",
    )


def _engine(task: Task) -> str:
    """Name the engine whose pool a task waits in: the one that a contract asks for, or that of the settings."""
    asked = [engine for table in task.tables if (engine := contracts()[table].engine)]
    if asked:
        return str(asked[0])
    return "shared" if SETTINGS.engine.startswith("sc://") else "sail" if SETTINGS.engine == "sail" else "spark"


PLANS = by_month(plans(SETTINGS.paused.replace(",", " ").split()))
for made in [*map(dag, PLANS), maintenance(), audit()]:
    globals()[made.dag_id] = made
