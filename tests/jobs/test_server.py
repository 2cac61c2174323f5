"""A standing engine is shared by commands, fenced like the embedded one, and begun anew when it dies or has grown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from jobs import session
from jobs.apache import free_port
from jobs.session import engine
from schemas.errors import UserError

COMMAND = [sys.executable, "-c", "from carbonlake.cli import main; main()", "engine", "serve"]


@contextmanager
def serving(*words: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve an engine; yield its URL and the process."""
    process = subprocess.Popen([*COMMAND, "--port", str(free_port()), *words], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline().strip().removeprefix("CARBONLAKE_ENGINE="), process
    finally:
        process.kill()
        process.wait()


def child(process: subprocess.Popen[str]) -> int:
    """Return the process that holds the engine."""
    found = psutil.Process(process.pid).children()
    return found[0].pid if found else 0


def renewed(process: subprocess.Popen[str], before: int) -> int:
    """Wait until another process holds the engine."""
    for _ in range(300):
        if (now := child(process)) not in (0, before):
            return now
        time.sleep(0.1)
    raise AssertionError("the engine was not begun anew")


def answer(url: str) -> tuple[str, int]:
    """Return what serves a URL, and a sum that it computes."""
    with engine(url) as found:
        return found.name, found.session.range(5).selectExpr("sum(id) s").first()["s"]


def test_it_answers_as_sail_and_goes_on_after_its_death(tmp_path: Path) -> None:
    with serving() as (url, process):
        assert answer(url) == ("sail", 10)
        first = child(process)
        os.kill(first, signal.SIGKILL)
        renewed(process, first)
        assert answer(url) == ("sail", 10)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        with pytest.raises(UserError, match="the engine can't be reached"):
            answer(url)


def test_one_that_has_grown_is_begun_anew_but_never_under_somebody(tmp_path: Path) -> None:
    with serving("--recycle", "1") as (url, process):  # it holds more than a MiB from the start
        with engine(url) as found:
            first = child(process)
            for _ in range(3):
                assert found.session.range(3).count() == 3
                time.sleep(1)  # longer than between two looks
            assert child(process) == first
        renewed(process, first)
        assert answer(url) == ("sail", 10)


def test_it_ends_with_who_started_it() -> None:
    with serving() as (_, process):
        held = psutil.Process(child(process))
        process.kill()
        held.wait(30)
        assert not held.is_running()


def test_a_port_that_is_taken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as (url, _):
        done = subprocess.run([*COMMAND, "--port", url.rpartition(":")[2]], capture_output=True, text=True)
    assert done.returncode == 1
    assert "does not start on port" in done.stderr and "name another port" in done.stderr


def test_what_the_environment_says_of_the_engine_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAIL_EXECUTION__BATCH_SIZE", "1")
    session.tune_sail("1g")
    assert os.environ["SAIL_EXECUTION__BATCH_SIZE"] == "1"
