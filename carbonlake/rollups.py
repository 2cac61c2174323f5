"""`rollup`: emissions of a level, what they are made of, and their change on a year ago, as a table and a picture."""

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
    app.command()(rollup)


def rollup(
    context: typer.Context,
    level: Annotated[str, typer.Argument(help="total, province, county, sector, division, park, enterprise …")] = "total",
    period: Annotated[str, typer.Option(help="2024, 2024-Q3, 2024-03 or 2024-03-01; the newest year without it")] = "",
    by: Annotated[str, typer.Option(help="Parts: scope, category, gas, activity, fuel or fuel_group")] = "",
    change: Annotated[bool, typer.Option("--change", help="Against the same period a year ago")] = False,
    member: Annotated[str, typer.Option(help="One member of the level, e.g. 110000")] = "",
    book: Annotated[str, typer.Option(help="Book; nothing is added across books")] = "enterprise",
    limit: Annotated[int, typer.Option(help="Rows and bars shown", min=1)] = 20,
    to_csv: Annotated[bool, typer.Option("--csv", help="Answer in CSV, whole")] = False,
    picture: Annotated[Optional[Path], typer.Option(help="Write a picture (SVG)")] = None,
) -> None:  # fmt: skip
    """Show emissions of a level in a period: of each member, by parts, or against a year ago; and what they lack.

    \b
    carbonlake rollup province --period 2024
    carbonlake rollup sector --by fuel_group --picture build/fuels.svg
    carbonlake rollup total --period 2024-03 --change
    carbonlake rollup enterprise --csv > enterprises.csv
    """
    from jobs import rollups
    from jobs.bars import svg
    from schemas.errors import UserError

    world: World = context.obj
    if by and change:
        raise UserError("parts have no change of their own", where="--by, --change", remedy="leave one of them out")
    one = rollups.Asked(level, period, book, member, by, change)
    found, when = rollups.asked(world.lake, one)
    if to_csv:
        writer = csv.DictWriter(sys.stdout, list(found[0]) if found else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
        return
    show_rows(world, found if world.as_json else found[:limit])
    notes = rollups.lacking(world.lake, one, when)
    if not world.as_json:
        for note in (f"{min(limit, len(found))} of {len(found):,} rows, {when}", *notes):
            world.console.print(f"[dim]{note}[/dim]", soft_wrap=True)
    if picture:
        picture.parent.mkdir(parents=True, exist_ok=True)
        drawn = svg(rollups.bars(found[:limit], one), rollups.title(one, when), rollups.STATES, notes=notes, signed=change,
                    none="没有数据 nothing")  # fmt: skip
        picture.write_text(drawn, encoding="utf-8")
        world.aside.print(f"picture: {picture}", markup=False)
