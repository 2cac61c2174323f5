"""`quarantine` and `quality`: what was set aside, who decides about it, and reports for people."""

from __future__ import annotations

import getpass
from typing import Annotated, Optional

import typer

from carbonlake.tables import show_rows
from carbonlake.world import World
from schemas.contracts import contract, contracts
from schemas.errors import UserError

quarantine = typer.Typer(help="Rows that were set aside: list, show, fix, release, discard.", no_args_is_help=True)
quality = typer.Typer(help="Reports on the checks.", no_args_is_help=True)
Row = Annotated[str, typer.Argument(help="The row, as delivery:locator, e.g. 11:77")]
Table = Annotated[str, typer.Argument(help="layer.table")]
Note = Annotated[str, typer.Option(help="Why; kept for the auditor")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(quarantine, name="quarantine")
    app.add_typer(quality, name="quality")


@quarantine.command("list")
def list_(context: typer.Context, table: Annotated[Optional[str], typer.Argument(help="Table; nothing for all")] = None) -> None:
    """Count what waits, by table and rule.

    \b
    carbonlake quarantine list
    carbonlake quarantine list cleaned.enterprise_fuel_month
    """
    from jobs import quarantine as ward

    world: World = context.obj
    counts: dict[tuple[str, str], int] = {}
    for name in [contract(table).table] if table else list(contracts()):
        for row in ward.listed(world.lake, name):
            counts[name, row["rules"]] = counts.get((name, row["rules"]), 0) + 1
    show_rows(world, [{"table": name, "rules": rules, "rows": n} for (name, rules), n in sorted(counts.items())])


@quarantine.command()
def show(context: typer.Context, table: Table, limit: Annotated[int, typer.Option(help="Rows shown")] = 20) -> None:
    """Show the rows of a table that wait, with the rules they broke and their raw text.

    \b
    carbonlake quarantine show cleaned.enterprise_fuel_month
    """
    from jobs import quarantine as ward

    world: World = context.obj
    rows = ward.listed(world.lake, contract(table).table)
    show_rows(world, [{"row": f"{r['delivery_id']}:{r['locator']}", "rules": r["rules"], "raw": r["raw"],
                       "decision": r["decision"]} for r in rows[:limit]])  # fmt: skip
    if len(rows) > limit and not world.as_json:
        world.console.print(f"[dim]{limit} of {len(rows)} rows[/dim]")


@quarantine.command()
def fix(
    context: typer.Context,
    table: Table,
    row: Row,
    value: Annotated[list[str], typer.Argument(help="header=value, the header as the delivery has it")],
    note: Note,
) -> None:
    """Correct values of a row; it is then cleaned and judged like any other.

    \b
    carbonlake quarantine fix cleaned.enterprise_fuel_month 11:77 月份=2024-02 --note "called the plant"
    """
    pairs = [item.partition("=") for item in value]
    if any(not middle for _, middle, _ in pairs):
        raise UserError("a correction is header=value", where=" ".join(value), remedy="e.g. 月份=2024-02")
    _decide(context.obj, table, row, "fix", {left.strip(): right.strip() for left, _, right in pairs}, note)


@quarantine.command()
def release(context: typer.Context, table: Table, row: Row, note: Note) -> None:
    """Let a row pass although it breaks a declared rule; types and keys can't be waived.

    \b
    carbonlake quarantine release cleaned.enterprise_fuel_month 11:194 --note "confirmed by the plant"
    """
    _decide(context.obj, table, row, "waive", {}, note)


@quarantine.command()
def discard(context: typer.Context, table: Table, row: Row, note: Note) -> None:
    """Put a row away for good; the decision stays on record.

    \b
    carbonlake quarantine discard cleaned.enterprise_fuel_month 11:152 --note "a test row"
    """
    _decide(context.obj, table, row, "discard", {}, note)


@quarantine.command()
def history(context: typer.Context, table: Table) -> None:
    """List the decisions about rows of a table, the newest last.

    \b
    carbonlake quarantine history cleaned.enterprise_fuel_month
    """
    from jobs import corrections

    world: World = context.obj
    rows = corrections.history(world.lake, contract(table).table)
    show_rows(world, [{"row": f"{r['delivery_id']}:{r['locator']}", "decision": r["decision"], "values": r["values"] or "",
                       "person": r["person"], "note": r["note"], "at": r["decided_at"]} for r in rows])  # fmt: skip


def _decide(world: World, table: str, row: str, decision: str, values: dict[str, str], note: str) -> None:
    from jobs import corrections

    delivery, _, locator = row.partition(":")
    if not delivery.isdigit() or not locator:
        raise UserError(f"{row!r} names no row", remedy="write delivery:locator, as `carbonlake quarantine show` prints it")
    corrections.decide(world.lake, table, (int(delivery), locator), decision, values, getpass.getuser(), note)
    world.console.print(f"kept: {decision} of {row}; `carbonlake run {table}+` builds with it")


@quality.command()
def outliers(
    context: typer.Context,
    table: Annotated[Optional[str], typer.Argument(help="Table; nothing for all")] = None,
    limit: Annotated[int, typer.Option(help="Rows shown")] = 20,
) -> None:
    """Show the values that stand out in the tables as they are: warnings, for people to look at.

    \b
    carbonlake quality outliers
    carbonlake quality outliers cleaned.building_meter_hour --limit 5
    """
    from jobs.reporting import outliers as found

    world: World = context.obj
    show_rows(world, found(world.lake, contract(table).table if table else None)[:limit])


@quality.command()
def report(context: typer.Context, folder: Annotated[str, typer.Option(help="Where the pages go")] = "build/quality") -> None:
    """Write the quality report as pages that open without a network (Great Expectations Data Docs).

    \b
    carbonlake quality report --folder build/quality
    """
    from jobs.reporting import write_report

    world: World = context.obj
    index = write_report(world.lake, folder)
    world.console.print(f"open {index}")
