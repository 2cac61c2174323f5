"""`restate`, `variant`: the same activity calculated otherwise, beside what is published."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from carbonlake.building import finish
from carbonlake.tables import show_rows
from carbonlake.world import World
from schemas.errors import UserError

if TYPE_CHECKING:
    from models.variant import Variant

Name = Annotated[str, typer.Argument(help="Name of the restatement")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(restate)
    room = typer.Typer(no_args_is_help=True, help="List restatements, or take one away; --variant NAME asks one.")
    room.command("list")(listed)
    room.command()(drop)
    app.add_typer(room, name="variant")


def restate(
    context: typer.Context,
    gwp: Annotated[str, typer.Option(help="GWP set, e.g. AR6 (default: that of what is published)")] = "",
    factors: Annotated[Optional[int], typer.Option(help="Version of knowledge.factor, as `history` lists it")] = None,
    known: Annotated[str, typer.Option(help="Only factors known on this day, e.g. 2024-01-01")] = "",
    name: Annotated[str, typer.Option(help="Name to ask it by (default: made of the options)")] = "",
    inputs: Annotated[bool, typer.Option("--inputs", help="Put down the parameters of every line, too")] = False,
    workers: Annotated[Optional[int], typer.Option(help="Tables built at once")] = None,
) -> None:
    """Calculate everything again under another GWP set, other factors or older knowledge; what is published stays.

    \b
    carbonlake restate --gwp AR6
    carbonlake restate --known 2024-01-01 --name before-2024
    carbonlake restate --factors 12
    carbonlake sql "from business.emission_year" --variant ar6
    """
    from jobs.restate import restate as again
    from models.variant import Variant

    world: World = context.obj
    variant = Variant(gwp, day(known, "--known")) if gwp else Variant(known_on=day(known, "--known"))
    called = name or _called(variant, factors, gwp)
    with world.engine() as engine:
        outcomes = again(world.lake, engine, called, variant, factors, inputs=inputs, opened=world.opened,
                         workers=workers or world.settings.workers)  # fmt: skip
    if not world.as_json:
        world.console.print(f"restated as {called}: ask it with --variant {called}", markup=False)
    finish(world, outcomes)


def day(text: str, where: str) -> date | None:
    """Return a day as it was asked for, None for nothing. Raise UserError, which names the option, for another text."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UserError(f"{text!r} is no day", where=where, remedy="write it like 2024-01-01") from None


def _called(variant: Variant, factors: int | None, gwp: str) -> str:
    parts = [
        gwp.lower(),
        f"factors-{factors}" if factors is not None else "",
        f"known-{variant.known_on}" if variant.known_on else "",
    ]
    return "-".join(part for part in parts if part) or "published"


def listed(context: typer.Context) -> None:
    """List the restatements, and the tables that changed since each was made.

    \b
    carbonlake variant list
    """
    from jobs import variants

    world: World = context.obj
    show_rows(world, [one.as_row() | {"changed since": ", ".join(variants.behind(world.lake, one))}
                      for one in variants.listed(world.lake)])  # fmt: skip


def drop(context: typer.Context, name: Name) -> None:
    """Take a restatement away; what is published stays.

    \b
    carbonlake variant drop ar6
    """
    from jobs import variants

    world: World = context.obj
    variants.drop(world.lake, name)
    world.console.print(f"{name} is gone", markup=False)
