"""The command line: `carbonlake --help`."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Optional

import typer
from rich.console import Console

from carbonlake import (
    accounting,
    ask,
    building,
    comparing,
    deciding,
    delivering,
    factors,
    fetching,
    following,
    hooks,
    judging,
    keeping,
    looking,
    moving,
    naming,
    previewing,
    probing,
    publishing,
    reconciling,
    releasing,
    reports,
    restating,
    rollups,
    serve,
    serving,
    sourcing,
    starting,
    watching,
)
from carbonlake.stack import command as stack
from carbonlake.world import FAILED, INTERRUPTED, World, use_project
from conf.secrets import redact
from conf.settings import SettingsError
from schemas.errors import UserError

HELP = """The lakehouse for carbon peaking and carbon neutrality.

A delivery lands, is cleaned, checked and balanced, and comes out as numbers that can be traced to the cell
they came from.

\b
  carbonlake demo                                    the whole way, on real figures
  carbonlake land meters/*.csv                       take deliveries in
  carbonlake run                                     build every table that needs it
  carbonlake sql "select * from business.emission_year"
  carbonlake trace business.emission_year subject_id=building:1 year=2017

\b
Exit codes: 0 done · 1 a table failed, or a mistake that the message explains · 2 the command line is wrong ·
3 a table waits for an input, or one that was named for a delivery · 130 stopped by the keyboard
"""
# Options that stand before the command's name and are understood behind it, too; the value says whether one follows.
ANYWHERE = {"--project": True, "--lake": True, "--variant": True, "--engine": True, "--json": False}
app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["-h", "--help"]})  # fmt: skip


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"carbonlake {version('carbonlake')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    project: Annotated[
        Optional[str], typer.Option(help="A folder of your own tables, laid over the shipped ones", envvar="CARBONLAKE_PROJECT")
    ] = None,
    lake: Annotated[Optional[str], typer.Option(help="Root of the lake (default: from conf/)", envvar="CARBONLAKE_LAKE")] = None,
    variant: Annotated[Optional[str], typer.Option(help="A restatement of the lake instead of what is published")] = None,
    engine: Annotated[Optional[str], typer.Option(help="sail, spark, spark://host:port or sc://host:port")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version", is_eager=True, callback=_version)] = False,
) -> None:  # fmt: skip
    """Options of every command."""
    use_project(project)
    context.obj = World(lake, engine, as_json, variant)


for room in (
    starting,
    probing,
    previewing,
    delivering,
    fetching,
    following,
    sourcing,
    building,
    looking,
    ask,
    deciding,
    factors,
    naming,
    accounting,
    keeping,
    releasing,
    reports,
    restating,
    comparing,
    publishing,
    reconciling,
    rollups,
    moving,
    serving,
    serve,
    hooks,
    judging,
    watching,
    stack,
):
    room.add(app)


def main() -> None:
    """Run the command; a user's mistake ends with a message, never with a trace."""
    try:
        app(args=in_order(sys.argv[1:]))
    except (UserError, SettingsError) as error:
        _end(error)
    except BrokenPipeError:  # who reads us has seen enough, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except OSError as error:
        from jobs.store import explain

        if (told := explain(error)) is None:
            raise
        _end(told)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def in_order(words: list[str]) -> list[str]:
    """Return a command line with the options of every command before the command's name, where the parser wants them."""
    first: list[str] = []
    rest: list[str] = []
    left = iter(words)
    for word in left:
        name, _, value = word.partition("=")
        if word == "--":
            rest += [word, *left]
        elif name in ANYWHERE:
            first += [word] if value or not ANYWHERE[name] else [word, *([behind] if (behind := next(left, "")) else [])]
        else:
            rest.append(word)
    return first + rest


def _end(error: Exception) -> None:
    text = redact(str(error)).replace("[", r"\[")
    Console(stderr=True, highlight=False).print(f"[red]✗[/red] {text}", soft_wrap=True)
    sys.exit(FAILED)
