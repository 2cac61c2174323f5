"""`demo`, `init`, `new`, `doctor`: the first things a newcomer does."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Annotated, Optional

import typer

from carbonlake.probing import from_delivery
from carbonlake.tables import show_rows
from carbonlake.world import FAILED, World
from schemas import editor, rooms
from schemas.errors import UserError


def add(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (demo, init, new, doctor):
        app.command()(command)


def demo(context: typer.Context) -> None:
    """Land the sample deliveries, build every table, print the headline numbers and trace one of them.

    \b
    carbonlake demo
    carbonlake --lake /tmp/lake --engine spark demo
    """
    from carbonlake import showcase

    showcase.run(context.obj)


def init(folder: Annotated[str, typer.Argument(help="Folder to make")]) -> None:
    """Make a project of your own, ready to run: the same rooms, laid over the shipped ones.

    \b
    carbonlake init my-project
    carbonlake --project my-project land my-project/samples/deliveries
    carbonlake --project my-project run
    """
    target = Path(folder)
    if target.exists() and any(target.iterdir()):
        raise UserError("the folder is not empty", where=folder, remedy="name a new one")
    shutil.copytree(rooms.SHIPPED / "samples" / "starter", target, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    (target / "schemas" / editor.FILE).write_text(editor.text(), encoding="utf-8")
    print(f"made {folder}; {folder}/README.md says what is in it. Next:")
    print(f"  carbonlake --project {folder} land {folder}/samples/deliveries")
    print(f"  carbonlake --project {folder} run")


def new(
    context: typer.Context,
    table: Annotated[str, typer.Argument(help="layer.table")],
    here: Annotated[Optional[str], typer.Option(help="Folder of your project (default: --project)")] = None,
    from_: Annotated[
        Optional[str], typer.Option("--from", help="A delivery as it came, or connection:<name>/<table> of a database")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="With --from: what it is read as; else what its bytes say")] = "",
    option: Annotated[Optional[list[str]], typer.Option(help="With --from: of the format's reader, as name=value")] = None,
) -> None:
    """Write the two files of a table: its contract and its transform.

    With --from every value of a delivery is looked at, and the contract of a cleaned table is written from it: names, types,
    units that headers tell, a key, rules that hold so far. A person then says what the columns mean.

    \b
    carbonlake --project my-project new cleaned.bus_fuel
    carbonlake --project my-project new thematic.school_year
    carbonlake --project my-project new cleaned.meter --from meters/january.csv
    carbonlake --project my-project new cleaned.reading --from connection:plant/public.reading
    """
    from schemas.new import write_table, write_texts

    folder = Path(here) if here else rooms.rooms()[-1]
    if from_ is None:
        if format_ or option:
            raise UserError("--format and --option say how a delivery is read, and none is named", where="new",
                            remedy="name it with --from")  # fmt: skip
        written = write_table(table, folder)
    else:
        files, left = from_delivery(context.obj, table, from_, format_, option or ())
        written = write_texts(files, folder)
        for name, why in left.items():
            context.obj.aside.print(f"no table of {name}: {why}", markup=False, soft_wrap=True)
    for path in written:
        print(f"wrote {path}")


def doctor(context: typer.Context) -> None:
    """Say what is there, what is missing, and what that means.

    \b
    carbonlake doctor
    """
    from carbonlake.health import findings

    world: World = context.obj
    began = time.perf_counter()
    found = findings(world)
    marks = {"ok": "✓", "note": "·", "wrong": "✗"}
    shown = {one.what: one.state if world.as_json else marks[one.state] for one in found}
    show_rows(world, [{"state": shown[one.what], "what": one.what, "found": one.found, "means": one.means} for one in found])
    if not world.as_json:
        world.console.print(f"[dim]{time.perf_counter() - began:.1f} s[/dim]")
    if any(one.state == "wrong" for one in found):
        raise typer.Exit(FAILED)
