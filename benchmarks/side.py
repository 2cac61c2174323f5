"""One side of a comparison: a process of its own, watched from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "benchmarks" / "project"
EVERY = 0.05  # seconds between two looks at the memory


@dataclass(frozen=True)
class Run:
    """What a process took: seconds of the whole process, its peak memory in bytes with all children, its own words.

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


def python(module: str, *arguments: str | Path, project: str = str(PROJECT)) -> Run:
    """Run a module of the benchmarks in a fresh Python; its last line is JSON."""
    return watched([sys.executable, "-m", module, *map(str, arguments)], project)


def command(*arguments: str | Path) -> Run:
    """Run the command `carbonlake` with the shipped tables alone."""
    return watched([sys.executable, "-c", "from carbonlake.cli import main; main()", *map(str, arguments)], project="")


def watched(command: Sequence[str], project: str = str(PROJECT)) -> Run:
    """Run a command to its end and watch it; raise RuntimeError with the end of what it said if it fails."""
    environment = os.environ | {"CARBONLAKE_PROJECT": project, "PYTHONWARNINGS": "ignore"}
    began, before = time.perf_counter(), os.times()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
    watcher.start()
    out, err = process.communicate()
    seconds, after = time.perf_counter() - began, os.times()
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{(out + err)[-3000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(seconds, peak[0], cpu, _last_json(out), out)


def _last_json(out: str) -> dict[str, Any]:
    lines = [line for line in out.splitlines() if line.startswith("{")]
    found: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return found


def _watch(pid: int, peak: list[int]) -> None:
    """Note the largest sum of resident memory over the process and all below it."""
    try:
        root = psutil.Process(pid)
        while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for one in [root, *root.children(recursive=True)]:
                try:
                    total += one.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            peak[0] = max(peak[0], total)
            time.sleep(EVERY)
    except psutil.NoSuchProcess:
        return
