"""`build` and `run`: making tables, with progress and one clear summary."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from carbonlake import delivering, fetching, hooks
from carbonlake.months import checked
from carbonlake.publishing import after_build
from carbonlake.world import FAILED, SOME_WAITING, World
from jobs.outcome import NO_DELIVERY, Outcome
from lineage.emit import Receiver
from schemas import graph
from schemas.contracts import contract

if TYPE_CHECKING:
    from jobs.energy import Assumptions

ALL = "all"
MARKS = {"built": "[green]✓[/green]", "skipped": "[dim]·[/dim]", "failed": "[red]✗[/red]", "waiting": "[yellow]…[/yellow]",
         "repaired": "[green]✓[/green]"}  # fmt: skip


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(run)
    app.command()(build)


def run(
    context: typer.Context,
    selection: Annotated[
        Optional[list[str]], typer.Argument(help="table, +table, table+, layer:cleaned, source:zone; nothing for all")
    ] = None,
    force: Annotated[bool, typer.Option(help="Build even what is up to date")] = False,
    workers: Annotated[Optional[int], typer.Option(help="Tables built at once")] = None,
    month: Annotated[str, typer.Option(help="Make this month, e.g. 2026-01, anew in tables made from others")] = "",
    land: Annotated[
        str, typer.Option(help="First take in what lies in the drop folders of these tables: all, or of a month, e.g. 2026-01")
    ] = "",
) -> None:  # fmt: skip
    """Build what needs it, inputs first, in parallel.

    Ends with 1 where a table failed (the others are built) or a delivery is not what its source declared, with 3 where
    one waits for an input that was never built or, if it was named, for a delivery.

    \b
    carbonlake run                              everything that changed
    carbonlake run +business.emission           that table and all it is made from
    carbonlake run cleaned.enterprise+          that table and all that is made from it
    carbonlake run layer:cleaned source:owid    a layer, and the sources of a zone
    carbonlake run --month 2026-01              what changed, and that month anew where tables are partitioned by month
    carbonlake run --land all cleaned.owid_co2  what lies in drop/cleaned.owid_co2/, then the table
    """
    world: World = context.obj
    terms, month = tuple(selection or ()), checked(month)
    without = _take_in(world, terms, "" if land == ALL else checked(land, "--land")) if land else []
    outcomes = build_tables(world, terms, force=force, workers=workers, month=month)
    finish(world, outcomes, named={term.strip("+") for term in selection or ()})
    if without or _differs(world, [outcome.table for outcome in outcomes]):
        raise typer.Exit(FAILED)


def _differs(world: World, tables: Sequence[str]) -> bool:
    """Tell of deliveries of these tables that are not what their source declared; what came is in the tables all the same."""
    from jobs.differences import differences, told

    found = [row for row in differences(world.lake) if row["table_name"] in tables]
    for row in found:
        world.aside.print(f"✗ {row['table_name']}: {told(row)}", markup=False, soft_wrap=True)
    if found:
        world.aside.print(
            "  → have it sent again, withdraw it, or `carbonlake sources accept <delivery> --why …`", markup=False, soft_wrap=True
        )
    return bool(found)


def build(
    context: typer.Context,
    tables: Annotated[list[str], typer.Argument(help="Tables, or +table, table+")],
    force: Annotated[bool, typer.Option(help="Build even what is up to date")] = False,
) -> None:
    """Build one or more tables, and nothing else; inputs stay as they are.

    \b
    carbonlake build cleaned.building_meter_hour
    carbonlake build business.emission_year --force
    """
    run(context, tables, force, None, "", "")


def _take_in(world: World, terms: tuple[str, ...], month: str) -> list[str]:
    """Land what lies in the drop folders of the sources that terms select, fetch what others give, return those that don't.

    The answer as JSON is that of the build alone. A source that can't be asked keeps no table waiting.
    """
    sources = [table for table in graph.select(terms) if (source := contract(table).source) and not source.of]
    receipts = delivering.landed(world, sources, month)
    asked = [table for table in sources if (source := contract(table).source) and source.fetch]
    fetched, without = fetching.fetched(world, asked)
    if (receipts := receipts + fetched) and not world.as_json:
        delivering.show(world, receipts)
    return without


def build_tables(
    world: World, terms: tuple[str, ...], *, force: bool = False, workers: int | None = None, month: str = ""
) -> list[Outcome]:
    """Build with a progress bar and return the outcomes."""
    from jobs import direct, telemetry
    from jobs.energy import Meter
    from jobs.run import run as walk

    tables = graph.select(terms)
    needed = not all(direct.likely(contract(table)) for table in tables)
    sent = telemetry.sent_to(world.settings.trace_url)
    with sent, world.engine(at_once=needed) as engine, _progress(world.console, quiet=world.as_json) as bar:
        task = bar.add_task("building", total=len(tables))

        def watch(table: str, outcome: Outcome | None) -> None:
            bar.update(task, description=table, advance=0 if outcome is None else 1)

        outcomes = walk(world.lake, engine, terms, force=force, month=month, workers=workers or world.settings.workers,
                        watch=watch, receiver=receiver(world), opened=world.opened, meter=Meter(assumed(world)))  # fmt: skip
    after_build(world, [outcome.table for outcome in outcomes if outcome.status == "built"])
    hooks.after_build(world)
    return outcomes


def assumed(world: World) -> Assumptions:
    """Return what the settings say for estimates of energy."""
    from jobs.energy import CLIENT, WHOLE, Assumptions

    settings = world.settings
    scope = CLIENT if "://" in settings.engine else WHOLE
    return Assumptions(settings.watts_per_core, settings.watts_per_gb, settings.grid_region, settings.grid_kgco2_per_kwh, scope)


def receiver(world: World) -> Receiver | None:
    """Return who is sent lineage, if the settings name one."""
    settings = world.settings
    headers = (("Authorization", f"Bearer {settings.lineage_token}"),) if settings.lineage_token else ()
    return Receiver(settings.lineage_url, headers=headers) if settings.lineage_url else None


def _progress(console: Console, *, quiet: bool) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)


def finish(world: World, outcomes: list[Outcome], named: Collection[str] = ()) -> None:
    """Print the summary and leave with a code: 1 where a table failed, 3 where one waits."""
    if world.as_json:
        world.say([as_row(outcome) for outcome in outcomes])
    else:
        print_summary(world.console, outcomes, named)
    if any(outcome.status == "failed" for outcome in outcomes):
        raise typer.Exit(FAILED)
    if any(outcome.status == "waiting" and (outcome.table in named or outcome.reason != NO_DELIVERY) for outcome in outcomes):
        raise typer.Exit(SOME_WAITING)


def as_row(outcome: Outcome) -> dict[str, object]:
    """Return an outcome as plain values."""
    return {"table": outcome.table, "status": outcome.status, "mode": outcome.mode, "reason": outcome.reason,
            "rows_in": outcome.counts.came_in, "rows_written": outcome.counts.written,
            "rows_set_aside": outcome.counts.set_aside, "rows_superseded": outcome.counts.superseded,
            "seconds": round(outcome.seconds, 3), "version": outcome.version, "run_id": outcome.run_id,
            "cpu_seconds": outcome.use and round(outcome.use.cpu_seconds, 3), "energy_kwh": outcome.use and outcome.use.kwh,
            "emission_kgco2": outcome.kgco2, "warnings": list(outcome.warnings)}  # fmt: skip


def print_summary(console: Console, outcomes: list[Outcome], named: Collection[str] = ()) -> None:
    """Print one line per table that did something or was named, and how many had nothing to do."""
    quiet = [one for one in outcomes if one.status == "skipped" or (one.reason == NO_DELIVERY and one.table not in named)]
    told = [outcome for outcome in outcomes if outcome not in quiet]
    if told:
        console.print(_summary(told))
    skipped = sum(outcome.status == "skipped" for outcome in quiet)
    if skipped:
        console.print(f"[dim]{_tables(skipped)} up to date: skipped[/dim]")
    if waiting := len(quiet) - skipped:
        console.print(f"[dim]{_tables(waiting)} without a delivery yet[/dim]")
    if used := [outcome for outcome in told if outcome.use]:
        console.print(f"[dim]{_energy(used)}[/dim]", soft_wrap=True)
    for outcome in outcomes:
        for warning in outcome.warnings:
            console.print(f"[yellow]![/yellow] {outcome.table}: {warning}", soft_wrap=True)
        if outcome.status == "failed" or (outcome.status == "waiting" and "\n" in outcome.reason):
            console.print(f"{MARKS[outcome.status]} {outcome.table}: ", end="")
            console.print(outcome.reason, markup=False, soft_wrap=True)


def _energy(outcomes: Sequence[Outcome]) -> str:
    """Say what builds took, as the estimate that it is."""
    used = [outcome.use for outcome in outcomes if outcome.use]
    known = [outcome.kgco2 for outcome in outcomes if outcome.kgco2 is not None]
    co2 = f", {1000 * sum(known):.2g} g CO2" if known else ""
    client = ", without the engine, which runs elsewhere" if any(one.scope == "client" for one in used) else ""
    return (f"about {1000 * sum(one.kwh for one in used):.2g} Wh{co2}: an estimate from"
            f" {sum(one.cpu_seconds for one in used):.1f} s of processor time{client}")  # fmt: skip


def _tables(number: int) -> str:
    return f"{number} {'table' if number == 1 else 'tables'}"


def _summary(outcomes: list[Outcome]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, side in (("", "left"), ("table", "left"), ("in", "right"), ("written", "right"), ("set aside", "right"),
                       ("superseded", "right"), ("s", "right"), ("why", "left")):  # fmt: skip
        table.add_column(name, justify=side, no_wrap=name != "why")  # type: ignore[arg-type]
    for outcome in outcomes:
        table.add_row(MARKS[outcome.status], outcome.table, *(f"{n:,}" for n in vars(outcome.counts).values()),
                      f"{outcome.seconds:.2f}", outcome.reason.splitlines()[0] if outcome.reason else "")  # fmt: skip
    return table
