"""`probe`: what is inside a file, and the contract that would read it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
import yaml

from carbonlake.world import World
from schemas import new
from schemas.errors import UserError

# What a file's name ends in.
ENDING = re.compile(r"(\.[A-Za-z]\w*)?\.[A-Za-z0-9]\w*$")


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(probe)


def probe(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="A file as it came, or connection:<name>/<table> of a database")],
    format_: Annotated[str, typer.Option("--format", help="What it is read as, e.g. json; else what its bytes say")] = "",
    option: Annotated[Optional[list[str]], typer.Option(help="Of the format's reader, as name=value, value as in YAML")] = None,
    table: Annotated[str, typer.Option(help="Name of the table that is proposed")] = "",
) -> None:
    """Show what is inside a file, or a table of a database, without landing it, and propose the contract of a table for it.

    \b
    carbonlake probe meters/Building_1.csv
    carbonlake probe prices.json --option records=records
    carbonlake probe readings.csv --option "delimiter=';'" --table cleaned.reading
    carbonlake probe months.zip --option "members=data/*.csv"
    carbonlake probe connection:plant/public.reading --table cleaned.reading
    """
    world: World = context.obj
    path = Path(file)
    if file.startswith("connection:"):
        inside, about = _in_database(world, file, format_, option or ())
        read_as = "parquet"
        given, left = dict[str, Any](), dict[str, str]()
        texts = new.texts(table, about) if table else {}
    else:
        inside, read_as, given = found_in(path, format_, _options(option or ()))
        texts, left = proposed(table, path, read_as, given, inside) if table else ({}, {})
    if world.as_json:
        world.say({"format": read_as, "options": given, "inside": inside, "files": texts, "left": left})
        return
    how = f", with {', '.join(f'{name}: {value!r}' for name, value in given.items())}" if given else ""
    world.console.print(f"{path.name} is read as {read_as}{how}", markup=False, soft_wrap=True)
    for name, value in inside.items():
        world.console.print(f"{name}: {value}", markup=False, soft_wrap=True)
    for name, text in texts.items():
        world.console.print(f"\n[dim]# {name}[/dim]")
        world.console.print(text, markup=False, soft_wrap=True)
    for name, why in left.items():
        world.aside.print(f"no table of {name}: {why}", markup=False, soft_wrap=True)
    if not table:
        world.console.print("[dim]a contract for it: --table cleaned.<name>[/dim]")


def from_delivery(
    world: World, table: str, place: str, format: str, option: Sequence[str]
) -> tuple[dict[str, str], dict[str, str]]:  # fmt: skip
    """Return path → text of contracts for a delivery, or a table of a database, and what of it makes no table."""
    if not table.startswith("cleaned."):
        raise UserError(f"{table} reads no deliveries", where="--from", remedy="name a cleaned table: cleaned.<name>")
    if place.startswith("connection:"):
        return new.texts(table, _in_database(world, place, format, option)[1]), {}
    inside, read_as, given = found_in(Path(place), format, _options(option))
    return proposed(table, Path(place), read_as, given, inside)


def _in_database(world: World, place: str, format: str, option: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    from jobs import probe_database

    if format or option:
        raise UserError("a table of a database has no format and no options", where=place, remedy="leave them out")
    named = probe_database.named(place)
    assert named
    return probe_database.look(named, world.settings.connections)


def found_in(path: Path, format: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """Return what is inside a file, the format that it was read as, and the options that its reader needs."""
    from jobs.readers.look import look

    return look(path, format, given)


def proposed(
    table: str, path: Path, read_as: str, given: Mapping[str, Any], inside: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return path → text of contracts for all that a file holds, and what of it makes no table, with the reason.

    The first one lands the deliveries, the others read them, too; they are named after it and what they hold. Raise
    UserError where nothing of the file can be read.
    """
    from jobs.proposal import proposals

    texts: dict[str, str] = {}
    left: dict[str, str] = {}
    refused: list[UserError] = []
    tables = inside.get("tables", {"": {}})
    if not tables:
        raise UserError("there is nothing in it that makes a table", where=path.name, remedy="ask for a delivery with values")
    if any(given.keys() & options.keys() for options in tables.values()):  # who names what to read means that alone
        tables = {"": {}}
    several = [{**options, **given} for options in tables.values()]
    for name, chosen, found in zip(tables, several, proposals(read_as, path, several), strict=True):
        if isinstance(found, UserError):
            left[name], refused = str(found), [*refused, found]
            continue
        ending = ENDING.search(path.name)
        about = {"format": read_as, "options": chosen, "columns": found.columns, "more": found.more, "key": found.key,
                 "rows": found.rows, "rejected": found.rejected, "positive": found.positive, "values": found.values,
                 "extension": ending[0][1:] if ending else ""}  # fmt: skip
        texts |= new.texts(_named(table, name, texts), about | {"of": table}) if texts else new.texts(table, about)
    if not texts:
        raise refused[0]
    return texts, left


def _named(table: str, name: str, taken: Mapping[str, str]) -> str:
    """Return the name of a further table of a file, with a number where another one has it."""
    word = f"{table}_{_word(name)}"
    names = chain([word], (f"{word}_{number}" for number in count(2)))
    return next(one for one in names if f"schemas/{one.replace('.', '/')}.yaml" not in taken)


def _word(name: str) -> str:
    """Return a name in signs that a table's name may have; one of other letters by their numbers."""
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return word or "_".join(f"{ord(sign):x}" for sign in name)


def _options(given: Sequence[str]) -> dict[str, Any]:
    found = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise UserError(f"{one!r} is no option", where="--option", remedy="write it as name=value")
        try:
            found[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UserError(f"{value!r} is no YAML: {getattr(error, 'problem', error)}", where=f"--option {name}",
                            remedy="put texts with special signs in quotes") from None  # fmt: skip
    return found
