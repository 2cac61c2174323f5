"""A build in a process of its own, to be killed: at a named point, or at any moment from outside."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import resource
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from jobs import build, cleaned, commit, land
from jobs.lake import Lake
from jobs.run import run
from jobs.session import engine
from schemas import rooms
from schemas.errors import UserError

# Forked from a server that has imported everything and used nothing, a build is under way in a tenth of a second.
WARM = ["tests.jobs.killed", "pandas", "pysail.spark", "pyspark.sql.connect.session", "pyspark.sql.connect.functions"]


def start(lake: Lake, terms: Sequence[str], point: str = "", nth: int = 1, ready: Path | None = None) -> ForkServerProcess:
    """Start a build; it dies when it comes to a failpoint for the nth time, and touches `ready` when it begins."""
    return fork(work, str(lake.root), os.environ[rooms.VARIABLE], list(terms), point, nth, str(ready or ""))


def fork(target: Any, *arguments: Any) -> ForkServerProcess:
    """Start a process from the warm server."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(WARM)
    process = context.Process(target=target, args=arguments)
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


def serve(pipe: Connection) -> None:
    """Serve an engine, and send its port."""
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    pipe.send(server.listening_address[1])
    pipe.recv()


def limited(root: str, project: str, terms: Sequence[str], size: int, user: int, pipe: Connection) -> None:
    """Build where no file may grow beyond a size (0: any), as another user (0: as now), and send how tables ended."""
    os.environ[rooms.VARIABLE] = project
    # Another user may not read where packages are installed; the server may have been started without them.
    for module in WARM:
        importlib.import_module(module)
    if user:
        os.setuid(user)
    if size:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    with engine("sail", memory="1g") as opened:
        try:
            pipe.send([(one.table, one.status, one.reason) for one in run(Lake(root), opened, terms, workers=1)])
        except UserError as error:
            pipe.send([("", "failed", str(error))])


def write(root: str, project: str, table: str, files: Sequence[str], pipe: Connection) -> None:
    """Land files one by one, building after each, and send what was acknowledged: file, how its build ended."""
    os.environ[rooms.VARIABLE] = project
    lake = Lake(root)
    with engine("sail", memory="1g") as opened:
        pipe.recv()
        for path in files:
            land.land(lake, path, table)
            (ended,) = run(lake, opened, [table], workers=1)
            pipe.send((path, ended.status, ended.reason))
    pipe.send(None)
