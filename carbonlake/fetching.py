"""`fetch`: deliveries that nobody brings, from databases, APIs, brokers and buckets."""

from __future__ import annotations

from collections.abc import Sequence
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
) -> None:
    """Fetch what sources have since the last time: what came is landed as it is, and the next fetch goes on behind it.

    What one source can't give does not keep the others waiting; the command then ends with 1.

    \b
    carbonlake fetch                            every source with `fetch` in its contract
    carbonlake fetch cleaned.meter_reading      one
    carbonlake fetch --test                     whether each source can be reached, and what is there
    carbonlake fetch cleaned.meter_reading --accept-gap   what its stream has deleted meanwhile is taken for lost
    """
    world: World = context.obj
    named = tables or [table for table, one in contracts().items() if one.source and one.source.fetch and not one.source.of]
    if not named:
        raise UserError("no source is fetched", remedy="write source.fetch into a contract; `carbonlake land` takes files in")
    if test:
        wrong = _tried(world, named)
    else:
        receipts, wrong = fetched(world, named, accept_gap=accept_gap)
        delivering.show(world, receipts)
    if wrong:
        raise typer.Exit(FAILED)


def fetched(world: World, tables: Sequence[str], *, accept_gap: bool = False) -> tuple[list[Receipt], list[str]]:
    """Fetch sources in turn, and return what came and the tables whose sources gave an error, which is told."""
    from jobs import fetch as fetching
    from jobs.fetch.how import How

    receipts: list[Receipt] = []
    wrong = []
    for table in tables:
        try:
            fetching.fetch(world.lake, table, world.settings.connections, receipts.append, How(accept_gap=accept_gap))
        except UserError as error:
            wrong.append(table)
            _tell(world, table, error)
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
            _tell(world, table, error)
    show_rows(world, rows)
    return wrong


def _tell(world: World, table: str, error: UserError) -> None:
    text = redact(f"{table}: {error}").replace("[", r"\[")
    world.aside.print(f"[red]✗[/red] {text}", soft_wrap=True)
