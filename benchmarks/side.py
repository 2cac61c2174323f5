"""One side of a comparison: a process of its own, watched from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "benchmarks" / "project"
EVERY = 0.05  # seconds between two looks at the memory


@dataclass(frozen=True)
class Run:
    """What a process took, its children included: seconds, peak memory in bytes, processor seconds as last seen.

    `says` is the JSON it printed last, `out` everything it printed.
    """

    seconds: float
    peak: int
    cpu: float
    says: dict[str, Any]
    out: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON has it, without the text."""
        return {key: value for key, value in asdict(self).items() if key != "out"}


def python(module: str, *arguments: str | Path, project: str = str(PROJECT), **environment: str) -> Run:
    """Run a module of the benchmarks in a fresh Python; its last line is JSON."""
    return watched([sys.executable, "-m", module, *map(str, arguments)], project, environment)


def command(*arguments: str | Path) -> Run:
    """Run the command `carbonlake` with the shipped tables alone."""
    return watched([sys.executable, "-c", "from carbonlake.cli import main; main()", *map(str, arguments)], project="")


def watched(command: Sequence[str], project: str = str(PROJECT), more: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end and watch it; raise RuntimeError with the end of what it said if it fails."""
    environment = os.environ | {"CARBONLAKE_PROJECT": project, "PYTHONWARNINGS": "ignore"} | dict(more or {})
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seen = Seen()
    watcher = threading.Thread(target=_watch, args=(process.pid, seen), daemon=True)
    watcher.start()
    out, err = process.communicate()
    seconds = time.perf_counter() - began
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{(out + err)[-3000:]}")
    return Run(seconds, seen.peak, sum(seen.cpu.values()), _last_json(out), out)


def _last_json(out: str) -> dict[str, Any]:
    lines = [line for line in out.splitlines() if line.startswith("{")]
    found: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return found


@dataclass
class Seen:
    """What was seen of a process and all below it: the most memory at once, the processor seconds of each."""

    peak: int = 0
    cpu: dict[int, float] = field(default_factory=dict)


def _watch(pid: int, seen: Seen) -> None:
    try:
        root = psutil.Process(pid)
        while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
            _look([root, *root.children(recursive=True)], seen)
            time.sleep(EVERY)
    except psutil.NoSuchProcess:
        return


def _look(processes: Sequence[psutil.Process], seen: Seen) -> None:
    total = 0
    for one in processes:
        try:
            total += one.memory_info().rss
            seen.cpu[one.pid] = sum(one.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    seen.peak = max(seen.peak, total)
