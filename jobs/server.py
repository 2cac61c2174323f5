"""A standing embedded engine: Sail behind a port of this machine, shared by many builds, begun anew when it has grown."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psutil

from jobs.apache import free_port
from jobs.session import tune_sail
from schemas.errors import UserError

HOST = "127.0.0.1"
EVERY = 1.0  # seconds between two looks
PATIENCE = 60.0
FAREWELL = 10.0
# A build that was killed leaves its session behind; it is forgotten after six hours, longer than any build goes without a call.
FORGOTTEN = str(6 * 3600)
log = logging.getLogger("carbonlake.server")


def serve(port: int, memory: str, limit: int, up: Callable[[str], None], stop: threading.Event) -> None:
    """Serve the embedded engine on a port of this machine until `stop` is set; 0 takes a free one.

    `up` is told the URL once it answers. The engine runs in a process of its own, which is begun anew when it has died
    and, once nobody is connected, when it holds more than `limit` bytes: Sail grows with every query. Who connects
    meanwhile is let in a moment later. Raise UserError where the port is taken.
    """
    port = port or free_port()
    engine = _started(port, memory)
    up(f"sc://{HOST}:{port}")
    try:
        while not stop.wait(EVERY):
            if engine.poll() is not None:
                log.warning("the engine ended with %s and is begun anew", engine.returncode)
            elif _size(engine.pid) <= limit or _connected(engine.pid):
                continue
            else:
                log.info("the engine has grown beyond %s bytes and is begun anew", limit)
                _end(engine)
            engine = _started(port, memory)
    finally:
        _end(engine)


def _started(port: int, memory: str) -> subprocess.Popen[bytes]:
    """Start the engine in a process of its own, which ends with this one, and wait until it answers."""
    code = f"from jobs.server import hold; hold({port}, {memory!r})"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, start_new_session=True)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        if any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in _sockets(process.pid)):
            return process
        time.sleep(0.1)
    _end(process)
    raise UserError(f"the engine does not start on port {port}", where="carbonlake engine serve",
                    remedy="name another port if this one is taken; `carbonlake doctor` says what is missing")  # fmt: skip


def hold(port: int, memory: str) -> None:
    """Serve the embedded engine in this process, until who started it is gone."""
    os.environ.setdefault("SAIL_SPARK__SESSION_TIMEOUT_SECS", FORGOTTEN)
    tune_sail(memory)
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(HOST, port)  # it stops when nobody holds it
    server.start(background=True)
    sys.stdin.buffer.read()
    os._exit(0)


def _size(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _connected(pid: int) -> bool:
    return any(one.status == psutil.CONN_ESTABLISHED for one in _sockets(pid))


def _sockets(pid: int) -> list[psutil._common.pconn]:
    try:
        found: list[psutil._common.pconn] = psutil.Process(pid).net_connections(kind="tcp")
    except psutil.Error:
        return []
    return found


def _end(engine: subprocess.Popen[bytes]) -> None:
    if engine.stdin:
        engine.stdin.close()
    try:
        engine.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        os.killpg(engine.pid, signal.SIGKILL)
        engine.wait()
