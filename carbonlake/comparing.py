"""`figure`, `compare`: a figure in several states, and what lies between two of them."""

from __future__ import annotations

import csv
import sys
from contextlib import ExitStack
from typing import Annotated, Optional

import typer

from carbonlake.restating import day
from carbonlake.tables import show_rows
from carbonlake.world import World
from schemas.contracts import contract
from schemas.errors import UserError


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(figure)
    app.command()(compare)


def figure(
    context: typer.Context,
    table: Annotated[str, typer.Argument(help="layer.table")],
    where: Annotated[Optional[list[str]], typer.Argument(help="column=value, as many as wanted")] = None,
    released: Annotated[Optional[list[str]], typer.Option("--release", help="As published in it; may be repeated")] = None,
    known: Annotated[str, typer.Option(help="With the factors known on this day, restated where that is not done yet")] = "",
) -> None:
    """Show a figure as published, as known on a day, and as of now.

    \b
    carbonlake figure business.emission_year book=enterprise year=2024 --release 2025-06 --known 2024-06-01
    """
    from jobs.compare import NOW, Side, side
    from jobs.figure import figure as sums
    from jobs.figure import known_on

    world: World = context.obj
    asked = where or []
    if any("=" not in item for item in asked):
        names = ", ".join(contract(table).columns)
        raise UserError("a filter is column=value", where=" ".join(asked), remedy=f"columns: {names}")
    sides = [side(world.lake, f"release:{name.removeprefix('release:')}") for name in released or ()]
    with ExitStack() as stack:
        if (on := day(known, "--known")) is not None:
            engine = stack.enter_context(world.engine(at_once=False))
            sides.append(known_on(world.lake, engine, on, opened=world.opened, workers=world.settings.workers))
    sides.append(Side(NOW, world.lake))
    show_rows(world, sums(world.lake, table, dict(item.partition("=")[::2] for item in asked), sides))


def compare(
    context: typer.Context,
    before: Annotated[str, typer.Argument(help="A release, a restatement, or now")],
    after: Annotated[str, typer.Argument(help="A release, a restatement, or now")] = "now",
    by: Annotated[str, typer.Option(help="Split further, e.g. region,year: year, subject, region, industry, category, …")] = "",
    to_csv: Annotated[bool, typer.Option("--csv", help="Answer in CSV")] = False,
) -> None:
    """Split the change between two states into effects that add up to it exactly, in tCO2e.

    \b
    boundary   a subject or source stream on one side only
    code_list  moved to another region, industry or category
    activity   another quantity, at the old factors
    factor     other factors, at the new quantity
    method     another method or version of it, its factors included
    gwp        other warming potentials

    \b
    carbonlake compare 2025-06 now
    carbonlake compare now ar6 --by year,category --csv > effects.csv
    """
    from jobs.compare import compare as split

    world: World = context.obj
    found = split(world.lake, before, after, [name for name in by.split(",") if name])
    if to_csv:
        writer = csv.DictWriter(sys.stdout, list(found.rows[0]) if found.rows else [])
        writer.writeheader()
        writer.writerows(found.rows)
    elif world.as_json:
        world.say(vars(found))
    else:
        show_rows(world, found.rows, title=f"{before} → {after}, tCO2e, within one book each")
        if any(found.unresolved):
            first, last = found.unresolved
            world.console.print(f"[yellow]![/yellow] activities without a line, in no figure: {first:,} before, {last:,} after")
