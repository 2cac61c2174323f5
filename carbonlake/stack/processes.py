"""The processes of a stack: each on record with its id and start time, in a group of its own, ended by that record alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from carbonlake.stack.home import HELD, folder, keep_port, port
from jobs.apache import free_port
from jobs.lake import alive
from schemas.errors import UserError

# Everything below a server has this in its environment: what it started and left behind is known by it.
MARK = "CARBONLAKE_STACK_PART"
FAREWELL = 30.0
SIGNED = 60.0
STARTS = "---- starts at"
LARGE = 50 * 2**20


def start(
    home: Path, part: str, name: str, command: Sequence[str], *,
    env: Mapping[str, str] | None = None, cwd: Path | None = None, ending: int = signal.SIGTERM,
) -> None:  # fmt: skip
    """Start a process of a part unless it runs; one that runs with another command or environment is started anew.

    `ending` is the signal that asks it to end, `env` goes on top of what this process has.
    """
    asked = sha256(json.dumps([*command, env], sort_keys=True).encode()).hexdigest()
    if running(home, name):
        if records(home)[name]["asked"] == asked:
            return
        with suppress(ProcessLookupError):
            os.kill(records(home)[name]["pid"], records(home)[name]["ending"])
        _await_end(home, name, records(home)[name]["pid"])
    record = folder(home, "run") / f"{name}.json"
    record.unlink(missing_ok=True)
    words = [sys.executable, "-P", "-m", "carbonlake.stack.launch", str(record), part, asked, str(int(ending)), *command]
    held = tuple(HELD[place] for place in (home,) if place in HELD)
    with _opened(log(home, name)) as out:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=cwd or home,
                                   env=_environment(home, part, env or {}), start_new_session=True, pass_fds=held)  # fmt: skip
    until = time.monotonic() + SIGNED
    while not record.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise died(home, name)
        time.sleep(0.02)


def _opened(path: Path) -> BinaryIO:
    """Open a log at its end, with a line that says that a start follows; one that has grown large is put aside."""
    if path.exists() and path.stat().st_size > LARGE:
        path.replace(path.with_suffix(".log.1"))
    out = path.open("ab")
    out.write(f"{STARTS} {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n".encode())
    out.flush()
    return out


def _environment(home: Path, part: str, env: Mapping[str, str]) -> dict[str, str]:
    # What speaks to this program of ours is no business of a server that it starts.
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CARBONLAKE_", "AIRFLOW", "AWS_"))}
    return {**kept, **env, MARK: _mark(home, part)}


def _mark(home: Path, part: str) -> str:
    return f"{part}@{home}"


def choose_port(home: Path, process: str, name: str) -> int:
    """Return a port for a process: the one it has or had, or another if that is taken meanwhile."""
    had = port(home, name)
    if had and running(home, process):
        return had
    with socket.socket() as probe:
        if had and probe.connect_ex(("127.0.0.1", had)) != 0:
            return had
    return keep_port(home, name, free_port())


def log(home: Path, name: str) -> Path:
    """Return the log of a process."""
    return folder(home, "logs") / f"{name}.log"


def records(home: Path, part: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the records of a part's processes by name, or those of all parts."""
    found = {}
    for path in sorted((home / "run").glob("*.json")):
        with suppress(FileNotFoundError, ValueError):
            one = json.loads(path.read_text(encoding="utf-8"))
            if part in (None, one["part"]):
                found[path.stem] = one
    return found


def running(home: Path, name: str) -> bool:
    """Tell whether a process on record runs; one that has ended and waits for its parent to see it does not."""
    record = records(home).get(name)
    with suppress(psutil.NoSuchProcess):
        return bool(record and alive(record) and psutil.Process(record["pid"]).status() != psutil.STATUS_ZOMBIE)
    return False


def stop(home: Path, part: str) -> list[str]:
    """End the processes of a part and all that they started, the last one first; return the names of those that ran."""
    ran = {name: one for name, one in records(home, part).items() if running(home, name)}
    ended = sorted(ran, key=lambda name: float(ran[name]["started"]), reverse=True)
    for name in ended:
        with suppress(ProcessLookupError):
            os.kill(ran[name]["pid"], ran[name]["ending"])
    for name in ended:
        _await_end(home, name, ran[name]["pid"])
    for left in _left(home, part):
        with suppress(psutil.NoSuchProcess):
            left.kill()
    for name in records(home, part):
        (home / "run" / f"{name}.json").unlink(missing_ok=True)
    return ended


def _await_end(home: Path, name: str, pid: int) -> None:
    """Wait until a process that was asked to end has ended; kill its group if it does not in time."""
    until = time.monotonic() + FAREWELL
    while running(home, name):
        if time.monotonic() > until:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        time.sleep(0.05)
    # If it is a child of ours, let the system forget it.
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _left(home: Path, part: str) -> Iterator[psutil.Process]:
    """Yield what processes of a part have started and left behind."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(MARK) == _mark(home, part):
                yield process


def died(home: Path, name: str) -> UserError:
    """Return the error for a process that did not stay: the last lines of its log."""
    path = log(home, name)
    since = path.read_text(encoding="utf-8", errors="replace").rpartition(STARTS)[2].partition("\n")[2]
    lines = [line for line in since.splitlines() if line.strip()]
    wrong = [line for line in lines[-60:] if "rror" in line or "xception" in line or "FATAL" in line]
    told = "\n  ".join((wrong or lines or ["it said nothing"])[-3:])
    return UserError(
        f"{name} did not stay:\n  {told}", where="stack", remedy=f"its log is {path}; `carbonlake stack up` tries again"
    )


def run(command: Sequence[str], log: Path, *, what: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a command that ends by itself and return what it printed; raise UserError with its last words if it fails."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    done = subprocess.run(command, env={**os.environ, **(env or {})}, cwd=cwd, text=True, capture_output=True, check=False)
    with log.open("a", encoding="utf-8") as out:
        out.write(done.stdout + done.stderr)
    if done.returncode:
        last = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()][-3:]
        raise UserError(f"{what} failed:\n  " + "\n  ".join(last), where="stack",
                        remedy=f"the whole answer is in {log}; `carbonlake stack up` goes on where it stopped")  # fmt: skip
    return done.stdout
