"""The real components for the tests of this folder, each started when a test first asks for it, in one home.

Where CARBONLAKE_STACK_HOME is set, what runs there is used, and left running; else the home is a new one and all of it
ends with the tests. A fixture returns the environment of its part, as `carbonlake stack env` prints it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from carbonlake.stack import parts
from carbonlake.stack import postgres as server
from carbonlake.stack.home import VARIABLE, port
from tests.stack.shown import Shown, published

Environment = dict[str, str]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder: it needs servers."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def stack() -> Iterator[Path]:
    """Return the home of the tests' stack."""
    if given := os.environ.get(VARIABLE):
        yield Path(given)
        return
    # Not below pytest's folder, through which the user that PostgreSQL runs as may not pass.
    home = Path(tempfile.mkdtemp(prefix="carbonlake-stack-"))
    home.chmod(0o711)
    yield home
    parts.down(home, None, lambda part, what: None)
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def brought(stack: Path) -> Callable[[str], Environment]:
    """Return what brings a part up, with what it needs, and gives its environment."""

    def bring(name: str) -> Environment:
        parts.up(stack, [name], lambda part, what: None)
        return parts.part(name).environment(stack)

    return bring


@pytest.fixture(scope="session")
def minio(brought: Callable[[str], Environment]) -> Environment:
    """Return CARBONLAKE_LAKE and CARBONLAKE_STORAGE_OPTIONS for a bucket of a real MinIO."""
    return brought("minio")


@pytest.fixture(scope="session")
def trino(brought: Callable[[str], Environment], minio: Environment) -> Environment:
    """Return CARBONLAKE_TRINO, its password, CA and rules, of a real Trino whose catalog is the bucket of `minio`."""
    return brought("trino")


@pytest.fixture(scope="session")
def shown(minio: Environment, trino: Environment, demo_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Return the demo's lake in a bucket of its own, published in `trino`; several modules look at it, none breaks it."""
    return published(demo_lake, minio, trino, tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="session")
def postgres(brought: Callable[[str], Environment]) -> Environment:
    """Return CARBONLAKE_DATABASE, the address of a database of a real PostgreSQL, password included."""
    return brought("postgres")


@pytest.fixture
def replicating(stack: Path, postgres: Environment) -> Iterator[None]:
    """Let the user of `postgres` read the log of changes."""
    where = {"host": str(server.place(stack)), "port": port(stack, "postgres"), "user": server.OWNER, "dbname": "postgres"}
    with psycopg.connect(**where, autocommit=True) as owner:
        owner.execute("alter role carbonlake replication")
        yield
        owner.execute("alter role carbonlake noreplication")


@pytest.fixture(scope="session")
def spark_cluster(brought: Callable[[str], Environment], minio: Environment) -> Environment:
    """Return CARBONLAKE_ENGINE, a Connect server on a master and two workers that reads the bucket of `minio`."""
    return brought("spark")


@pytest.fixture(scope="session")
def airflow(brought: Callable[[str], Environment], minio: Environment, postgres: Environment) -> Environment:
    """Return the settings of a real Airflow on `postgres`, whose tasks keep the lake in the bucket of `minio`."""
    return brought("airflow")


@pytest.fixture(scope="session")
def mosquitto(brought: Callable[[str], Environment]) -> Environment:
    """Return CARBONLAKE_MQTT and its password, of a real broker."""
    return brought("mosquitto")


@pytest.fixture(scope="session")
def kafka(brought: Callable[[str], Environment]) -> Environment:
    """Return CARBONLAKE_KAFKA, user and password, of a real Kafka."""
    return brought("kafka")
