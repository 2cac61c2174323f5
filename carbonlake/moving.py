"""`move`: a lake goes from a disk to an object store, or back."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from carbonlake.world import World


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(move)


def move(
    context: typer.Context,
    to: Annotated[str, typer.Argument(help="A folder, or s3://bucket/prefix")],
    remove: Annotated[bool, typer.Option("--remove", help="Remove the lake here, once all is there")] = False,
) -> None:
    """Copy the lake to another place, with every version of every table and every delivery.

    What was copied is compared before the place becomes a lake: names and bytes of all files, versions of all tables, and
    the SHA-256 of every delivery. After a break the same command goes on. Then `lake` in conf/, or CARBONLAKE_LAKE, is to
    name the new place.

    \b
    carbonlake move s3://carbonlake/lake
    carbonlake --lake s3://carbonlake/lake move ./lake
    """
    from jobs import moving
    from jobs.lake import Lake

    world: World = context.obj
    target = Lake(to, world.lake.storage_options, world.lake.work)
    target.folder.mkdir(parents=True, exist_ok=True)
    columns = (TextColumn("copying"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=world.console, transient=True, disable=world.as_json or not world.console.is_terminal) as bar:
        task = bar.add_task("copying", total=None)
        done = moving.copy(world.lake, target, lambda size, of: bar.update(task, completed=size, total=of))
    if remove:
        moving.remove(world.lake, target)
    if world.as_json:
        world.say({"to": to, "removed": remove, **vars(done)})
        return
    world.console.print(f"[green]✓[/green] {done.tables} tables, {done.files} files, {done.size / 1e6:,.1f} MB are at {to}")
    world.console.print(f"[dim]next: export CARBONLAKE_LAKE={to}, or write it into conf/[/dim]")
