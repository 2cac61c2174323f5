"""`reconcile`: published inventories against each other, against their parts and against ours, as a table and a picture."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from carbonlake.tables import show_rows
from carbonlake.world import World


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reconcile)


def reconcile(
    context: typer.Context,
    kind: Annotated[str, typer.Option(help="ours, publishers, editions, parts (provinces and nation), sectors, fuels")] = "",
    subject: Annotated[str, typer.Option(help="Subject, e.g. region:CHN or enterprise:<code>")] = "",
    sector: Annotated[str, typer.Option(help="Sector that both are compared as, e.g. total, scope_1")] = "",
    fuel: Annotated[str, typer.Option(help="Fuel or source stream; all for their sum")] = "",
    year: Annotated[Optional[int], typer.Option(help="Calendar year")] = None,
    cause: Annotated[str, typer.Option(help="Cause, e.g. statistical, missing, unexplained")] = "",
    limit: Annotated[int, typer.Option(help="Rows and bars shown", min=1)] = 20,
    to_csv: Annotated[bool, typer.Option("--csv", help="Answer in CSV, whole")] = False,
    picture: Annotated[Optional[Path], typer.Option(help="Write a picture (SVG)")] = None,
) -> None:  # fmt: skip
    """Show where published inventories differ, from each other, from their parts and from ours, the widest gap first.

    Each gap has the first cause that a rule can show, with its evidence; where none fits, it says unexplained.

    \b
    carbonlake reconcile --kind ours
    carbonlake reconcile --kind parts --year 2012 --sector total
    carbonlake reconcile --subject region:CHN --picture build/china.svg
    carbonlake reconcile --cause unexplained --csv > open.csv
    """
    from jobs import inventories
    from jobs.bars import svg

    world: World = context.obj
    asked = {"kind": kind, "subject_id": subject, "compared_as": sector, "fuel": fuel, "year": str(year or ""), "cause": cause}
    found = inventories.gaps(world.lake, {name: value for name, value in asked.items() if value})
    if to_csv:
        writer = csv.DictWriter(sys.stdout, list(found[0]) if found else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
        return
    show_rows(world, found if world.as_json else [inventories.told(row) for row in found[:limit]])
    if found and not world.as_json:
        counted = ", ".join(f"{name} {n:,}" for name, n in inventories.causes(found).items())
        world.console.print(f"[dim]{min(limit, len(found))} of {len(found):,} gaps: {counted}[/dim]", soft_wrap=True)
    if picture:
        picture.parent.mkdir(parents=True, exist_ok=True)
        what = f"{inventories.KINDS[kind]} {kind} · " if kind else ""
        title = f"{what}差异（后者减前者） difference, second less first, CO2e"
        picture.write_text(svg(inventories.bars(found[:limit]), title, inventories.CAUSES), encoding="utf-8")
        world.aside.print(f"picture: {picture}", markup=False)
