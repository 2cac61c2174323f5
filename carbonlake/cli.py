"""The command line: `carbonlake --help`."""

from __future__ import annotations

import sys
from typing import Annotated, Optional

import typer
from rich.console import Console

from carbonlake import ask, building, deciding, delivering, keeping, looking, starting
from carbonlake.world import FAILED, World, use_project
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
  carbonlake trace business.emission_year subject_id=building:1
"""
app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["-h", "--help"]})  # fmt: skip


@app.callback()
def options(
    context: typer.Context,
    project: Annotated[
        Optional[str], typer.Option(help="A folder of your own tables, laid over the shipped ones", envvar="CARBONLAKE_PROJECT")
    ] = None,
    lake: Annotated[Optional[str], typer.Option(help="Root of the lake (default: from conf/)", envvar="CARBONLAKE_LAKE")] = None,
    engine: Annotated[Optional[str], typer.Option(help="sail, spark or sc://host:port (default: from conf/)")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines")] = False,
) -> None:  # fmt: skip
    """Options of every command; they stand before its name."""
    use_project(project)
    context.obj = World(lake, engine, as_json)


for room in (starting, delivering, building, looking, ask, deciding, keeping):
    room.add(app)


def main() -> None:
    """Run the command; a user's mistake ends with a message, never with a trace."""
    try:
        app()
    except (UserError, SettingsError) as error:
        Console(stderr=True, highlight=False).print(f"[red]✗[/red] {_escaped(str(error))}")
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(130)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
