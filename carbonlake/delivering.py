"""`land`, `deliveries`, `withdraw`, `claim`: what comes in from outside."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from carbonlake.months import checked, of_month, without_month
from carbonlake.tables import show_rows
from carbonlake.world import World
from schemas.contracts import contract, contracts
from schemas.errors import UserError

if TYPE_CHECKING:
    from jobs.land import Receipt


def add(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (land, deliveries, withdraw, claim):
        app.command()(command)


def land(
    context: typer.Context,
    files: Annotated[Optional[list[str]], typer.Argument(help="Files, folders or URLs; nothing for the drop folder")] = None,
    source: Annotated[
        Optional[list[str]], typer.Option(help="Table they are for, else the one whose pattern fits; of drop folders, several")
    ] = None,
    month: Annotated[str, typer.Option(help="Of folders only the files whose names say this month, e.g. 2026-01")] = "",
    declares: Annotated[
        Optional[list[str]], typer.Option(help="What its sender says of the one file: rows=10,sum.kwh=12.5,size_bytes=…,sha256=…")
    ] = None,
) -> None:
    """Take deliveries in: bytes are hashed, stored once and never edited.

    What a sender says of a file, here or beside it as <file>.declared.json or <file>.sha256, is compared with what comes.

    \b
    carbonlake land meters/Building_1.csv --source cleaned.building_meter_hour
    carbonlake land deliveries/                 a folder; each file finds its source by its pattern
    carbonlake land https://example.org/a.csv --source cleaned.owid_co2
    carbonlake land                             what lies in the drop folder, drop/<layer.table>/
    carbonlake land --source cleaned.owid_co2   what lies in the drop folder of one table, if there is one
    carbonlake land --month 2026-01             of the drop folder what is of a month: …2026-01.csv, 202601/…, 2026年1月…
    carbonlake land meters.csv --source cleaned.meter --declares rows=744,sum.kwh=1234.5
    """
    world: World = context.obj
    if files and len(source or ()) > 1:
        raise UserError("files are for one table", where="--source", remedy="name one, or none and let the patterns decide")
    if files:
        receipts = _landed(world, files, checked(month), source[0] if source else None, declares=declares or ())
    elif declares:
        raise UserError("what is declared is of one file, and none is named", where="--declares", remedy="name the file")
    else:
        receipts = landed(world, source or [""], checked(month))
    show(world, receipts)
    waiting = [r for r in receipts if not r.source]
    if waiting and not world.as_json:
        todo = "`carbonlake claim <delivery> <table>`, or write a contract"
        world.console.print(f"{len(waiting)} deliveries have no source: {todo}")


def landed(world: World, tables: Sequence[str], month: str = "") -> list[Receipt]:
    """Land what lies in the drop folders of tables, each of which says by its name whose it is; "" is all of them.

    Of a month, e.g. 2026-01, are files whose names say it. Raise UserError where "" is asked for and no folder is there.
    """
    return _landed(world, [folder for table in tables for folder in _drop_folders(world, table)], month, None, lying=True)


def _landed(
    world: World, what: Sequence[str], month: str, source: str | None, *, lying: bool = False, declares: Sequence[str] = ()
) -> list[Receipt]:  # fmt: skip
    from jobs import declared, sources
    from jobs import land as landing

    if month:
        folders = [Path(place) for place in what if Path(place).is_dir()]
        if unnamed := sum(len(without_month(folder)) for folder in folders):
            world.aside.print(f"left, for their names say no month: {unnamed} files; without --month they are landed, too")
        what = [name for place in what for name in (of_month(Path(place), month) if Path(place).is_dir() else [place])]
    if not what:
        return []
    receipts = landing.land(world.lake, what, source, lying=lying, declares=declared.given(declares))
    sources.note(world.lake, {one.source for one in receipts if one.source}, getpass.getuser())
    if lying:
        _tell_left(world)
    return receipts


def _tell_left(world: World) -> None:
    """Tell of what stays in the drop folders of sources that are paused or retired."""
    from jobs import sources

    for table, held in sources.held(world.lake).items():
        folder = Path(world.settings.drop) / table
        if folder.is_dir() and (number := sum(one.is_file() for one in folder.rglob("*"))):
            world.aside.print(f"{number} files are left in {folder}: {table} is {held}", markup=False, soft_wrap=True)


def show(world: World, receipts: Sequence[Receipt]) -> None:
    """Print what was landed, as a table or as JSON."""
    from jobs import land as landing

    rows = [{"delivery": r.delivery_id, "name": r.name, "source": r.source or "(unclaimed)", "bytes": r.size_bytes,
             "type": r.media_type, "sha256": r.sha256[:12], "state": _state(r.fresh, r.status == landing.WITHDRAWN)}
            for r in receipts]  # fmt: skip
    show_rows(world, rows)


def _state(fresh: bool, withdrawn: bool) -> str:
    if withdrawn:
        return "withdrawn; name the file to land it again"
    return "new" if fresh else "the same bytes as before"


def _drop_folders(world: World, source: str) -> list[str]:
    """Return the drop folder, or that of a table if one is named: none where nobody has made it yet."""
    folder = Path(world.settings.drop)
    if source:
        own = folder / contract(source).table
        return [str(own)] if own.is_dir() else []
    if not folder.is_dir():
        raise UserError("the drop folder is not there", where=str(folder),
                        remedy=f"name files, or put them into {folder}/<layer.table>/ and land again")  # fmt: skip
    return [str(folder)]


def deliveries(
    context: typer.Context,
    source: Annotated[Optional[str], typer.Argument(help="Table; nothing for all")] = None,
    unclaimed: Annotated[bool, typer.Option(help="Only those that no source claims")] = False,
    verify: Annotated[bool, typer.Option(help="Hash the bytes of all again, and list those that are missing or damaged")] = False,
) -> None:
    """List the deliveries in force, or those whose bytes are not as they came, which is an error.

    \b
    carbonlake deliveries cleaned.owid_co2
    carbonlake deliveries --unclaimed
    carbonlake deliveries --verify
    """
    from jobs import land as landing

    world: World = context.obj
    if verify:
        _verify(world)
        return
    found = (
        landing.unclaimed(world.lake) if unclaimed else landing.receipts(world.lake, contract(source).table if source else None)
    )
    show_rows(world, [{"delivery": r.delivery_id, "source": r.source, "name": r.name, "bytes": r.size_bytes,
                       "received": r.received_at, "licence": r.licence} for r in found])  # fmt: skip


def _verify(world: World) -> None:
    from jobs import land as landing

    wrong = landing.verify(world.lake)
    if wrong or world.as_json:
        show_rows(world, [{"delivery": r.delivery_id, "source": r.source, "name": r.name, "sha256": r.sha256, "bytes are": why}
                          for r, why in wrong])  # fmt: skip
    if wrong:
        raise UserError(
            f"{len(wrong)} deliveries are not as they came", remedy="land the same files again: bytes are named by their hash"
        )
    if not world.as_json:
        world.console.print("the bytes of every delivery are as they came")


def withdraw(
    context: typer.Context,
    delivery: Annotated[int, typer.Argument(help="Number of the delivery")],
    reason: Annotated[str, typer.Option(help="Why; kept with the delivery")],
) -> None:
    """Take a delivery out of force; its bytes and its record stay.

    \b
    carbonlake withdraw 12 --reason "sent by mistake"
    """
    from jobs import land as landing

    world: World = context.obj
    receipt = landing.withdraw(world.lake, delivery, reason)
    readers = " ".join(f"{table}+" for table, one in contracts().items() if one.source and one.reads == receipt.source)
    then = f"`carbonlake run {readers}` takes its rows out" if readers else "no table has read it"
    world.console.print(f"delivery {delivery} ({receipt.name}) is withdrawn; {then}")


def claim(
    context: typer.Context,
    delivery: Annotated[int, typer.Argument(help="Number of the delivery")],
    table: Annotated[str, typer.Argument(help="Cleaned table that reads it")],
) -> None:
    """Give an unclaimed delivery to a table.

    \b
    carbonlake claim 7 cleaned.owid_co2
    """
    from jobs import land as landing

    world: World = context.obj
    landing.claim(world.lake, delivery, table)
    world.console.print(f"delivery {delivery} belongs to {table} now; `carbonlake run {table}+` reads it")
