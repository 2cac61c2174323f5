"""What docs/stack.md says is so: its commands, typed as they stand; and Docker's file is one that Docker takes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from carbonlake.stack import parts
from schemas.rooms import SHIPPED
from tests import documents

# The library that `docker compose config` reads files with; its command does the same without Docker.
READER = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"


@pytest.fixture
def users() -> Iterator[Path]:
    """Return a folder as a user's data folder, in which PostgreSQL's user may pass; what runs there ends."""
    folder = Path(tempfile.mkdtemp(prefix="carbonlake-user-"))
    folder.chmod(0o711)
    yield folder
    parts.down(folder / "carbonlake" / "stack", None, lambda part, what: None)
    shutil.rmtree(folder)


def test_the_commands_of_the_document_work_as_they_stand(users: Path, tmp_path: Path) -> None:
    script = "\n".join(block.text for block in documents.blocks(SHIPPED / "docs" / "stack.md") if block.kind == "sh")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CARBONLAKE"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
    done = subprocess.run(["sh", "-e", "-c", script], env=clean | {"XDG_DATA_HOME": str(users), "PATH": path}, cwd=tmp_path,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "10,583.4" in done.stdout and "hourly" in done.stdout and "lines" in done.stdout
    home = users / "carbonlake" / "stack"
    assert (home / "minio" / "carbonlake" / "lake").is_dir() and not (tmp_path / "lake").exists()
    assert {parts.state(home, name) for name in parts.NAMES} == {"stopped"}


def test_docker_takes_its_file() -> None:
    file = str(SHIPPED / "docker" / "compose.yaml")
    words = ["docker", "compose", "--file", file, "config", "--format", "json"]
    if (
        not shutil.which("docker")
        or subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    ):
        words = ["go", "run", READER, "-format", "json", file]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    services = json.loads(done.stdout)["services"]
    assert {"minio", "trino", "postgres", "spark-connect", "airflow-scheduler"} <= set(services)
    assert services["trino"]["command"][0].count("/keys/secrets/") == 4
