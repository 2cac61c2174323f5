"""A build in a process of its own, to be killed: at a named point, or at any moment from outside."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from jobs import build, cleaned, commit
from jobs.lake import Lake
from jobs.run import run
from jobs.session import engine
from schemas import rooms

# Forked from a server that has imported everything and used nothing, a build is under way in a tenth of a second.
WARM = ["tests.jobs.killed", "pandas", "pysail.spark", "pyspark.sql.connect.session", "pyspark.sql.connect.functions"]


def start(lake: Lake, terms: Sequence[str], point: str = "", nth: int = 1, ready: Path | None = None) -> ForkServerProcess:
    """Start a build; it dies when it comes to a failpoint for the nth time, and touches `ready` when it begins."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(WARM)
    arguments = (str(lake.root), os.environ[rooms.VARIABLE], list(terms), point, nth, str(ready or ""))
    process = context.Process(target=work, args=arguments)
    process.start()
    return process


def work(root: str, project: str, terms: Sequence[str], point: str, nth: int, ready: str) -> None:
    """Build, with an engine of its own."""
    os.environ[rooms.VARIABLE] = project
    left = nth

    def failpoint(name: str) -> None:
        nonlocal left
        left -= name == point
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for module in (build, cleaned, commit):
        module.failpoint = failpoint  # type: ignore[attr-defined]
    with engine("sail", memory="1g") as opened:
        if ready:
            Path(ready).touch()
        run(Lake(root), opened, terms, workers=1)
