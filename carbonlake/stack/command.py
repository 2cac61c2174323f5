"""`carbonlake stack`: the real components on this machine, without Docker."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console

from carbonlake.tables import show_rows
from carbonlake.world import FAILED, World

HELP = """Start the real components on this machine, without Docker, and stop them again.

MinIO, Trino, PostgreSQL, Airflow and Apache Spark run on loopback, in pinned versions, from packages. Data, logs and
credentials are in one folder outside the repository: --home, or CARBONLAKE_STACK_HOME, or ~/.local/share/carbonlake/stack.

\b
  carbonlake stack up                          start all, wait until they are healthy
  carbonlake stack up --only minio,trino       some of them, and what they need
  eval "$(carbonlake stack env)"               let this shell's commands use them
  carbonlake stack down                        stop what was started
"""
Only = Annotated[Optional[str], typer.Option(help="Parts: minio,trino,postgres,airflow,spark,mosquitto,kafka")]
HomeOption = Annotated[Optional[str], typer.Option(help="Folder of the stack: data, logs, credentials")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    stack = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)
    for command in (up, status, down, env):
        stack.command()(command)
    app.add_typer(stack, name="stack")


def up(context: typer.Context, only: Only = None, home: HomeOption = None) -> None:
    """Start parts, wait until they are healthy, and say where they are; what runs already stays as it is.

    Without --only: minio, trino, postgres, airflow and spark. mosquitto and kafka, which bring messages, only by name.

    \b
    carbonlake stack up
    carbonlake stack up --only minio,trino
    carbonlake stack up --only mosquitto,kafka --json
    """
    from carbonlake.stack import parts
    from carbonlake.stack.home import home as place

    with _progress(context.obj) as tell:
        parts.up(place(home), _names(only), tell)
    _show(context.obj, place(home), parts.chosen(_names(only)))


def status(context: typer.Context, only: Only = None, home: HomeOption = None) -> None:
    """Say what runs, where, and whether it is well. Exit code 1 if something that was started is not.

    \b
    carbonlake stack status
    carbonlake stack status --json
    """
    from carbonlake.stack import parts
    from carbonlake.stack.home import home as place

    names = parts.chosen(_names(only) or parts.NAMES, needs=False)
    found = _show(context.obj, place(home), names)
    if any(one in ("died", "unhealthy") for one in found):
        raise typer.Exit(FAILED)


def down(context: typer.Context, only: Only = None, home: HomeOption = None) -> None:
    """Stop what `up` has started, and nothing else; data, logs and credentials stay.

    \b
    carbonlake stack down
    carbonlake stack down --only airflow,spark
    """
    from carbonlake.stack import parts
    from carbonlake.stack.home import home as place

    with _progress(context.obj) as tell:
        parts.down(place(home), _names(only), tell)
    if context.obj.as_json:
        context.obj.say(parts.status(place(home), parts.chosen(_names(only) or parts.NAMES, needs=False)))


def env(context: typer.Context, only: Only = None, home: HomeOption = None) -> None:
    """Print what a shell needs so that our commands use what runs; credentials are in it, so do not keep it.

    \b
    eval "$(carbonlake stack env)"
    eval "$(carbonlake stack env --only minio,trino)"
    """
    from carbonlake.stack import parts
    from carbonlake.stack.home import home as place

    found = parts.environment(place(home), _names(only))
    if context.obj.as_json:
        context.obj.say(found)
        return
    for name, value in found.items():
        print(f"export {name}={shlex.quote(value)}")


def _names(only: str | None) -> list[str] | None:
    return [name for name in only.replace(" ", "").split(",") if name] if only else None


@contextmanager
def _progress(world: World) -> Iterator[Callable[[str, str], None]]:
    """Yield what tells of each step, on stderr: a spinner where somebody watches, else lines."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    began = time.perf_counter()
    with console.status("looking", spinner="dots") as spinner:

        def tell(part: str, what: str) -> None:
            spinner.update(f"{part}: {what}")
            mark = "[green]✓[/green] " if what in ("healthy", "runs already") else "  "
            console.print(f"[dim]{time.perf_counter() - began:6.1f} s[/dim] {mark}{part}: {what}")

        yield tell


def _show(world: World, home: Path, names: list[str]) -> list[str]:
    """Print the state of parts and where their credentials are; return the states."""
    from carbonlake.stack import parts

    found = parts.status(home, names)
    if world.as_json:
        world.say(found)
    else:
        show_rows(world, [{"part": name, "state": one["state"], "address": one["url"]} for name, one in found.items()])
        world.console.print(f"credentials: {home / 'secrets'} · logs: {home / 'logs'}", soft_wrap=True)
        if any(one["state"] == "running" for one in found.values()):
            where = f" --home {shlex.quote(str(home))}" if home != _usual() else ""
            world.console.print(f'use them: eval "$(carbonlake stack env{where})"', soft_wrap=True)
    return [one["state"] for one in found.values()]


def _usual() -> Path:
    from carbonlake.stack.home import home

    return home()
