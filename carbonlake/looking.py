"""`show`, `freshness`, `lineage`, `trace`: what a table is, how old, where its columns and its numbers come from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from rich.tree import Tree

from carbonlake.tables import show_rows, text
from carbonlake.world import FAILED, World
from schemas import graph
from schemas.contract import Contract
from schemas.contracts import contract, contracts
from schemas.errors import UserError


def add(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (show, freshness, lineage, trace):
        app.command()(command)


def show(
    context: typer.Context,
    table: Annotated[Optional[str], typer.Argument(help="Nothing for a list of all")] = None,
    released: Annotated[Optional[str], typer.Option("--release", help="State as published in a release")] = None,
) -> None:
    """Show a table: contract, upstream, downstream, example and state; or list all tables.

    \b
    carbonlake show
    carbonlake show business.emission
    carbonlake show business.emission --release 2025-06
    """
    world: World = context.obj
    if table is None:
        show_rows(
            world, [{"table": name, "description": one.description, "owner": one.owner} for name, one in contracts().items()]
        )
        return
    one = contract(table)
    if world.as_json:
        world.say(one.model_dump(by_alias=True, exclude_none=True) | {"state": _state(world, table, released)})
        return
    world.console.print(f"[bold]{table}[/bold]  {one.description}")
    if one.description_zh:
        world.console.print(f"  {one.description_zh}")
    for label, names in (("made from", graph.upstream(table)), ("goes into", graph.downstream(table)), ("key", one.key),
                         ("partition", one.partition_by), ("balance", one.measures)):  # fmt: skip
        if names:
            world.console.print(f"  {label}: {', '.join(names)}")
    if one.source:
        place = f"{one.source.zone}/{one.source.path} ({one.source.format})"
        world.console.print(f"  source: {place}, {one.source.publisher}, {one.source.licence}")
    show_rows(
        world,
        [{"column": n, "type": c.type, "unit": c.unit or "", "description": c.description or ""} for n, c in one.columns.items()],
    )
    _examples(world, one)
    world.console.print("state:")
    show_rows(world, [_state(world, table, released)])


def _examples(world: World, one: Contract) -> None:
    for example in one.examples[:2]:
        world.console.print(f"example: {example.why}")
        for name, rows in example.given.items():
            show_rows(world, rows, title=f"given {name}")
        show_rows(world, example.expect, title="expect")


def _state(world: World, table: str, released: str | None) -> dict[str, Any]:
    from jobs import release
    from jobs.commit import last_commit
    from jobs.freshness import freshness
    from jobs.integrity import said

    head = world.lake.open(table, release.version(world.lake, released, table) if released else None)
    if head is None:
        return {"state": "never built"}
    note = last_commit(head)
    fresh = freshness(world.lake, table, datetime.now(UTC))
    guarded = said(world.lake, [table])[table]
    return {"version": head.version(), "rows": note.get("rows"), "run": note.get("run"), "recipe": note.get("recipe"),
            **({"integrity": guarded} if guarded else {}), **({"freshness": fresh} if fresh else {})}  # fmt: skip


def freshness(context: typer.Context) -> None:
    """List the tables whose contracts say how fresh they must be.

    Ends with 1 where one of them is stale; what never came is listed alone, as a source that nobody uses.

    \b
    carbonlake freshness
    """
    from jobs.freshness import NOTHING
    from jobs.freshness import freshness as state

    world: World = context.obj
    now = datetime.now(UTC)
    rows = [{"table": table, "state": state(world.lake, table, now)} for table, one in contracts().items() if one.freshness]
    show_rows(world, rows)
    if any(row["state"].startswith("stale") and not row["state"].startswith(NOTHING) for row in rows):
        raise typer.Exit(FAILED)


def lineage(
    context: typer.Context,
    table: Annotated[str, typer.Argument(help="layer.table")],
    column: Annotated[Optional[str], typer.Option(help="One column only")] = None,
    up: Annotated[bool, typer.Option("--up", help="Only what it comes from")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only what it goes into")] = False,
    picture: Annotated[Optional[str], typer.Option(help="Write a picture (SVG)")] = None,
) -> None:
    """Show where a table, or a column, comes from and where it goes.

    \b
    carbonlake lineage business.emission_year --up
    carbonlake lineage business.emission_year --column emission_tco2e --picture build/lineage.svg
    """
    from jobs import ancestry

    world: World = context.obj
    contract(table)
    both = up == down
    found = ancestry.ancestry(world.lake, table, column, up=up or both, down=down or both)
    if world.as_json:
        world.say(found.as_dict())
    else:
        world.console.print(found.as_text())
    if picture:
        Path(picture).parent.mkdir(parents=True, exist_ok=True)
        Path(picture).write_text(found.as_svg(), encoding="utf-8")
        world.console.print(f"picture: {picture}")


def trace(
    context: typer.Context,
    table: Annotated[str, typer.Argument(help="layer.table")],
    key: Annotated[list[str], typer.Argument(help="column=value, as many as it takes to name one row")],
    width: Annotated[int, typer.Option(help="Rows listed at each step, the largest first; the first is followed")] = 3,
    released: Annotated[Optional[str], typer.Option("--release", help="As published in a release")] = None,
) -> None:
    """Resolve a figure to line items, factors, activity rows, deliveries and cells.

    Each step is read by what rows say of themselves and held to the figure: sums add up to it, a formula worked out again
    gives it. Where no row says so, the transform is run again on the rows that count and must give the stored row back.

    \b
    carbonlake trace business.emission_year subject_id=building:1 year=2017
    carbonlake trace business.emission_month subject_id=building:1 month=2017-06-01 --width 1
    carbonlake trace business.emission_change book=enterprise grain=year period=2024-01-01 level=province member=130000
    carbonlake trace business.emission_year subject_id=building:1 year=2017 --release 2025-06
    """
    from jobs.release import versions
    from jobs.trace import trace as follow

    world: World = context.obj
    pairs = dict(item.partition("=")[::2] for item in key)
    if any("=" not in item for item in key):
        raise UserError("a key is column=value", where=" ".join(key), remedy=f"columns: {', '.join(contract(table).columns)}")
    at = versions(world.lake, released) if released else None
    with world.engine(at_once=False) as engine:
        found = follow(world.lake, engine, table, pairs, width=width, released=at)
    if world.as_json:
        world.say(found.as_dict())
    else:
        world.console.print(draw(found))


def draw(step: Any) -> Tree:
    """Draw a step of a trace and what it was made from."""
    tree = Tree(_line(step))
    for other in step.made_from:
        tree.add(draw(other))
    return tree


def _line(step: Any) -> str:
    shown = "  ".join(f"[dim]{name}[/dim] {text(value)}" for name, value in step.shown.items())
    more = f"  [dim]({step.note})[/dim]" if step.note else ""
    return f"[bold]{step.table}[/bold]  {shown}{more}"
