"""`webhooks`: who hears when tables change, what they were told, and what follows a build."""

from __future__ import annotations

import typer

from carbonlake.tables import show_rows, text
from carbonlake.world import FAILED, World
from schemas.errors import UserError

webhooks = typer.Typer(help="Subscribers that hear when a table changes; named in conf/.", no_args_is_help=True)


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(webhooks, name="webhooks")


@webhooks.command("list")
def list_(context: typer.Context) -> None:
    """Show every subscription and table, what was told last, and what is due.

    \b
    carbonlake webhooks list
    """
    from jobs import webhooks as hooks

    world: World = context.obj
    show_rows(world, hooks.listed(world.lake, world.settings.webhooks))


@webhooks.command()
def send(context: typer.Context) -> None:
    """Send what is due at once, whatever failed before; ends with 1 where a receiver did not take it.

    \b
    carbonlake webhooks send
    """
    from jobs import webhooks as hooks

    world: World = context.obj
    done = hooks.send(world.lake, world.settings.webhooks, now=True, seconds=hooks.PATIENT)
    show_rows(
        world, [{name: row[name] for name in ("subscription", "table_name", "status", "reply", "attempts")} for row in done]
    )
    if any(row["status"] != "delivered" for row in done):
        raise typer.Exit(FAILED)


def after_build(world: World) -> None:
    """Tell subscribers what a build changed; that one can't be told makes no build fail, and is tried again later."""
    if not world.settings.webhooks:
        return
    from jobs.webhooks import send as tell

    try:
        failed = [row for row in tell(world.lake, world.settings.webhooks) if row["status"] != "delivered"]
    except UserError as error:
        world.aside.print(f"[yellow]![/yellow] webhooks: {text(str(error))}", soft_wrap=True)
        return
    for row in failed:
        told = (
            f"{row['subscription']} was not told of {row['table_name']}: {row['reply']}; `carbonlake webhooks send` tries again"
        )
        world.aside.print(f"[yellow]![/yellow] {text(told)}", soft_wrap=True)
