"""The demo: real deliveries land, every table is built, and the numbers can say where they come from."""

from __future__ import annotations

import time
from typing import Any

import typer
from rich.console import Console

from carbonlake.building import build_tables, print_summary
from carbonlake.looking import draw
from carbonlake.tables import show_rows
from carbonlake.world import FAILED, World
from models.method import methods
from schemas import rooms
from schemas.contracts import read_yaml

TRACED = {"table": "business.emission_year", "subject_id": "building:1", "year": "2017"}


def run(world: World) -> None:
    """Run the demo in the lake of the settings; a second run finds everything up to date."""
    from jobs import land

    began = time.perf_counter()
    console = world.console
    _heading(console, "Deliveries", "交付物")
    receipts = land.land(world.lake, [str(rooms.SHIPPED / "samples" / "deliveries")])
    console.print(f"{len(receipts)} deliveries, {sum(r.size_bytes for r in receipts):,} bytes, "
                  f"{sum(not r.fresh for r in receipts)} of them the same bytes as before")  # fmt: skip
    _heading(console, "Tables", "建表")
    outcomes = build_tables(world, ())
    print_summary(console, outcomes)
    _headlines(world)
    _trace(world)
    console.print(f"\n[dim]{time.perf_counter() - began:.0f} s. Next: `carbonlake sql`, `carbonlake show`,"
                  " `carbonlake quarantine list`,"
                  " `carbonlake lineage business.emission_year --picture build/lineage.svg`[/dim]", soft_wrap=True)  # fmt: skip
    if any(outcome.status != "skipped" and outcome.status != "built" for outcome in outcomes):
        raise typer.Exit(FAILED)


def _heading(console: Console, english: str, chinese: str) -> None:
    console.print(f"\n[bold]{english}[/bold]  {chinese}", style="cyan")


def _headlines(world: World) -> None:
    from jobs.query import sql

    for one in read_yaml(rooms.SHIPPED / "samples" / "headlines.yaml"):
        _heading(world.console, one["title"], one["title_zh"])
        show_rows(world, sql(world.lake, one["sql"]).to_pylist())
    examples = [example for method in methods().values() for example in method.examples]
    _heading(world.console, "Accounting methods", "核算方法")
    held = f"with {len(examples)} worked examples that `make test` holds them to"
    world.console.print(f"{len(methods())} methods, each cited, {held}")


def _trace(world: World) -> None:
    from jobs.trace import trace

    key: dict[str, Any] = {name: value for name, value in TRACED.items() if name != "table"}
    _heading(world.console, f"Where {TRACED['table']} of building 1 in 2017 comes from", "数字溯源到单元格")
    with world.engine() as engine:
        world.console.print(draw(trace(world.lake, engine, TRACED["table"], key, width=1)))
