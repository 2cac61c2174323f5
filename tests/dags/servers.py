"""A real Airflow on this machine: PostgreSQL, scheduler, DAG processor and API, each of which can be killed and started."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from carbonlake.stack import airflow as parts
from carbonlake.stack import postgres, processes
from carbonlake.stack.home import port
from carbonlake.stack.missing import error
from schemas.contracts import contracts
from schemas.rooms import SHIPPED

# What waits is waited for in seconds, not minutes; who starts tasks for its tests sees at once when one has gone.
QUICK = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "5",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
}
ENGINE = "engine"
STARTED = ("airflow-api", "airflow-dags", "airflow-scheduler")  # nothing of ours needs the triggerer
PATIENCE = 300.0
T = TypeVar("T")


@dataclass
class Servers:
    """What runs in a home of `carbonlake stack`, and the environment that commands and tasks have."""

    home: Path
    environment: dict[str, str]
    token: str = ""

    @property
    def work(self) -> Path:
        """The folder that tasks run in."""
        return Path(self.environment["CARBONLAKE_HOME"])

    def start(self, name: str) -> None:
        """Start a server of Airflow, the database, or the engine that tasks share."""
        if name == "postgres":
            postgres.start(self.home)
            until(lambda: postgres.healthy(self.home), "the database answers")
        elif name == ENGINE:
            words = [self.environment["CARBONLAKE_COMMAND_OF_ENGINE"], "engine", "serve", "--port", str(port(self.home, ENGINE))]
            processes.start(self.home, ENGINE, ENGINE, words, env=self.environment)
        else:
            words = [str(parts.program()), *parts.SERVERS[name]]
            processes.start(self.home, "airflow", name, words, env=self.environment, cwd=self.work)

    def pid(self, name: str) -> int:
        """Return the id of a server's process."""
        return int(processes.records(self.home)[name]["pid"])

    def kill(self, name: str) -> None:
        """End a server and its group at once, as by kill -9."""
        os.killpg(self.pid(name), signal.SIGKILL)
        until(lambda: not processes.running(self.home, name), f"{name} is gone")

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the environment of the tasks."""
        environment = {**os.environ, **self.environment}
        return subprocess.run(words, env=environment, cwd=self.work, capture_output=True, text=True, check=False)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the API and return its answer."""
        root = self.environment["CARBONLAKE_AIRFLOW_URL"]
        if not self.token:
            who = {"username": parts.USER, "password": self.environment["CARBONLAKE_AIRFLOW_PASSWORD"]}
            self.token = _asked("POST", f"{root}/auth/token", who, {})["access_token"]
        return _asked(method, f"{root}/api/v2/{path}", body, {"Authorization": f"Bearer {self.token}"})

    def unpause(self, *dags: str) -> None:
        """Let DAGs run."""
        for dag in dags:
            self.ask("PATCH", f"dags/{dag}", {"is_paused": False})

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """Return the runs of a DAG."""
        return list(self.ask("GET", f"dags/{dag}/dagRuns?limit=100")["dag_runs"])

    def tasks(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        """Return the tasks of a run by name."""
        found = self.ask("GET", f"dags/{dag}/dagRuns/{run}/taskInstances?limit=100")["task_instances"]
        return {one["task_id"]: one for one in found}

    def play(self, dag: str) -> str:
        """Let a DAG run now and return the id of the run."""
        self.unpause(dag)
        return str(self.ask("POST", f"dags/{dag}/dagRuns", {"logical_date": None})["dag_run_id"])

    def ended(self, dag: str, run: str, patience: float = PATIENCE) -> str:
        """Wait until a run has ended and return how."""
        return until(lambda: _over(self.ask("GET", f"dags/{dag}/dagRuns/{run}")["state"]), f"{run} of {dag} ends", patience)

    def quiet(self, names: Iterable[str]) -> bool:
        """Tell whether every run of DAGs has ended and no table that has changed still waits for one."""
        known = list(names)
        if any(not _over(run["state"]) for name in known for run in self.runs(name)):
            return False
        return not any(map(self._waits, known))

    def _waits(self, name: str) -> bool:
        """Tell whether events wait for a DAG; the API knows no empty list of them."""
        try:
            return bool(self.ask("GET", f"dags/{name}/assets/queuedEvents")["total_entries"])
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            return False


def dropped(folder: Path) -> Path:
    """Put the sample deliveries where people drop them, a folder for each table, and return the folder."""
    for table, one in contracts().items():
        for path in (SHIPPED / "samples" / "deliveries" / one.source.zone).glob(one.source.path) if one.source else ():
            target = folder / table / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return folder


def _over(state: str) -> str:
    return state if state in ("success", "failed") else ""


def _asked(method: str, url: str, body: Any, headers: Mapping[str, str]) -> Any:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {**headers, "Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        found = answer.read()
    return json.loads(found) if found else None


def until(look: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """Look until something is there and return it; raise RuntimeError when it does not come. Who is down may be back."""
    end, error = time.monotonic() + patience, ""
    while time.monotonic() < end:
        try:
            if found := look():
                return found
        except (OSError, urllib.error.HTTPError) as caught:
            error = f" ({type(caught).__name__}: {caught})"
        time.sleep(0.5)
    raise RuntimeError(f"waited {patience:.0f} s in vain until {what}{error}")


@contextmanager
def airflow(**environment: str) -> Iterator[Servers]:
    """Run Airflow with LocalExecutor on a PostgreSQL of its own, a lake on disk, and an engine that its tasks share.

    Everything is gone when the block ends; `environment` lies on top of what the processes get.
    """
    home = Path(tempfile.mkdtemp(prefix="carbonlake-airflow-"))
    home.chmod(0o711)  # the user that PostgreSQL runs as passes through
    try:
        if lacking := [*postgres.prerequisites(), *parts.prerequisites()]:
            raise error(lacking)
        postgres.prepare(home)
        servers = Servers(home, {})
        servers.start("postgres")
        postgres.settle(home)
        servers.environment = _environment(home) | environment
        parts.prepare(home)
        for name in (ENGINE, *STARTED):
            servers.start(name)
        until(lambda: servers.ask("GET", "dags?limit=500")["total_entries"], "the DAGs are there")
        yield servers
    finally:
        for part in ("airflow", ENGINE, "postgres"):
            processes.stop(home, part)
        shutil.rmtree(home, ignore_errors=True)


def _environment(home: Path) -> dict[str, str]:
    processes.choose_port(home, "airflow-api", "airflow-api")
    engine = processes.choose_port(home, ENGINE, ENGINE)
    found = parts.environment(home)
    return {**found, **QUICK, "CARBONLAKE_LAKE": str(home / "lake"), "CARBONLAKE_ENGINE": f"sc://127.0.0.1:{engine}",
            "CARBONLAKE_COMMAND_OF_ENGINE": found["CARBONLAKE_COMMAND"]}  # fmt: skip
