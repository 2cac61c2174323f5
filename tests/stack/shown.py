"""The demo's lake in a bucket, shown in a real Trino."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs import objects, trino
from jobs.lake import Lake
from jobs.publish import publish
from jobs.trino import Answer, Server
from tests import documents
from tests.stack import s3

LEFT_OUT = ("_read", "_staging", "_spill")


@dataclass(frozen=True)
class Shown:
    """A lake, the Trino that shows it, and the environment that names both."""

    lake: Lake
    at: Server
    environment: dict[str, str]

    def ask(self, sql: str) -> Answer:
        """Return what Trino answers."""
        return trino.ask(self.at, sql)

    def said(self, folder: Path, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run `carbonlake` in a folder against both; `changes` are settings."""
        settings = {f"CARBONLAKE_{name.upper()}": value for name, value in changes.items()}
        return played(["carbonlake", *words], folder, {**self.environment, **settings})


def played(words: Sequence[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command as `documents.run` does, with an environment on top."""
    return documents.run(["env", *(f"{name}={value}" for name, value in environment.items()), *words], folder)


def server(environment: dict[str, str]) -> Server:
    """Return the Trino that an environment names."""
    return trino.server(*(environment[f"CARBONLAKE_TRINO{name}"] for name in ("", "_PASSWORD", "_CA")))


def copied(folder: Path, given: dict[str, str], root: str) -> None:
    """Copy the tables of a local lake into a bucket; logs name files relative to the table."""
    client, (bucket, _, prefix) = objects.client(given), root.removeprefix("s3://").partition("/")
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        for name in files:
            path = Path(where, name)
            client.fput_object(bucket, f"{prefix}/{path.relative_to(folder).as_posix()}", str(path))


def published(folder: Path, minio: dict[str, str], trino: dict[str, str], work: Path) -> Shown:
    """Copy a local lake into a new bucket, let Trino show it, and return both."""
    given = s3.options(minio)
    root = f"s3://{s3.bucket(given)}/lake"
    copied(folder, given, root)
    environment = {**minio, **trino, "CARBONLAKE_LAKE": root, "CARBONLAKE_WORK": str(work)}
    found = Shown(Lake(root, given, work), server(trino), environment)
    # Another run of the tests may have left its names in a home that stays.
    done = publish(found.at, found.lake, replace=True)
    assert not done.problems, done.problems
    return found
