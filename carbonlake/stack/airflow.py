"""Airflow: API and pages, scheduler, DAG processor and triggerer on PostgreSQL, from its own environment of packages."""

from __future__ import annotations

import json
import os
import shutil
import sys
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from carbonlake.stack import parts, postgres, processes, versions
from carbonlake.stack.home import address, folder, secret, secret_file, write
from carbonlake.stack.missing import Missing
from schemas.rooms import SHIPPED
from schemas.rooms import VARIABLE as PROJECT

NEEDS = ("minio", "postgres")
# Tasks run below the scheduler. Logs are read from this machine's disk, so that nobody need serve them.
SERVERS = {"airflow-api": ("api-server",), "airflow-scheduler": ("scheduler", "--skip-serve-logs"),
           "airflow-dags": ("dag-processor",), "airflow-triggerer": ("triggerer", "--skip-serve-logs")}  # fmt: skip
PROCESSES = tuple(SERVERS)
VARIABLE = "CARBONLAKE_AIRFLOW"
USER = "carbonlake"
DAGS = SHIPPED / "dags"


def program() -> Path | None:
    """Return the command of Airflow: of the environment that CARBONLAKE_AIRFLOW names, the one made here, or the path."""
    return next((found for found in _programs() if found.exists()), None)


def _programs() -> Iterator[Path]:
    if named := os.environ.get(VARIABLE):
        yield Path(named) / "bin" / "airflow"
    yield SHIPPED / ".venv-airflow" / "bin" / "airflow"
    yield Path(sys.executable).with_name("airflow")
    if found := shutil.which("airflow"):
        yield Path(found)


def prerequisites() -> list[Missing]:
    """Name Airflow if it is not installed."""
    if program():
        return []
    remedy = f"`make airflow`, or let {VARIABLE} name the folder of an environment that has it and carbonlake"
    return [Missing(f"Airflow {versions.AIRFLOW}", "it has an environment of packages of its own", remedy)]


def prepare(home: Path) -> None:
    """Make or bring forward its tables in PostgreSQL, and the pools of our DAGs; nothing if that was done."""
    folder(home, "airflow", "work")
    write(home / "secrets" / "airflow-passwords", json.dumps({USER: secret(home, "airflow")}))
    pools = DAGS / "pools.json"
    made = home / "airflow" / "made"
    done = f"{versions.AIRFLOW} {sha256(pools.read_bytes()).hexdigest()}"
    if made.exists() and made.read_text(encoding="utf-8") == done:
        return
    for words in (["db", "migrate"], ["pools", "import", str(pools)]):
        processes.run([str(program()), *words], home / "logs" / "airflow-made.log", what=f"airflow {words[0]}",
                      env=_environment(home), cwd=home / "airflow")  # fmt: skip
    write(made, done)


def start(home: Path) -> None:
    """Start the four servers; their tasks have the environment of `carbonlake stack env`."""
    processes.choose_port(home, "airflow-api", "airflow-api")
    env = {**_environment(home), **parts.environment(home, [name for name in parts.NAMES if name != "airflow"])}
    if project := os.environ.get(PROJECT):
        env[PROJECT] = str(Path(project).absolute())
    for name, words in SERVERS.items():
        processes.start(home, "airflow", name, [str(program()), *words], env=env, cwd=home / "airflow")


def fernet_file(home: Path) -> Path:
    """Return the file of the key with which Airflow encrypts what it keeps of others' credentials."""
    return secret_file(home, "airflow-fernet", lambda: urlsafe_b64encode(os.urandom(32)).decode())


def _environment(home: Path) -> dict[str, str]:
    """Return the settings of Airflow and of our DAGs."""
    at = url(home)
    return {
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__FERNET_KEY": fernet_file(home).read_text(encoding="utf-8"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "secrets" / "airflow-passwords"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{at}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": postgres.with_password(home, "airflow", "postgresql+psycopg2"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": address(home, "airflow-api").rpartition(":")[2],
        "AIRFLOW__API__BASE_URL": at,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secret(home, "airflow-sessions"),
        "AIRFLOW__API_AUTH__JWT_SECRET": secret(home, "airflow-tokens"),
        "CARBONLAKE_COMMAND": str(Path(sys.executable).with_name("carbonlake")),
        "CARBONLAKE_HOME": str(home / "airflow" / "work"),
        "CARBONLAKE_DROP": str(home / "drop"),
    }


def healthy(home: Path) -> bool:
    """Tell whether the database answers and every server has given a sign of life."""
    with urllib.request.urlopen(f"{url(home)}/api/v2/monitor/health", timeout=10) as answer:
        told = json.load(answer)
    return all(told[name]["status"] == "healthy" for name in ("metadatabase", "scheduler", "dag_processor", "triggerer"))


def settle(home: Path) -> None:
    """Make the folder in which people drop deliveries."""
    folder(home, "drop")


def url(home: Path) -> str:
    """Return the address of its pages and API."""
    return f"http://{address(home, 'airflow-api')}"


def environment(home: Path) -> dict[str, str]:
    """Return what the command `airflow` needs, and the drop folder of the DAGs."""
    return {**_environment(home), "CARBONLAKE_AIRFLOW_URL": url(home), "CARBONLAKE_AIRFLOW_PASSWORD": secret(home, "airflow")}
