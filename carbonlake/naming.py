"""`names`: which enterprise a name means, where that is for a person to say."""

from __future__ import annotations

import getpass
from typing import Annotated, Literal, Optional

import typer

from carbonlake.tables import show_rows
from carbonlake.world import World

names = typer.Typer(help="Names of enterprises without a code: what waits, and who is meant.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The name as it is written")]
Note = Annotated[str, typer.Option(help="Why; kept for the auditor")]
States = Literal["review", "sure", "none", "decided", "apart"]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(names, name="names")


@names.command("list")
def list_(
    context: typer.Context,
    state: Annotated[States, typer.Option(help="review, sure, none, decided or apart")] = "review",
    limit: Annotated[int, typer.Option(help="Rows shown")] = 20,
) -> None:
    """Show names with the enterprises most like them; without an option those that wait for a person.

    \b
    carbonlake names list
    carbonlake names list --state sure
    """
    from jobs import naming

    world: World = context.obj
    rows = naming.waiting(world.lake, state)
    show_rows(world, [{"name": r["name"], "rows": r["mentions"], "candidate": r["candidate_uscc"] or "",
                       "called": r["candidate_name"] or "", "score": float(r["score"] or 0), "second": r["second_uscc"] or "",
                       "second_score": float(r["second_score"] or 0)} for r in rows[:limit]])  # fmt: skip
    if len(rows) > limit and not world.as_json:
        world.console.print(f"[dim]{limit} of {len(rows)} names[/dim]")


@names.command()
def link(
    context: typer.Context, name: Name, uscc: Annotated[str, typer.Argument(help="Code of the enterprise")], note: Note
) -> None:
    """Say which enterprise a name means; it stands in every later build.

    \b
    carbonlake names link 华星钢铁 91110000MA00EX001J --note "called them"
    """
    _decide(context.obj, name, uscc, note)


@names.command()
def apart(context: typer.Context, name: Name, note: Note) -> None:
    """Say that a name means none of the enterprises we know.

    \b
    carbonlake names apart 华星钢铁 --note "another works"
    """
    _decide(context.obj, name, None, note)


@names.command()
def history(context: typer.Context) -> None:
    """List what was decided, the newest last.

    \b
    carbonlake names history
    """
    from jobs import naming

    world: World = context.obj
    show_rows(world, [{"name": r["name"], "decision": r["decision"], "uscc": r["uscc"] or "", "person": r["person"],
                       "note": r["note"], "at": r["decided_at"]} for r in naming.history(world.lake)])  # fmt: skip


def _decide(world: World, name: str, uscc: Optional[str], note: str) -> None:
    from jobs import naming

    naming.decide(world.lake, name, uscc, getpass.getuser(), note)
    world.console.print(f"kept; `carbonlake run {naming.MATCH}+` builds with it")
