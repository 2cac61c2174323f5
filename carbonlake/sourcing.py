"""`sources`: every source, how it is, what was decided about it, and whether what came is what was sent."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from carbonlake.fetching import tell
from carbonlake.tables import show_rows
from carbonlake.world import FAILED, World
from schemas.contracts import contract
from schemas.errors import UserError

if TYPE_CHECKING:
    from jobs.channels import Channel

HELP = """Where data come from: every source, how it is, and what was decided about it.

\b
carbonlake sources                                  every source: state, last delivery, when the next is due, health
carbonlake sources show cleaned.owid_co2            all about one, and its history
carbonlake sources pause cleaned.owid_co2 --why "the server is being moved"
"""
sources = typer.Typer(help=HELP, invoke_without_command=True)
Table = Annotated[str, typer.Argument(help="Cleaned table")]
Tables = Annotated[Optional[list[str]], typer.Argument(help="Cleaned tables; nothing for all")]
Why = Annotated[str, typer.Option(help="Why; kept with who decided, and when")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(sources, name="sources")


@sources.callback()
def every(context: typer.Context) -> None:
    """List every source, unless a command of one is named."""
    if context.invoked_subcommand:
        return
    from jobs.channels import channels

    world: World = context.obj
    show_rows(world, [_line(one) for one in channels(world.lake, datetime.now(UTC))])


@sources.command()
def show(context: typer.Context, table: Table) -> None:
    """Show all about a source: where from, how often, how it is, and what was decided about it.

    \b
    carbonlake sources show cleaned.owid_co2
    """
    from jobs import sources as deciding
    from jobs.channels import channels

    world: World = context.obj
    (one,) = channels(world.lake, datetime.now(UTC), [table])
    about, past = _about(one), [_decision(row) for row in deciding.history(world.lake, one.table)]
    if world.as_json:
        world.say({**about, "history": past})
        return
    for name, value in about.items():
        world.console.print(f"{name}: {value}", markup=False, soft_wrap=True)
    if past:
        world.console.print("history:")
        show_rows(world, past)


@sources.command()
def register(context: typer.Context, tables: Tables = None) -> None:
    """Record sources that are new, and those whose contract describes them otherwise; landing and fetching do so, too.

    From then on a source with `freshness` is late where nothing comes.

    \b
    carbonlake sources register
    carbonlake sources register cleaned.owid_co2
    """
    from jobs import sources as deciding

    world: World = context.obj
    done = deciding.note(world.lake, tables or deciding.sources(), getpass.getuser())
    show_rows(world, [{"table": table, "decision": decision} for table, decision in done])


@sources.command()
def pause(context: typer.Context, table: Table, why: Why) -> None:
    """Leave a source alone: it is not fetched, followed or taken from the drop folder, and nobody is alarmed by its age.

    Files that a person names are landed all the same. What has come stays, and is built.

    \b
    carbonlake sources pause cleaned.owid_co2 --why "the server is being moved"
    """
    _decide(context.obj, table, "paused", why)


@sources.command()
def resume(context: typer.Context, table: Table, why: Why) -> None:
    """Take a source up again that was paused or retired; a fetch goes on where it was.

    \b
    carbonlake sources resume cleaned.owid_co2 --why "the server is back"
    """
    _decide(context.obj, table, "active", why)


@sources.command()
def retire(context: typer.Context, table: Table, why: Why) -> None:
    """Take no more deliveries from a source; its table stays, and can be asked.

    \b
    carbonlake sources retire cleaned.owid_co2 --why "the agreement has ended"
    """
    _decide(context.obj, table, "retired", why)


def _decide(world: World, table: str, decision: str, why: str) -> None:
    from jobs import sources as deciding

    one = deciding.source(table).table
    deciding.note(world.lake, [one], getpass.getuser())
    deciding.decide(world.lake, one, decision, getpass.getuser(), why)
    world.console.print(f"{one} is {deciding.standing(world.lake, one)}", markup=False, soft_wrap=True)


@sources.command()
def test(context: typer.Context, tables: Tables = None) -> None:
    """Try whether sources can be reached, and say what is there and how long it took; nothing is landed.

    Ends with 1 where one can't be reached.

    \b
    carbonlake sources test
    carbonlake sources test cleaned.owid_co2
    """
    from jobs import sources as deciding
    from jobs import trying

    world: World = context.obj
    rows, wrong = [], False
    for table in tables or deciding.sources():
        try:
            rows.append(trying.tried(table, world.settings.connections, world.settings.drop))
        except UserError as error:
            wrong = True
            tell(world, table, error)
    show_rows(world, rows)
    if wrong:
        raise typer.Exit(FAILED)


@sources.command()
def health(
    context: typer.Context,
    tables: Tables = None,
    keep: Annotated[bool, typer.Option(help="Write what was seen to ops.channel, so that SQL can ask how it was")] = False,
) -> None:
    """Show how each source is: age, volume against its own history, fetches in vain, rows set aside, differences.

    The newest delivery is compared with up to a hundred before it, by median and MAD; with fewer than five it is not. Ends
    with 1 where somebody should look.

    \b
    carbonlake sources health
    carbonlake sources health cleaned.owid_co2
    carbonlake sources health --keep
    carbonlake sql "select source_table, measured_at, health, why from ops.channel order by 1, 2"
    """
    from jobs import channels

    world: World = context.obj
    now = datetime.now(UTC)
    found = channels.channels(world.lake, now, tables or ())
    if keep:
        channels.keep(world.lake, found, now)
    show_rows(world, [_health(one) for one in found])
    if any(one.wrong for one in found):
        raise typer.Exit(FAILED)


@sources.command()
def reconcile(
    context: typer.Context,
    table: Annotated[Optional[str], typer.Argument(help="Cleaned table; nothing for all")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also figures that agree, and differences that were accepted")] = False,
    deep: Annotated[bool, typer.Option(help="Of a database: compare every key and row with the source as it is now")] = False,
) -> None:
    """List where what came is not what the source declared: rows and sums. Ends with 1 where anything differs.

    Figures are compared whenever a delivery is read: what a fetch counted at the source, what stands beside a file
    (`<file>.declared.json`), what `land --declares` said. What differs stands until the delivery is withdrawn, comes again
    under its name, or is accepted.

    \b
    carbonlake sources reconcile
    carbonlake sources reconcile cleaned.owid_co2 --all
    carbonlake sources reconcile cleaned.meter_reading --deep    keys that lack, keys too many, rows that are others
    """
    from jobs import differences

    world: World = context.obj
    if deep:
        _reconcile_deep(world, table)
        return
    named = contract(table).table if table else None
    wrong = differences.differences(world.lake, named)
    rows = differences.figures(world.lake, named) if every else wrong
    show_rows(world, [{"table": r["table_name"], "delivery": r["delivery_id"], "name": r["name"], "what": r["what"],
                       "declared": r["declared"], "found": r["found"], "difference": r["difference"],
                       "detail": r["detail"]} for r in rows])  # fmt: skip
    if wrong:
        raise typer.Exit(FAILED)


def _reconcile_deep(world: World, table: str | None) -> None:
    from jobs.deep import compare, summary

    if table is None:
        raise UserError("--deep asks one source for all its rows, and none is named", where="--deep", remedy="name its table")
    found = compare(world.lake, table, world.settings.connections)
    if world.as_json:
        world.say({**summary(found), "rows": list(found.rows)})
    else:
        show_rows(world, [summary(found)])
        if found.rows:
            show_rows(world, found.rows)
    if not found.agrees:
        world.aside.print("fetch again, then compare again: what changed meanwhile is no difference", soft_wrap=True)
        raise typer.Exit(FAILED)


@sources.command()
def accept(
    context: typer.Context, delivery: Annotated[int, typer.Argument(help="Number of the delivery that differs")], why: Why
) -> None:
    """Accept that a delivery is not what its source declared: it counts as settled, and stays on record.

    \b
    carbonlake sources accept 12 --why "the plant confirms that its own count was wrong"
    """
    from jobs import differences
    from jobs import sources as deciding

    world: World = context.obj
    tables = sorted({row["table_name"] for row in differences.differences(world.lake) if row["delivery_id"] == delivery})
    if not tables:
        raise UserError(f"nothing of delivery {delivery} differs", remedy="`carbonlake sources reconcile` lists what does")
    deciding.decide(world.lake, tables[0], deciding.ACCEPTED, getpass.getuser(), why, delivery)
    world.console.print(f"delivery {delivery} of {tables[0]} is accepted as it came")


@sources.command()
def remind(
    context: typer.Context,
    grace: Annotated[str, typer.Option(help="How long behind its due date a source is not late yet, e.g. 6h")] = "",
) -> None:
    """Remind of sources that are late: whoever subscribes to their tables (conf: webhooks) is told, and it is printed.

    Late is what has `freshness` in its contract and has given nothing for so long. Each subscriber is told once of a source
    and due date, however often this runs; what a receiver did not take is told again the next time, and ends with 1.

    \b
    carbonlake sources remind
    carbonlake sources remind --grace 6h
    """
    from jobs import reminders
    from schemas.ages import age

    world: World = context.obj
    spared = age(grace) if grace else timedelta(0)
    done = reminders.remind(world.lake, world.settings.webhooks, datetime.now(UTC), spared)
    show_rows(world, [{"table": r["source_table"], "due": _at(r["due_at"]), "owner": r["owner"], "provider": r["publisher"],
                       "subscriber": r["subscription"] or "(nobody)", "status": r["status"], "reply": r["reply"]}
                      for r in done])  # fmt: skip
    if any(r["status"] == reminders.FAILED for r in done):
        raise typer.Exit(FAILED)


def _line(one: Channel) -> dict[str, Any]:
    """Return what a list of sources shows of one."""
    source = contract(one.table).source
    assert source
    return {"table": one.table, "kind": one.kind, "state": one.standing.state, "health": one.health,
            "last delivery": _at(one.last.received_at if one.last else None), "next due": _at(one.due_at),
            "schedule": source.schedule, "provider": source.publisher, "why": one.why}  # fmt: skip


def _about(one: Channel) -> dict[str, Any]:
    """Return all that is known of a source."""
    from jobs import trying
    from schemas.cadences import following

    found = contract(one.table)
    source = found.source
    assert source
    expected = following(source.schedule, source.timezone, datetime.now(UTC), found.file)
    asked = {name: value for name in ("every", "window") if (value := getattr(source.fetch, name, ""))}
    return {"table": one.table, "description": found.description, "owner": found.owner, "provider": source.publisher,
            "licence": source.licence, "kind": one.kind, "from": trying.place(source), "format": source.format,
            "schedule": source.schedule, "next run": _at(expected), "freshness": found.freshness or "",
            "may be asked": ", ".join(f"{name} {value}" for name, value in asked.items()) or "at any time",
            "state": str(one.standing), **_health(one)}  # fmt: skip


def _health(one: Channel) -> dict[str, Any]:
    """Return how a source is."""
    last = _at(one.last.received_at if one.last else None)
    return {"table": one.table, "health": one.health, "why": one.why, "last delivery": last, "next due": _at(one.due_at),
            "deliveries": one.deliveries, "rows": one.rows.told("rows"),
            "bytes": one.bytes.told("bytes"), "fetches": one.fetches, "in vain": one.fetches_failed, "rows read": one.rows_read,
            "set aside": one.rows_set_aside, "differences": one.differences,
            **({"messages": one.messages, "behind": one.behind} if one.behind is not None else {})}  # fmt: skip


def _decision(row: dict[str, Any]) -> dict[str, Any]:
    return {"at": _at(row["decided_at"]), "decision": row["decision"], "person": row["person"], "why": row["note"]}


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
