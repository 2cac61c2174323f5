"""`report`: accounting reports of enterprises, parks and regions, filled from the lake by templates, and their versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from carbonlake.tables import show_rows, text
from carbonlake.world import World
from schemas.errors import UserError

KINDS = ("enterprise", "park", "region")
Year = Annotated[int, typer.Argument(help="The year that is reported", min=1900, max=2200)]
Members = Annotated[Optional[list[str]], typer.Argument(help="Code, id or name of whose report it is; several may be named")]
Every = Annotated[bool, typer.Option("--all", help="Of all that have any activity in the year")]
Format = Annotated[str, typer.Option("--format", help="docx, xlsx, pdf, with commas between")]
Out = Annotated[Optional[Path], typer.Option(help="Folder to put copies in; the lake keeps its own")]
Of = Annotated[Optional[Path], typer.Option("--template", help="A template of your own: .md for all formats, .docx or .xlsx")]
Released = Annotated[Optional[str], typer.Option("--release", help="As published under this name, instead of now")]
Report = Annotated[str, typer.Argument(help="Report, as `report list` names it; without a version its newest")]
STEP = ("report_id", "status", "receiver", "reply", "at")
SHOWN = ("report_id", "status", "emission_tco2e", "unresolved_rows", "name", "at")


def add(app: typer.Typer) -> None:
    """Add the commands."""
    room = typer.Typer(no_args_is_help=True, help="Make accounting reports (Word, Excel, PDF), keep their versions, submit them.")
    for kind in KINDS:
        room.command(kind, help=HELP.format(kind=kind, example=EXAMPLES[kind]))(_maker(kind))
    room.command()(template)
    room.command("list")(listed)
    for command in (show, submit, mark):
        room.command()(command)
    app.add_typer(room, name="report")


EXAMPLES = {"enterprise": "91140000EXAMPLE022", "park": "EXAMPLE-P1", "region": "140000"}
HELP = """Make the accounting report of a {kind} (or several, or --all) for a year; the same data give the same bytes.

\b
carbonlake report {kind} 2024 {example}
carbonlake report {kind} 2024 --all --format docx,pdf --out build/reports
carbonlake report {kind} 2024 {example} --template mine.docx --format docx,pdf
"""


def _maker(kind: str) -> Any:
    def make(
        context: typer.Context, year: Year, members: Members = None, every: Every = False, format_: Format = "docx,xlsx,pdf",
        out: Out = None, template: Of = None, release: Released = None,
    ) -> None:  # fmt: skip
        if bool(members) == every:
            raise typer.BadParameter(f"name whose report it is, e.g. {EXAMPLES[kind]}, or say --all")
        _make(context.obj, kind, year, members or [], [one.strip() for one in format_.split(",")], out, template, release)

    return make


def _make(
    world: World,
    kind: str,
    year: int,
    members: list[str],
    formats: list[str],
    out: Path | None,
    given: Path | None,
    released: str | None,
) -> None:
    from rich.progress import track

    from jobs.reports import kept, making

    count, reports = making.make(world.lake, kind, year, members, formats, given, released)
    done = []
    quiet = count == 1 or not world.aside.is_terminal
    for one in track(reports, f"{count} reports", count, console=world.aside, transient=True, disable=quiet):
        done.append(_opened(one.row) | {"outcome": one.outcome})
        if not world.as_json:
            world.console.print(f"{one.row['report_id']}: {one.outcome}", markup=False, soft_wrap=True)
            _total(world, one.row)
        for name in done[-1]["files"]:
            if name.split(".")[-1] in formats:
                _hand(world, one.row, name, out)
    if world.as_json:
        world.say([row | {"places": [kept.place(world.lake, name) for name in row["files"]]} for row in done])


def _total(world: World, row: dict[str, Any]) -> None:
    lacks = f", [yellow]without {row['unresolved_rows']:,} unresolved activities[/yellow]" if row["unresolved_rows"] else ""
    part = "" if row["kind"] == "enterprise" else " of scope 1"  # above an enterprise scopes are never added
    said = "nothing could be computed" if row["emission_tco2e"] is None else f"{text(row['emission_tco2e'])} tCO2e{part}"
    world.console.print(f"  {text(row['name'])} {row['year']}: {said}{lacks}", soft_wrap=True)


def _hand(world: World, row: dict[str, Any], name: str, out: Path | None) -> None:
    """Tell where a file lies, or copy it into a folder."""
    from jobs import store
    from jobs.reports import kept

    place = kept.place(world.lake, name)
    if out is not None:
        store.write(out / name, store.read(place, world.lake.storage_options))
    if not world.as_json:
        world.console.print(f"  {out / name if out else place}", markup=False, soft_wrap=True)


def _opened(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: json.loads(row[name]) for name in ("files", "templates", "tables")}


def template(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="enterprise, park or region")],
    out: Annotated[Path, typer.Option(help="File to write: .md (gives all formats), .docx or .xlsx")],
) -> None:
    """Write a template to edit; in a project's folder reports/ it is taken without being named.

    \b
    carbonlake report template enterprise --out mine.docx
    carbonlake report template enterprise --out my-project/reports/enterprise.md
    """
    from jobs.reports.making import write_template

    if kind not in KINDS:
        raise typer.BadParameter(f"{kind!r} is none of {', '.join(KINDS)}")
    write_template(kind, out)
    context.obj.console.print(f"{out} is yours to edit; docs/reports.md lists its placeholders", markup=False, soft_wrap=True)


def listed(context: typer.Context) -> None:
    """List the reports that were made, every version with its state, the newest first.

    \b
    carbonlake report list
    """
    from jobs.reports import kept

    world: World = context.obj
    rows = kept.listed(world.lake)
    show_rows(world, map(_opened, rows) if world.as_json else [{name: row[name] for name in SHOWN} for row in rows])


def show(context: typer.Context, report: Report, out: Out = None) -> None:
    """Show a version: what it was made of, what became of it, and its files, which are checked against what was kept.

    \b
    carbonlake report show enterprise-91140000EXAMPLE022-2024-v1 --out build
    """
    from jobs.reports import kept

    world: World = context.obj
    row = kept.report(world.lake, report)
    files = kept.files(world.lake, row)
    if world.as_json:
        world.say(_opened(row))
    else:
        steps = [one for one in kept.history(world.lake) if one["report_id"] == row["report_id"]]
        show_rows(world, [{name: one[name] for name in STEP} for one in steps])
        _total(world, row)
        for end, used in json.loads(row["templates"]).items():
            world.console.print(f"  {end} by {used['file']} {used['sha256'][:12]}", markup=False)
    for name in files:
        _hand(world, row, name, out)


def submit(
    context: typer.Context, report: Report, to: Annotated[str, typer.Option(help="Subscription in conf/ that receives it")] = ""
) -> None:
    """Send a report with its files to a subscription of the settings, signed; ends with 1 where it was not taken.

    \b
    carbonlake report submit enterprise-91140000EXAMPLE022-2024-v1
    """
    from jobs.reports.sent import submit as send

    world: World = context.obj
    row = send(world.lake, world.settings.webhooks, report, to)
    if row["status"] == "failed":
        raise UserError(f"{row['receiver']} did not take it: {row['reply']}", where=row["report_id"],
                        remedy="look at the receiver, then submit it again; the message keeps its id")  # fmt: skip
    _stood(world, row)


def mark(
    context: typer.Context,
    report: Report,
    answer: Annotated[str, typer.Argument(help="accepted or returned")],
    by: Annotated[str, typer.Option(help="Who answered, and why")],
) -> None:
    """Put down what was answered to a report that was submitted.

    \b
    carbonlake report mark enterprise-91140000EXAMPLE022-2024-v1 accepted --by "ecology bureau, 2025-04-02"
    """
    from jobs.reports.sent import mark as put

    _stood(context.obj, put(context.obj.lake, report, answer, by))


def _stood(world: World, row: dict[str, Any]) -> None:
    show_rows(world, [{name: row[name] for name in STEP}])
