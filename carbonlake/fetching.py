"""`fetch`: deliveries that nobody brings, from databases, APIs, brokers and buckets."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from carbonlake import delivering
from carbonlake.tables import show_rows
from carbonlake.world import FAILED, World
from conf.secrets import redact
from schemas.contracts import contracts
from schemas.errors import UserError

if TYPE_CHECKING:
    from jobs.land import Receipt


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(fetch)


def fetch(
    context: typer.Context,
    tables: Annotated[Optional[list[str]], typer.Argument(help="Cleaned tables; nothing for all that are fetched")] = None,
    test: Annotated[bool, typer.Option(help="Try the connections, and take nothing")] = False,
    accept_gap: Annotated[bool, typer.Option(help="Take for lost what a source no longer has, and go on behind it")] = False,
    now: Annotated[bool, typer.Option(help="Ask also outside of the hours, and earlier, than the contract says")] = False,
) -> None:
    """Fetch what sources have since the last time: what came is landed as it is, and the next fetch goes on behind it.

    What one source can't give does not keep the others waiting; the command then ends with 1. Sources that are paused or
    retired are left alone, and so are those whose contracts allow no asking now; it is told.

    \b
    carbonlake fetch                            every source with `fetch` in its contract
    carbonlake fetch cleaned.meter_reading      one
    carbonlake fetch --test                     whether each source can be reached, and what is there
    carbonlake fetch cleaned.meter_reading --accept-gap   what its stream has deleted meanwhile is taken for lost
    carbonlake fetch cleaned.meter_reading --now          also outside of its hours (source.fetch.window, .every)
    """
    world: World = context.obj
    named = tables or [table for table, one in contracts().items() if one.source and one.source.fetch and not one.source.of]
    if not named:
        raise UserError("no source is fetched", remedy="write source.fetch into a contract; `carbonlake land` takes files in")
    if test:
        wrong = _tried(world, named)
    else:
        receipts, wrong = fetched(world, named, accept_gap=accept_gap, now=now)
        delivering.show(world, receipts)
    if wrong:
        raise typer.Exit(FAILED)


def fetched(
    world: World, tables: Sequence[str], *, accept_gap: bool = False, now: bool = False
) -> tuple[list[Receipt], list[str]]:  # fmt: skip
    """Fetch sources in turn, and return what came and the tables whose sources gave an error, which is told.

    Those that are paused, or may not be asked at this hour unless it is `now`, are left alone, which is told, too.
    """
    from jobs import fetch as fetching
    from jobs import sources
    from jobs.fetch.allowed import not_now
    from jobs.fetch.how import How

    receipts: list[Receipt] = []
    wrong = []
    sources.note(world.lake, tables, getpass.getuser())
    held = sources.held(world.lake) if now else {}
    for table in tables:
        if (table in held or not now) and (why := not_now(world.lake, table, datetime.now(UTC))):
            world.aside.print(f"{table} is left alone: {why}", markup=False, soft_wrap=True)
            continue
        try:
            fetching.fetch(world.lake, table, world.settings.connections, receipts.append, How(accept_gap=accept_gap))
        except UserError as error:
            wrong.append(table)
            tell(world, table, error)
    return receipts, wrong


def _tried(world: World, tables: Sequence[str]) -> list[str]:
    """Try the connection of each source, show what is there, and return the tables whose sources gave an error."""
    from jobs import fetch as fetching

    rows, wrong = [], []
    for table in tables:
        try:
            rows.append({"table": table, "there": redact(fetching.tested(table, world.settings.connections))})
        except UserError as error:
            wrong.append(table)
            tell(world, table, error)
    show_rows(world, rows)
    return wrong


def tell(world: World, table: str, error: UserError) -> None:
    """Tell of a source that gave an error, without a secret."""
    text = redact(f"{table}: {error}").replace("[", r"\[")
    world.aside.print(f"[red]✗[/red] {text}", soft_wrap=True)
