"""`release`: what was published under a name, kept for good."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any

import typer

from carbonlake.tables import show_rows
from carbonlake.world import World

Name = Annotated[str, typer.Argument(help="Name of the release, e.g. 2025-06")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    room = typer.Typer(no_args_is_help=True, help="Name the versions of all tables that are published, and ask what was.")
    for command in (create, listed, show):
        room.command("list" if command is listed else None)(command)
    app.add_typer(room, name="release")


def create(context: typer.Context, name: Name, note: Annotated[str, typer.Option(help="What it is for")] = "") -> None:
    """Publish all tables as they stand, under a name that is never given twice; maintenance keeps what it holds.

    \b
    carbonlake release create 2025-06
    carbonlake release create 2025-06-2 --note "fuel of March redelivered"
    """
    from jobs import release

    world: World = context.obj
    _show(world, release.create(world.lake, name, note))


def listed(context: typer.Context) -> None:
    """List the releases, the newest first.

    \b
    carbonlake release list
    """
    from jobs import release

    world: World = context.obj
    show_rows(world, release.releases(world.lake))


def show(context: typer.Context, name: Name) -> None:
    """Show a release: the version of every table, the build that made it, and totals by book and year.

    \b
    carbonlake release show 2025-06
    """
    from jobs import release

    world: World = context.obj
    _show(world, release.release(world.lake, name))


def _show(world: World, rows: list[dict[str, Any]]) -> None:
    totals: list[dict[str, Any]] = next((json.loads(row["totals"]) for row in rows if row["totals"]), [])
    totals = [total | {"emission_tco2e": Decimal(total["emission_tco2e"])} for total in totals]
    if world.as_json:
        world.say({"tables": rows, "totals": totals})
        return
    first = rows[0]
    world.console.print(f"release {first['release']}: {len(rows)} tables, {first['created_at']:%Y-%m-%d %H:%M:%S}Z", markup=False)
    if first["note"]:
        world.console.print(f"  {first['note']}", markup=False)
    show_rows(world, [{name: row[name] for name in ("table_name", "version", "rows", "recipe", "run_id")} for row in rows])
    show_rows(world, totals, title="totals, within one book each")
    waiting = sum(row["rows"] for row in rows if row["table_name"] == "business.unresolved")
    if waiting:
        world.console.print(f"[yellow]![/yellow] {waiting:,} activities gave no line and are in no total: business.unresolved")
