"""`factors`: the factor library, found, compared, followed through the years, exported, and weighed before it is changed."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Optional

import typer

from carbonlake.tables import show_rows
from carbonlake.world import World
from schemas.errors import UserError

factors = typer.Typer(help="Emission factors: search, compare, history, export, and what a new version would move.",
                      no_args_is_help=True)  # fmt: skip
Words = Annotated[Optional[list[str]], typer.Argument(help="Words that must all be there, Chinese or English")]
Library = Annotated[str, typer.Option(help="Library, e.g. NDRC, MEE, IPCC2006, DEFRA")]
Role = Annotated[str, typer.Option(help="What it is in a formula: ef, ncv, cc, of, gwp ...")]
Gas = Annotated[str, typer.Option(help="Gas, e.g. CO2")]
Region = Annotated[str, typer.Option(help="Region it is given for, e.g. 110000 or CHN")]
On = Annotated[Optional[datetime], typer.Option(formats=["%Y-%m-%d"], help="Only those in force on that day")]
Known = Annotated[Optional[datetime], typer.Option(formats=["%Y-%m-%d"], help="Only those published by that day")]
Limit = Annotated[int, typer.Option(help="Rows shown", min=1)]
Csv = Annotated[bool, typer.Option("--csv", help="Answer in CSV, whole")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(factors, name="factors")


@factors.command()
def search(
    context: typer.Context, words: Words = None, library: Library = "", role: Role = "", gas: Gas = "", region: Region = "",
    on: On = None, known_on: Known = None, limit: Limit = 20, as_csv: Csv = False,
) -> None:  # fmt: skip
    """Find factors by words, with value, unit, period, source and how sure each is: verified, or from memory.

    \b
    carbonlake factors search 柴油
    carbonlake factors search natural gas --role ef --gas CH4
    carbonlake factors search 电力 --library MEE --region 110000 --on 2022-06-30
    """
    from jobs import factors as library_

    world: World = context.obj
    found = library_.search(world.lake, _wanted(words, library, role, gas, region, on, known_on))
    _show(world, [_plain(row) for row in found], limit, as_csv)


@factors.command()
def compare(
    context: typer.Context, words: Words = None, role: Role = "", gas: Gas = "", region: Region = "",
    on: On = None, known_on: Known = None, limit: Limit = 40, as_csv: Csv = False,
) -> None:  # fmt: skip
    """Show what several sets tell of one thing, and how much each is of the first, units brought together.

    \b
    carbonlake factors compare 烟煤 --role cc
    carbonlake factors compare diesel --on 2024-01-01
    """
    from jobs import factors as library_

    world: World = context.obj
    found = library_.compare(world.lake, _wanted(words, "", role, gas, region, on, known_on))
    shown = [{"activity": row["activity_code"], "role": row["role"], "gas": row["gas"], "factor_set": row["factor_set"],
              "value": row["value"], "unit": row["unit"], "times": row["times"] and round(row["times"], 6),
              "confidence": row["confidence"], "source": row["source"]} for row in found]  # fmt: skip
    _show(world, shown, limit, as_csv)


@factors.command()
def history(
    context: typer.Context, words: Words = None, library: Library = "", role: Role = "", gas: Gas = "", region: Region = "",
    known_on: Known = None, limit: Limit = 40, as_csv: Csv = False,
) -> None:  # fmt: skip
    """Follow factors through the years: value, period, day of publication, change against the one before.

    \b
    carbonlake factors history --region 110000 --library MEE
    carbonlake factors history 全国 --known-on 2024-12-31
    """
    from jobs import factors as library_

    world: World = context.obj
    found = library_.history(world.lake, _wanted(words, library, role, gas, region, None, known_on))
    shown = [{"item": row["item_name"], "factor_set": row["factor_set"], "valid_from": row["valid_from"],
              "valid_to": row["valid_to"], "known_from": row["known_from"], "value": row["value"], "unit": row["unit"],
              "change_percent": row["change_percent"] and round(row["change_percent"], 2), "confidence": row["confidence"],
              "source": row["source"]} for row in found]  # fmt: skip
    _show(world, shown, limit, as_csv)


@factors.command()
def export(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="Where to: .csv or .json")], words: Words = None,
    library: Library = "", role: Role = "", gas: Gas = "", region: Region = "", on: On = None, known_on: Known = None,
) -> None:  # fmt: skip
    """Write factors to a file; as CSV it can be edited and landed again as a library of your own.

    \b
    carbonlake factors export ipcc.csv --library IPCC2006
    carbonlake factors export beijing.json --region 110000
    """
    from jobs import factors as library_

    world: World = context.obj
    number = library_.export(world.lake, _wanted(words, library, role, gas, region, on, known_on), file)
    world.aside.print(f"{number} factors in {file}", markup=False)


@factors.command()
def impact(
    context: typer.Context,
    given: Annotated[str, typer.Argument(help="A file as it came, or a version: knowledge.factor@3")],
    source: Annotated[str, typer.Option(help="Table the file is for, else the one whose pattern fits")] = "",
    rows: Annotated[int, typer.Option(help="Rows shown of each list", min=1, max=1000)] = 10,
) -> None:
    """Show which published line items a new version of a library would move, and by how much; nothing is landed.

    The file goes the whole way in a copy that shares the lake's files, line items included.

    \b
    carbonlake factors impact new/grid_factors.csv --source cleaned.grid_factor
    carbonlake factors impact knowledge.factor@3
    """
    from jobs.factor_impact import impact as weigh

    world: World = context.obj
    with ExitStack() as stack:
        engine = stack.enter_context(world.engine())
        found = weigh(world.lake, engine, world.opened, given, source or _claimed(given), first=rows)
    if world.as_json:
        world.say(found)
        return
    counts = ", ".join(f"{number} {what}" for what, number in found["factors"].items())
    world.console.print(f"factors: {counts}", markup=False)
    for title in ("changed", "totals", "methods", "lines"):
        if found[title]:
            show_rows(world, found[title], title=title)
    unresolved = found["unresolved"]
    world.console.print(f"unresolved: {unresolved['before']:,} rows, then {unresolved['after']:,}", markup=False)
    world.console.print("[dim]nothing was landed[/dim]")


def _claimed(given: str) -> str:
    from jobs import claims

    owner = claims.claim(PurePosixPath(Path(given).absolute())) if Path(given).is_file() else None
    if owner is None and Path(given).is_file():
        raise UserError("no table claims a file of this name, or several do", where=given, remedy="name one with --source")
    return owner.table if owner else ""


def _wanted(
    words: Optional[list[str]], library: str, role: str, gas: str, region: str, on: Optional[datetime], known: Optional[datetime]
) -> Any:
    from jobs.factors import Wanted

    exact = {"library": library, "role": role, "gas": gas, "region_code": region}
    return Wanted(tuple(words or ()), tuple((name, value) for name, value in exact.items() if value), _day(on), _day(known))


def _day(at: Optional[datetime]) -> Optional[date]:
    return at.date() if at else None


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """The columns that people look at first; machines get these, too."""
    names = ("factor_set", "item_name", "role", "gas", "region_code", "value", "unit", "valid_from", "valid_to", "confidence",
             "kind", "source", "clause", "known_from", "factor_id")  # fmt: skip
    return {name: row[name] for name in names}


def _show(world: World, rows: list[dict[str, Any]], limit: int, as_csv: bool) -> None:
    if as_csv:
        import csv
        import sys

        writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return
    show_rows(world, rows if world.as_json else rows[:limit])
    if len(rows) > limit and not world.as_json:
        world.console.print(f"[dim]{limit} of {len(rows)} factors; --limit, --json and --csv show more[/dim]")
