"""`maintain`, `history`, `restore`, `diff`, `export`: the life of tables over time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from carbonlake.publishing import after_maintenance
from carbonlake.tables import show_rows
from carbonlake.world import World
from schemas.contracts import contract

Table = Annotated[str, typer.Argument(help="layer.table")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (maintain, history, restore, diff, export):
        app.command()(command)


def maintain(
    context: typer.Context, tables: Annotated[Optional[list[str]], typer.Argument(help="Tables; nothing for all")] = None
) -> None:
    """Compact small files, cluster, checkpoint, and take away what no version needs any more.

    \b
    carbonlake maintain
    carbonlake maintain cleaned.building_meter_hour
    """
    from jobs import maintain as keeper
    from jobs import upkeep

    world: World = context.obj
    work = keeper.maintain(world.lake, tables or None)
    upkeep.record(world.lake, work)
    done = [vars(one) | {"seconds": round(one.seconds, 3)} for one in work]
    busy = [one for one in done if world.as_json or one["merged"] or one["deleted"] or one["checkpoint"]]
    if busy or world.as_json:
        show_rows(world, busy)
    if not world.as_json:
        world.console.print(f"[dim]{len(done) - len(busy)} of {len(done)} tables needed nothing[/dim]")
    after_maintenance(world, [one["table"] for one in done])


def history(context: typer.Context, table: Table) -> None:
    """List the versions of a table, the newest first.

    \b
    carbonlake history cleaned.owid_co2
    """
    from jobs import maintain as keeper

    world: World = context.obj
    rows = keeper.history(world.lake, contract(table).table)
    show_rows(world, rows if world.as_json else [_version(row) for row in rows])


def _version(row: dict[str, Any]) -> dict[str, Any]:
    """Say what a version is in one line: rows of the table, and why it was written where that is known."""
    note = row["note"]
    shown = {name: row[name] for name in ("version", "at", "operation", "rows_added", "run")}
    why = f"as it was at version {note['restored']}" if "restored" in note else ""
    return shown | {"rows": note.get("rows", ""), "note": why}


def restore(
    context: typer.Context, table: Table, version: Annotated[int, typer.Argument(help="As `carbonlake history` lists it")]
) -> None:
    """Bring a table back to an earlier version, as a new version.

    \b
    carbonlake restore cleaned.owid_co2 1
    """
    from jobs import maintain as keeper

    world: World = context.obj
    contract(table)
    new = keeper.restore(world.lake, table, version)
    world.console.print(f"{table} is as it was at version {version}; this is version {new}")


def diff(
    context: typer.Context,
    table: Table,
    old: Annotated[Optional[int], typer.Argument(help="Version before (default: the one before the newest)")] = None,
    new: Annotated[Optional[int], typer.Argument(help="Version after (default: the newest)")] = None,
    rows: Annotated[int, typer.Option(help="Changed rows shown")] = 10,
) -> None:
    """Compare two versions: rows added, removed, changed, and the effect on every balance measure.

    \b
    carbonlake diff cleaned.owid_co2
    carbonlake diff business.emission_year 1 3
    """
    from jobs.diff import diff as compare

    world: World = context.obj
    found = compare(world.lake, contract(table).table, old, new, rows)
    effects = [vars(effect) for effect in found.effects]
    if world.as_json:
        world.say({**vars(found), "effects": effects, "rows": found.rows.to_pylist()})
        return
    before, after = found.versions
    counts = f"{found.added:,} added, {found.removed:,} removed, {found.changed:,} changed"
    world.console.print(f"{table}: version {before} → {after}: {counts}")
    show_rows(world, effects, title="effect on each measure")
    show_rows(world, found.rows.to_pylist(), title="rows")


def export(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="odcs, dictionary or json-schema; or a table, with --format")],
    folder: Annotated[str, typer.Option(help="Where it goes")] = "build/export",
    format_: Annotated[Optional[str], typer.Option("--format", help="netcdf or hdf5: the arrays of a table as they came")] = None,
    delivery: Annotated[Optional[int], typer.Option(help="With --format: its number; the newest without")] = None,
) -> None:
    """Write the contracts in other forms: Open Data Contract Standard, data dictionary, JSON schema for editors.

    With --format, write a delivery of arrays as a file again: to the bit, but for cells that were corrected in the lake.

    \b
    carbonlake export odcs
    carbonlake export cleaned.edgar_grid --format netcdf
    carbonlake export dictionary --folder build/dictionary
    carbonlake export json-schema --folder schemas
    """
    from schemas.export import export as write

    world: World = context.obj
    if format_:
        from jobs.arrays import export as arrays

        done = arrays(world.lake, what, format_, Path(folder), delivery)
        said = f"{done.corrected:,} cells corrected, {done.aside:,} set aside in the lake are as delivered"
        world.console.print(f"{done.path}  [dim]{said}[/dim]")
        return
    for path in write(what, folder):
        world.console.print(str(path))
