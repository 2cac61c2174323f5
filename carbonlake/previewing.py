"""`preview`: what a delivery would do to its table, before it is landed."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import typer

from carbonlake.tables import show_rows
from carbonlake.world import FAILED, World
from schemas.contracts import contract
from schemas.errors import UserError


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(preview)


def preview(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="A file as it came")],
    source: Annotated[str, typer.Option(help="Table it is for, else the one whose pattern fits")] = "",
    rows: Annotated[int, typer.Option(help="Rows shown of each rule that sets rows aside", min=0, max=1000)] = 5,
) -> None:
    """Show what a delivery would do to the tables that read it: rows written and set aside, with rule, place and raw text.

    It is read, cleaned and judged as it would be, beside what is there already; the lake stays as it is. Ends with 1 where
    the file would be refused, or a rule of the whole table would stop the build.

    \b
    carbonlake preview meters/Building_1.csv
    carbonlake preview new.csv --source cleaned.enterprise_fuel_month --rows 20
    """
    from jobs import direct
    from jobs.trial import trial

    world: World = context.obj
    path = Path(file).absolute()
    if not path.is_file():
        raise UserError("there is no such file", where=file, remedy="check the path")
    table = source or _claimed(path)
    with ExitStack() as stack:
        engine = stack.enter_context(world.engine(at_once=not direct.likely(contract(table))))
        found = trial(world.lake, engine, lambda name: stack.enter_context(world.opened(name)), path, table, first=rows)
    if world.as_json:
        world.say(found)
    else:
        _show(world, found)
    if any(one["would"] != "write" for one in found["tables"]):
        raise typer.Exit(FAILED)


def _claimed(path: Path) -> str:
    from jobs import claims, uploads

    owner = claims.claim(PurePosixPath(path))
    if owner is None:
        near = ", ".join(uploads.likely(path.name)[:5])
        raise UserError("no table claims a file of this name, or several do", where=path.name,
                        remedy=f"name one with --source{f', perhaps {near}' if near else ''}")  # fmt: skip
    return owner.table


def _show(world: World, found: dict[str, Any]) -> None:
    if found["same_as"]:
        world.console.print(f"{found['file']}: the same bytes as delivery {found['same_as']}; nothing would change", markup=False)
        return
    names = ("table", "would", "rows_in", "written", "set_aside", "superseded", "rows_before", "rows_after")
    show_rows(world, [{name: one[name] for name in names} for one in found["tables"]])
    for one in found["tables"]:
        for text in [one["reason"], *one["warnings"]]:
            if text:
                world.console.print(f"{one['table']}: {text}", markup=False, soft_wrap=True)
        for rule in one["rules"]:
            world.console.print(f"{one['table']}: {rule['rows']:,} set aside by {rule['rules']}", markup=False, soft_wrap=True)
            for row in rule["first"]:
                world.console.print(f"  {row['locator']}: {row['raw']}", markup=False, soft_wrap=True)
    world.console.print("[dim]nothing was landed[/dim]")
