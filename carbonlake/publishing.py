"""`publish`: the lake shown in Trino; and what follows a build or maintenance where the settings name one."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from carbonlake.tables import text
from carbonlake.world import FAILED, World
from schemas.errors import UserError

if TYPE_CHECKING:
    from jobs.publish import Published


FEW = 3


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(publish)


def publish(
    context: typer.Context,
    tables: Annotated[Optional[list[str]], typer.Argument(help="Tables; nothing for all, and the views")] = None,
    replace: Annotated[bool, typer.Option(help="Take names that Trino has for tables of another place")] = False,
    statistics: Annotated[bool, typer.Option(help="Gather statistics, too, as `maintain` does")] = False,
) -> None:
    """Show the tables in the Trino of the settings: registered, described, with views, each read once.

    \b
    carbonlake publish
    carbonlake publish business.emission_year
    """
    from jobs import publish as publisher
    from schemas.contracts import contract

    world: World = context.obj
    only = [contract(table).table for table in tables] if tables else None
    done = publisher.publish(world.trino, world.lake, only, replace=replace)
    analysed = publisher.analyze(world.trino, done.healthy) if statistics else []
    if world.as_json:
        world.say({**vars(done), "analysed": analysed})
    else:
        _tell(world, done, len(analysed))
    if done.problems:
        raise typer.Exit(FAILED)


def _tell(world: World, done: Published, analysed: int) -> None:
    told = [(done.registered, "registered"), (done.described, "described anew"), (done.taken_away, "taken away"),
            (done.views, "views made"), (done.healthy, "tables read")]  # fmt: skip
    said = [f"{len(names)} {what}" for names, what in told if names] + ([f"{analysed} analysed"] if analysed else [])
    world.console.print(f"{world.trino.address}/{world.trino.catalog}: {', '.join(said) or 'nothing to show'}")
    for name in done.taken_away:
        world.console.print(f"[dim]- {name}[/dim]")
    for name, problem in done.problems.items():
        world.console.print(f"[red]✗[/red] {name}: {text(problem)}", soft_wrap=True)


def after_build(world: World, built: Collection[str]) -> None:
    """Show what was built in the Trino of the settings, if there is one; that it fails makes no build fail."""
    if not (world.settings.trino and built):
        return
    from jobs.publish import publish as show

    try:
        problems = show(world.trino, world.lake, built).problems
    except UserError as error:
        problems = {"Trino": str(error)}
    for name, problem in list(problems.items())[:FEW]:
        world.aside.print(f"[yellow]![/yellow] {name} is not shown: {text(problem)}", soft_wrap=True)
    if len(problems) > FEW:
        world.aside.print(f"[yellow]![/yellow] and {len(problems) - FEW} more: `carbonlake publish` names them")


def after_maintenance(world: World, tended: Collection[str]) -> None:
    """Let the Trino of the settings, if there is one, gather statistics of what was tended; that it fails is told."""
    if not world.settings.trino:
        return
    from jobs.publish import analyze

    try:
        done = analyze(world.trino, tended)
        if not world.as_json:
            world.console.print(f"[dim]Trino has statistics of {len(done)} tables[/dim]")
    except UserError as error:
        world.aside.print(f"[yellow]![/yellow] no statistics: {text(str(error))}", soft_wrap=True)
