"""The parts of a stack and what can be done with them: bring up, look at, take down, name what they give."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from http.client import HTTPException
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from carbonlake.stack import missing, processes
from carbonlake.stack.home import locked
from schemas.errors import UserError

# In the order in which they start: what others lean on first.
USUAL = ("minio", "postgres", "trino", "spark", "airflow")
# For messages that come in by themselves, which the tables of the demo do not: by name alone.
OTHERS = ("mosquitto", "kafka")
NAMES = (*USUAL, *OTHERS)
# Seconds to become healthy after a start, and to answer again for what ran before.
PATIENCE, RECOVERY = 600.0, 60.0
Tell = Callable[[str, str], None]  # part, what happens


class Part(Protocol):
    """What the module of a part has."""

    NEEDS: tuple[str, ...]
    PROCESSES: tuple[str, ...]

    def prerequisites(self) -> list[missing.Missing]: ...
    def prepare(self, home: Path) -> None: ...
    def start(self, home: Path) -> None: ...
    def healthy(self, home: Path) -> bool: ...
    def settle(self, home: Path) -> None: ...
    def url(self, home: Path) -> str: ...
    def environment(self, home: Path) -> dict[str, str]: ...


def part(name: str) -> Part:
    """Return the module of a part."""
    return cast(Part, import_module(f"carbonlake.stack.{name}"))


def chosen(only: Sequence[str] | None, needs: bool = True) -> list[str]:
    """Return the parts that are meant, those they need included, in their order; without a choice the usual ones."""
    wanted = set(only or USUAL)
    if unknown := sorted(wanted - set(NAMES)):
        raise UserError(f"there is no part {', '.join(unknown)}", where="--only", remedy=f"choose from {', '.join(NAMES)}")
    while needs and (more := {need for name in wanted for need in part(name).NEEDS} - wanted):
        wanted |= more
    return [name for name in NAMES if name in wanted]


def up(home: Path, only: Sequence[str] | None, tell: Tell) -> None:
    """Bring parts up and wait until they are healthy; what runs stays as it is, what has died starts again."""
    names = chosen(only)
    if lacking := [one for name in names for one in part(name).prerequisites()]:
        raise missing.error(lacking)
    with locked(home, lambda: tell("stack", "another `carbonlake stack` is at work here; waiting for it")):
        for name in names:
            _bring(home, name, tell)


def _bring(home: Path, name: str, tell: Tell) -> None:
    one, before = part(name), _pids(home, name)
    whole = len(before) == len(one.PROCESSES)
    for patience in (RECOVERY, PATIENCE) if whole else (PATIENCE,):
        if not whole:
            tell(name, "preparing")
        one.prepare(home)
        if not whole:
            tell(name, "starting")
        one.start(home)
        if _comes(home, name, patience, fresh=not whole):
            one.settle(home)
            tell(name, "runs already" if _pids(home, name) == before else "healthy")
            return
        tell(name, "does not answer")
        processes.stop(home, name)
        whole = False
    raise UserError(f"{name} does not become healthy, and was stopped", where="stack", remedy=f"see its logs in {home / 'logs'}")


def _pids(home: Path, name: str) -> list[int]:
    """Return the processes of a part that run."""
    return [one["pid"] for process, one in processes.records(home, name).items() if processes.running(home, process)]


def _comes(home: Path, name: str, patience: float, fresh: bool) -> bool:
    """Wait until a part is healthy; raise if a process that was just started ends, give up on one that ran before."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        for process in part(name).PROCESSES:
            if not processes.running(home, process):
                if fresh:
                    raise processes.died(home, process)
                return False
        if answers(home, name):
            return True
        time.sleep(0.3)
    return False


def answers(home: Path, name: str) -> bool:
    """Tell whether a part answers as a healthy one does."""
    try:
        return part(name).healthy(home)
    except (OSError, HTTPException):
        return False


def down(home: Path, only: Sequence[str] | None, tell: Tell) -> None:
    """Stop what `up` has started, the last part first; nothing else, and nobody's data."""
    with locked(home, lambda: tell("stack", "another `carbonlake stack` is at work here; waiting for it")):
        for name in reversed(chosen(only or NAMES, needs=False)):
            ended = processes.stop(home, name)
            tell(name, f"stopped: {', '.join(ended)}" if ended else "did not run")


def state(home: Path, name: str) -> str:
    """Return running, unhealthy (it runs and does not answer), died (a process of it is gone) or stopped."""
    if not processes.records(home, name):
        return "stopped"
    if not all(processes.running(home, process) for process in part(name).PROCESSES):
        return "died"
    return "running" if answers(home, name) else "unhealthy"


def status(home: Path, names: Iterable[str] = NAMES) -> dict[str, dict[str, Any]]:
    """Return state, address and environment of parts; credentials are named by their files."""
    found = {}
    for name in names:
        now = state(home, name)
        runs = now in ("running", "unhealthy")
        found[name] = {"state": now, "url": part(name).url(home) if runs else "",
                       "environment": _veiled(home, part(name).environment(home)) if runs else {}}  # fmt: skip
    return found


def environment(home: Path, only: Sequence[str] | None = None) -> dict[str, str]:
    """Return what our commands need in their environment to use the parts that run; credentials are in it."""
    names = [name for name in chosen(only or NAMES, needs=False) if processes.records(home, name)]
    return {key: value for name in names for key, value in part(name).environment(home).items()}


def _veiled(home: Path, values: dict[str, str]) -> dict[str, str]:
    """Return an environment with references to the files of credentials, which our settings follow, in place of them."""
    veiled = dict(values)
    for path in sorted((home / "secrets").glob("[!.]*")):
        text = path.read_text(encoding="utf-8")
        veiled = {key: value.replace(text, f"${{file:{path}}}") for key, value in veiled.items()}
    return veiled
