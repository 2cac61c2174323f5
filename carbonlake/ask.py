"""`sql` and `search`: questions to the tables, once or at a prompt, and to the documents."""

from __future__ import annotations

import csv
import json
import sys
from typing import Annotated, Any, Optional

import typer

from carbonlake.tables import show_rows, text
from carbonlake.world import World
from schemas.contracts import contracts
from schemas.errors import UserError

ROWS_SHOWN = 50
NAMED = 4  # tables of unchecked deliveries
LAKE, TRINO = "lake", "trino"
EMISSION, OPEN, UNRESOLVED = "emission_tco2e", "unresolved_rows", "business.unresolved"
Moment = int | str | dict[str, int] | None  # a version, a day or instant, a version for each table, or now
WORDS = ("select", "from", "where", "group by", "order by", "limit", "join", "on", "and", "or", "sum", "count", "avg",
         "min", "max", "distinct", "with", "as", "case", "when", "then", "else", "end", "desc", "describe")  # fmt: skip


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(sql)
    app.command()(search)


def search(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(help="What to look for, Chinese or English")],
    limit: Annotated[int, typer.Option(help="Passages shown")] = 10,
) -> None:
    """Look for passages of documents, with the document and the place of each.

    \b
    carbonlake search 碳排放配额
    carbonlake search 供热 排放因子 --limit 3
    """
    from jobs.search import search as look

    world: World = context.obj
    found = look(world.lake, " ".join(words), limit)
    if world.as_json or not found:
        show_rows(world, found)
    for row in [] if world.as_json else found:
        world.console.print(f"[bold]{text(row['document'])}[/bold]  [dim]{text(row['place'])}[/dim]")
        world.console.print(f"  {text(row['text'])}")


def sql(
    context: typer.Context,
    query: Annotated[Optional[str], typer.Argument(help="The query; nothing for a prompt")] = None,
    as_of: Annotated[Optional[str], typer.Option(help="A version, or a day such as 2026-01-31")] = None,
    limit: Annotated[int, typer.Option(help="Rows shown")] = ROWS_SHOWN,
    to_csv: Annotated[bool, typer.Option("--csv", help="Answer in CSV")] = False,
    on: Annotated[str, typer.Option(help="lake (DuckDB, in this process), or trino (that of the settings)")] = LAKE,
    saved: Annotated[Optional[str], typer.Option(help="Ask a saved query by its name")] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the saved queries")] = False,
    released: Annotated[Optional[str], typer.Option("--release", help="As published in a release: its name")] = None,
) -> None:  # fmt: skip
    """Ask the tables in SQL (DuckDB over the files of a Delta version, or Trino); tables are layer.table.

    \b
    carbonlake sql "select book, year, sum(emission_tco2e) from business.emission_year group by all"
    carbonlake sql "select count(*) from cleaned.owid_co2" --as-of 1
    carbonlake sql "from business.emission_year" --release 2025-06
    carbonlake sql "from business.emission_year" --csv --limit 10 > emission.csv
    carbonlake sql --list                         saved queries
    carbonlake sql --saved industry_year
    carbonlake sql --on trino "select book, count(*) from business.emission_year group by book"
    carbonlake sql                                a prompt with completion
    """
    from jobs.saved import named
    from jobs.saved import saved as all_saved

    world: World = context.obj
    moment = _moment(world, as_of, released, on)
    if on not in (LAKE, TRINO):
        raise UserError(f"there is no {on!r} to ask", where="--on", remedy=f"{LAKE} or {TRINO}")
    if saved:
        one = named(saved)
        query = one.sql if on == TRINO else one.for_duckdb()
    if listed:
        show_rows(world, [{"name": one.name, "title": one.title, "title_zh": one.title_zh} for one in all_saved().values()])
    elif query is None:
        _prompt(world, moment, limit, on)
    else:
        _answer(world, query, moment, limit, on, to_csv=to_csv)


def _moment(world: World, as_of: str | None, released: str | None, on: str) -> Moment:
    """Return at which state of the tables a question is put. Raise UserError for two at once."""
    if released is None:
        return int(as_of) if as_of and as_of.isdigit() else as_of
    if as_of or on == TRINO:
        raise UserError("a release says for every table at which version it is read", where="--release",
                        remedy="leave --as-of and --on trino out")  # fmt: skip
    from jobs.release import versions

    return versions(world.lake, released)


def _ask(world: World, query: str, moment: Moment, on: str) -> Any:
    from jobs import asking
    from jobs.query import sql as ask

    if isinstance(moment, dict):
        return ask(world.lake, query, released=moment)
    return asking.sql(world.trino, query, moment) if on == TRINO else ask(world.lake, query, moment)


def _answer(world: World, query: str, moment: Moment, limit: int, on: str, *, to_csv: bool = False) -> None:
    found = _ask(world, query, moment, on)
    if to_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(found.column_names)
        writer.writerows(row.values() for row in found.to_pylist())
    else:
        show_rows(world, found.slice(0, limit).to_pylist() if not world.as_json else found.to_pylist())
    if found.num_rows > limit and not world.as_json and not to_csv:
        world.console.print(f"[dim]{limit} of {found.num_rows:,} rows; --limit shows more[/dim]")
    if moment is None and on == LAKE and not world.as_json:
        _tell_unresolved(world, query)
    _tell_unchecked(world, query, on)


def _tell_unresolved(world: World, query: str) -> None:
    """Say beside emissions of a table that does not count it itself how much activity has no line, on stderr."""
    from jobs import query as ours

    mute = {name for name, one in contracts().items() if EMISSION in one.measures and OPEN not in one.columns}
    if UNRESOLVED in query or not mute & set(ours.tables_in(query)) or world.lake.open(UNRESOLVED) is None:
        return
    (row,) = ours.sql(world.lake, f"select count(*) as n from {UNRESOLVED}").to_pylist()
    if row["n"]:
        world.aside.print(f"[dim]{row['n']:,} activities have no line and are in no total: {UNRESOLVED}[/dim]", soft_wrap=True)


def _tell_unchecked(world: World, query: str, on: str) -> None:
    """Say beside an answer which deliveries below it nothing guarded: on stderr, so that machines can read the answer."""
    from jobs import query as ours
    from jobs import saved
    from jobs.integrity import unchecked

    named = saved.tables_in(query) if on == TRINO else ours.tables_in(query)
    found = unchecked(world.lake, (name.removeprefix(f"{ours.QUARANTINE}.").partition("@")[0] for name in named))
    if not found:
        return
    if world.as_json:
        print(json.dumps({"unchecked": found}, ensure_ascii=False), file=sys.stderr)
        return
    shown = [f"{name} ({how})" for name, how in list(found.items())[:NAMED]]
    more = f" and {len(found) - NAMED} more tables" if len(found) > NAMED else ""
    world.aside.print(f"[dim]no checksum guards deliveries of {', '.join(shown)}{more}[/dim]", soft_wrap=True)


def _prompt(world: World, moment: Moment, limit: int, on: str) -> None:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter

    names: list[str] = [*WORDS, *contracts(), *sorted({name for one in contracts().values() for name in one.columns})]
    session: PromptSession[str] = PromptSession(completer=WordCompleter(names, ignore_case=True, sentence=False))
    asked = "Trino" if on == TRINO else "the lake"
    world.console.print(f"[dim]SQL over {asked}; Tab completes, Ctrl-D leaves[/dim]")
    while (query := _next(session)) is not None:
        if query.strip():
            try:
                _answer(world, query, moment, limit, on)
            except UserError as error:
                world.console.print(f"[red]✗[/red] {error}", markup=True)


def _next(session: Any) -> str | None:
    try:
        return str(session.prompt("carbonlake> "))
    except (EOFError, KeyboardInterrupt):
        return None
