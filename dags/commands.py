"""What tasks do: commands of the shell. What a person chose for a run comes by the environment, never in the text."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from dags.months import partitioned
from dags.plan import Plan, Task

# The command may live in an environment of its own: Airflow and the engines need not share one.
COMMAND = os.environ.get("CARBONLAKE_COMMAND", "carbonlake")
# Where commands run: relative paths of the settings count from here.
HOME = os.environ.get("CARBONLAKE_HOME", str(Path.cwd()))
ALL = "all"  # of what lies in a drop folder
CHOSEN = '${FORCE:+--force} ${MONTH:+--month "$MONTH"} ${LAND:+--land "$LAND"}'


def words(*given: str) -> str:
    """Return one command."""
    return shlex.join([COMMAND, *given])


def run(task: Task) -> str:
    """Return what builds the tables of a task, which shows its summary, and then where to look on."""
    look = "\n".join(f"{table}: {_looked_into(table)}" for table in task.tables)
    return f"{words('run', *task.tables)} {CHOSEN}\nended=$?\ncat <<'LOOK'\n{look}\nLOOK\nexit $ended"


def _looked_into(table: str) -> str:
    picture = f"build/lineage/{table}.svg"
    return (f"table `{words('show', table)}`, versions `{words('history', table)}`, lineage "
            f"`{words('lineage', table, '--picture', picture)}` → file://{HOME}/{picture}, "
            f"quality report file://{HOME}/build/quality/index.html")  # fmt: skip


def choices(plan: Plan) -> dict[str, str]:
    """Return the environment of tasks: what was chosen for a run by hand, and the month that a run stands for.

    Deliveries are taken in as they come, whatever their month; only a backfill, or a person, goes month by month.
    """
    # All are always set: a variable of that name in the scheduler's own environment must not choose.
    chosen = {"FORCE": "{{ '1' if params.force else '' }}", "MONTH": "", "LAND": ALL if plan.lands else ""}
    if any(map(partitioned, plan.tables)):
        key = "dag_run.partition_key" if plan.keyed else "''"
        chosen["MONTH"] = f"{{{{ params.month or {key} or '' }}}}"
        if plan.lands:
            backfilled = f"({key} if dag_run.run_type == 'backfill' else '')"
            chosen["LAND"] = f"{{{{ params.month or {backfilled} or '{ALL}' }}}}"
    return chosen
