"""The whole stack at once: one process of each part is killed, and `up` brings back these and touches no other."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil

from carbonlake.stack import parts, processes

VICTIMS = ("minio", "trino", "postgres", "spark-worker-2", "airflow-scheduler")


def up(home: Path) -> dict[str, str]:
    """Bring up the usual parts and return the last word on each."""
    told: dict[str, str] = {}
    parts.up(home, None, told.__setitem__)
    return {name: told[name] for name in parts.USUAL}


def pids(home: Path) -> dict[str, int]:
    """Return the process ids on record by name."""
    return {name: one["pid"] for name, one in processes.records(home).items() if one["part"] in parts.USUAL}


def test_what_is_killed_in_any_part_comes_back_and_all_else_stays(stack: Path) -> None:
    up(stack)
    before = pids(stack)
    assert len(before) == 11 and {parts.state(stack, name) for name in parts.USUAL} == {"running"}
    assert up(stack) == dict.fromkeys(parts.USUAL, "runs already") and pids(stack) == before
    for name in VICTIMS:
        os.kill(before[name], signal.SIGKILL)
    psutil.wait_procs([psutil.Process(before[name]) for name in VICTIMS if psutil.pid_exists(before[name])], timeout=30)
    assert [parts.state(stack, name) for name in parts.USUAL] == ["died"] * 5
    up(stack)
    after = pids(stack)
    anew = {name for name in before if after[name] != before[name]}
    # Airflow's servers may end by themselves when their database is gone; then they come back, too.
    assert anew >= set(VICTIMS) and anew - set(VICTIMS) <= set(parts.part("airflow").PROCESSES)
    assert {parts.state(stack, name) for name in parts.USUAL} == {"running"}
    words = [" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"])]
    secrets = [path.read_text(encoding="utf-8") for path in (stack / "secrets").iterdir()]
    assert len(secrets) > 12 and not [line for line in words for secret in secrets if secret in line]
    logs = [path.read_text(encoding="utf-8", errors="replace") for path in (stack / "logs").iterdir()]
    assert len(logs) > 11 and not [text for text in logs for secret in secrets if secret in text]
    print(f"{len(before)} processes, {len(VICTIMS)} killed, {len(anew)} brought back, {len(before) - len(anew)} untouched")
