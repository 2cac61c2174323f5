"""A real Airflow on this machine: PostgreSQL, scheduler, DAG processor and API, each a process that can be killed and started."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from schemas.rooms import SHIPPED

POSTGRES = Path("/usr/lib/postgresql/15/bin")
# Where the commands `airflow` and `carbonlake` are: here, or beside us.
BIN = next(place for place in (Path(sys.executable).parent, SHIPPED / ".venv-airflow" / "bin") if (place / "airflow").exists())
PARTS = ("api-server", "scheduler", "dag-processor")
PATIENCE = 300.0
T = TypeVar("T")


@dataclass
class Servers:
    """What runs, by name, with the environment that commands need and the folder of its logs."""

    home: Path
    environment: dict[str, str]
    database: Path
    ports: dict[str, int]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    token: str = ""

    def start(self, name: str) -> None:
        """Start a part of Airflow, the database, or the engine that tasks share."""
        command = {
            "postgres": _postgres(self.database, self.ports["postgres"]),
            "engine": [_carbonlake(), "engine", "serve", "--port", str(self.ports["engine"])],
        }.get(name, [_airflow(), name])
        with (self.home / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        if name in self.ports:
            until(lambda: _listens(self.ports[name]), f"{name} answers")

    def kill(self, name: str) -> None:
        """End a part and all below it at once, as by kill -9; the database as well as it can bear: its children go with it."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def command(self, *words: str) -> str:
        """Run a command of Airflow and return what it prints."""
        done = subprocess.run([_airflow(), *words], env=self.environment, capture_output=True, text=True, cwd=self.home)
        if done.returncode:
            raise RuntimeError(f"airflow {' '.join(words)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the API and return its answer."""
        root = f"http://127.0.0.1:{self.ports['api']}"
        if not self.token:
            with urllib.request.urlopen(f"{root}/auth/token", timeout=30) as answer:
                self.token = json.loads(answer.read())["access_token"]
        request = urllib.request.Request(
            f"{root}/api/v2/{path}", None if body is None else json.dumps(body).encode(), method=method,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """Return the runs of a DAG."""
        return list(self.ask("GET", f"dags/{dag}/dagRuns?limit=100")["dag_runs"])

    def tasks(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        """Return the tasks of a run by name."""
        found = self.ask("GET", f"dags/{dag}/dagRuns/{run}/taskInstances?limit=100")["task_instances"]
        return {one["task_id"]: one for one in found}

    def play(self, dag: str, **conf: Any) -> str:
        """Let a DAG run now and return the id of the run."""
        self.ask("PATCH", f"dags/{dag}", {"is_paused": False})
        return str(self.ask("POST", f"dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})["dag_run_id"])

    def ended(self, dag: str, run: str, patience: float = PATIENCE) -> str:
        """Wait until a run has ended and return how."""

        def state() -> str:
            found = str(self.ask("GET", f"dags/{dag}/dagRuns/{run}")["state"])
            return found if found in ("success", "failed") else ""

        return until(state, f"{run} of {dag} ends", patience)


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
def airflow(dags: Path = SHIPPED / "dags", **environment: str) -> Iterator[Servers]:
    """Run Airflow with LocalExecutor on a PostgreSQL of its own, and an engine that its tasks share.

    Everything is gone when the block ends; `environment` lies on top of what the processes get.
    """
    home = Path(tempfile.mkdtemp(prefix="carbonlake-airflow-"))
    home.chmod(0o755)
    ports = {"postgres": _free(), "engine": _free(), "api": _free()}
    servers = Servers(home, _environment(home, dags, ports) | environment, _cluster(home), ports)
    try:
        servers.start("postgres")
        servers.start("engine")
        _made(servers)
        for name in PARTS:
            servers.start(name)
        until(lambda: servers.ask("GET", "dags?limit=500")["total_entries"], "the DAGs are there")
        yield servers
    finally:
        for name in [*reversed(PARTS), "engine", "postgres"]:
            if name in servers.running:
                servers.kill(name)
        shutil.rmtree(home, ignore_errors=True)


def _made(servers: Servers) -> None:
    create = [str(POSTGRES / "createdb"), "-h", "127.0.0.1", "-p", str(servers.ports["postgres"]), "-U", "postgres", "airflow"]
    until(lambda: subprocess.run(create, capture_output=True).returncode == 0, "the database is made", 60)
    servers.command("db", "migrate")
    servers.command("pools", "import", str(SHIPPED / "dags" / "pools.json"))


def _environment(home: Path, dags: Path, ports: dict[str, int]) -> dict[str, str]:
    api = f"http://127.0.0.1:{ports['api']}"
    return os.environ | {
        "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://postgres@127.0.0.1:{ports['postgres']}/airflow",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor", "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API_AUTH__JWT_SECRET": "made for this test alone, and long enough for what signs with it",
        "AIRFLOW__API__PORT": str(ports["api"]), "AIRFLOW__API__HOST": "127.0.0.1", "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{api}/execution/",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20", "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "5",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15", "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300", "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "CARBONLAKE_HOME": str(home), "CARBONLAKE_LAKE": str(home / "lake"), "CARBONLAKE_DROP": str(home / "drop"),
        "CARBONLAKE_COMMAND": _carbonlake(), "CARBONLAKE_ENGINE": f"sc://127.0.0.1:{ports['engine']}",
    }  # fmt: skip


def _cluster(home: Path) -> Path:
    """Make the files of a database server, which never runs as root."""
    place = home / "postgres"
    place.mkdir(mode=0o700)
    if not os.getuid():
        shutil.chown(place, "postgres", "postgres")
    make = [str(POSTGRES / "initdb"), "-D", str(place), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    done = subprocess.run([*_as_postgres(), *make], capture_output=True, text=True, cwd="/")
    if done.returncode:
        raise RuntimeError(f"the database can't be made; Debian has it as postgresql-15:\n{done.stderr}")
    return place


def _postgres(place: Path, port: int) -> list[str]:
    return [*_as_postgres(), str(POSTGRES / "postgres"), "-D", str(place), "-p", str(port), "-h", "127.0.0.1", "-k", str(place)]


def _as_postgres() -> list[str]:
    return [] if os.getuid() else ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _airflow() -> str:
    return str(BIN / "airflow")


def _carbonlake() -> str:
    return str(BIN / "carbonlake")


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
