"""SQL over the lake: DuckDB on the files of Delta versions, read-only, as of now or of an earlier moment."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta

import duckdb
import pyarrow as pa
import sqlglot
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from sqlglot import exp

from jobs import deltalog, relation, store
from jobs.lake import Lake
from jobs.relation import literal, quote
from schemas.contracts import contracts
from schemas.errors import UserError

QUARANTINE = "quarantine"
ALLOWED = (exp.Query, exp.Describe, exp.Summarize)
# Table functions that read nothing from outside.
FUNCTIONS = (exp.Unnest, exp.GenerateSeries, exp.Values, exp.Lateral)


def sql(
    lake: Lake, text: str, as_of: int | str | None = None, released: Mapping[str, int] | None = None
) -> pa.Table:  # fmt: skip
    """Return what a query gives; tables are named layer.table, quarantines quarantine.layer.table.

    `as_of` is a version of the one table that is named, or a day (its end, UTC) or instant for all of them; a table that
    is named with its own, layer."table@1" or layer."table@2026-01-31", is read at that. `released` names the version of
    each table, as a release does.
    Raise UserError for anything but one SELECT, WITH, FROM, DESCRIBE or SUMMARIZE, and for unknown names.
    """
    lake.require()
    named = tables_in(text)
    if isinstance(as_of, int) and len(named) != 1:
        raise UserError(f"a version belongs to one table, the query names {len(named)}", remedy="give a date instead")
    versions = {name: _version(lake, name, as_of, released) for name in named}
    try:
        with connection(lake, versions, locked=True) as duck:
            return relation.arrow_table(duck.sql(text))
    except duckdb.Error as error:
        raise UserError(str(error).strip(), remedy=_hint(str(error), lake, named)) from None


def connection(lake: Lake, versions: Mapping[str, int | None], *, locked: bool = False) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection with a view for each table at its version (None: the newest).

    A locked one reads files of these tables alone, writes none, and keeps its settings.
    """
    duck = relation.connect(lake.root, lake.storage_options)
    # A folder of its own, for DuckDB lets a locked connection read and write all below it.
    duck.execute(f"set temp_directory = {literal(str(lake.folder / '_spill'))}")
    for name, version in versions.items():
        view(duck, lake, name, version)
    if locked:
        folders = ", ".join(literal(_path(lake, _base(name))) for name in versions)
        duck.execute(f"set allowed_directories = [{folders}]")
        duck.execute("set enable_external_access = false; set lock_configuration = true")
    return duck


def view(duck: duckdb.DuckDBPyConnection, lake: Lake, name: str, version: int | None) -> str:
    """Make a view for a table at its version (None: the newest) on a connection, and return its name in SQL."""
    table = open_table(lake, _base(name), version)
    catalog, schema = ("memory", name.split(".")[0])
    if name.startswith(f"{QUARANTINE}."):
        catalog, schema = QUARANTINE, name.split(".")[1]
        duck.execute(f"attach if not exists ':memory:' as {catalog}")
    duck.execute(f"create schema if not exists {catalog}.{quote(schema)}")
    made = f"{catalog}.{quote(schema)}.{quote(name.split('.')[-1])}"
    duck.execute(f"create view {made} as {relation.relation_sql(table)}")
    return made


def relation_sql(lake: Lake, table: str, version: int | None = None) -> str:
    """Return a SELECT over the files of a table at a version, in the table's types."""
    return relation.relation_sql(open_table(lake, table, version))


def tables_in(text: str) -> list[str]:
    """Return the tables that a query names. Raise UserError for anything that is not one reading query."""
    try:
        statements = [one for one in sqlglot.parse(text, dialect="duckdb") if one is not None]
    except sqlglot.errors.ParseError as error:
        first = error.errors[0] if error.errors else {}
        raise UserError(f"not valid SQL: {first.get('description', error)}", where=f"line {first.get('line', 1)}",
                        remedy=f"near {first.get('highlight', '')!r}") from None  # fmt: skip
    if len(statements) != 1 or not isinstance(statements[0], ALLOWED):
        raise UserError("only one query that reads is allowed",
                        remedy="begin with select, with, from, describe or summarize")  # fmt: skip
    known = {cte.alias for cte in statements[0].find_all(exp.CTE)}
    found = []
    for one in statements[0].find_all(exp.Table):
        if not isinstance(one.this, exp.Identifier):
            if not isinstance(one.this, FUNCTIONS):
                raise UserError(f"{one.this.sql('duckdb')} is not allowed here", remedy="query tables of the lake")
        elif one.db or one.name not in known:
            found.append(".".join(part for part in (one.catalog, one.db, one.name) if part))
    return list(dict.fromkeys(found))


def version_at(table: DeltaTable, moment: str) -> int | None:
    """Return the newest version that was there at an instant or at the end of a day (UTC); None before the first."""
    limit = instant(moment).timestamp() * 1000
    for version in range(table.version(), -1, -1):
        actions = deltalog.actions(table, version)
        if actions is None:
            raise UserError(f"the log before version {version + 1} is gone", where=str(table.table_uri),
                            remedy="ask for a later moment")  # fmt: skip
        if any(action.get("commitInfo", {}).get("timestamp", limit + 1) <= limit for action in actions):
            return version
    return None


def instant(moment: str) -> datetime:
    """Return an instant that is written as ISO has it, without a zone in UTC, or the end of a day. Raise UserError."""
    try:
        if len(moment) == len("2026-01-01"):
            day = date.fromisoformat(moment) + timedelta(days=1)
            return datetime.combine(day, time(), UTC) - timedelta(milliseconds=1)
        found = datetime.fromisoformat(moment)
    except ValueError:
        raise UserError(f"{moment!r} is no date", remedy="give a version, 2026-03-31 or 2026-03-31T12:00+08:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _base(name: str) -> str:
    """Return the name of a table without the version that it is asked at."""
    return name.partition("@")[0]


def not_released(table: str, released: Collection[str]) -> UserError:
    """Return what is said of a table that a release does not hold."""
    return UserError(f"{table} is in no such release", remedy=_near(table, released))


def _version(lake: Lake, name: str, as_of: int | str | None, released: Mapping[str, int] | None = None) -> int | None:
    name, _, own = name.partition("@")
    if released is not None and not own:
        if name not in released:
            raise not_released(name, released)
        return released[name]
    as_of = (int(own) if own.isdigit() else own) if own else as_of
    if as_of is None or isinstance(as_of, int):
        return as_of
    found = version_at(open_table(lake, name, None), as_of)
    if found is None:
        raise UserError(f"{name} did not exist at {as_of}", remedy=f"`carbonlake history {name}` lists its versions")
    return found


def _path(lake: Lake, name: str) -> str:
    if name.startswith(f"{QUARANTINE}."):
        return lake.quarantine_path(name.removeprefix(f"{QUARANTINE}."))
    return lake.table_path(name)


def open_table(lake: Lake, name: str, version: int | None = None) -> DeltaTable:
    """Return a table (or quarantine.layer.table) at a version. Raise UserError with near names if it is not there."""
    table = lake.open_path(_path(lake, name)) if _well_named(name) else None
    if table is None:
        known = contracts()
        if name in known:
            raise UserError(f"{name} has no data yet", remedy=f"carbonlake build {name}")
        there = {*known, *tables(lake)}
        raise UserError(f"there is no table {name!r}", remedy=_near(name, there))
    if version is None or version == table.version():
        return table
    try:
        found = lake.open_path(_path(lake, name), version)
    except DeltaError:
        found = None
    if found is None:  # never there, or its part of the log is gone
        raise UserError(f"{name} has no version {version}", remedy=f"`carbonlake history {name}` lists its versions")
    return found


def _well_named(name: str) -> bool:
    parts = name.removeprefix(f"{QUARANTINE}.").split(".")
    return len(parts) == 2 and all(part.isidentifier() for part in parts)


def _near(name: str, there: Collection[str]) -> str:
    short = {table.split(".")[-1]: table for table in there}
    near = difflib.get_close_matches(name, there, n=3)
    near += [short[found] for found in difflib.get_close_matches(name.split(".")[-1], short, n=3)]
    shown = list(dict.fromkeys(near)) or sorted(there)[:5]
    return f"did you mean {', '.join(shown)}?"


def tables(lake: Lake) -> list[str]:
    """Return the names of all tables of a lake that have been made, quarantines included."""
    if not lake.remote:
        root = store.local(lake.root)
        logs = [*root.glob("[!_]*/*/_delta_log"), *root.glob(f"{QUARANTINE}/*/*/_delta_log")]
        return sorted(".".join(log.parent.relative_to(root).parts) for log in logs)
    layers = _folders(lake, [()])
    places = [place for place in layers if place != (QUARANTINE,)]
    places = _folders(lake, places) + _folders(lake, _folders(lake, [place for place in layers if place == (QUARANTINE,)]))
    return sorted(".".join(log[:-1]) for log in _folders(lake, places, hidden=True) if log[-1] == "_delta_log")


def _folders(lake: Lake, places: Sequence[tuple[str, ...]], *, hidden: bool = False) -> list[tuple[str, ...]]:
    """Return the folders right below some of an object store."""
    from jobs import objects

    with ThreadPoolExecutor(16) as pool:  # each look is a request
        found = pool.map(lambda p: list(objects.listed(lake.place(*p), lake.storage_options, deep=False)), places)
    return [(*place, name[:-1]) for place, names in zip(places, found, strict=True) for name, _ in names
            if name.endswith("/") and (hidden or not name.startswith("_"))]  # fmt: skip


def open_tables(lake: Lake) -> dict[str, DeltaTable]:
    """Return a handle on the newest version of every table, by name."""
    if not lake.remote:
        return {name: open_table(lake, name) for name in tables(lake)}
    names = tables(lake)
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(names, pool.map(lambda name: open_table(lake, name), names), strict=True))


def _hint(error: str, lake: Lake, named: Collection[str]) -> str:
    if "No files found" in error or "Cannot open file" in error or "No such file" in error:
        return "files of this version were vacuumed: ask for a later version"
    with_columns = [f"{name}: {', '.join(relation.columns(open_table(lake, _base(name))))}" for name in named]
    return f"columns of {'; '.join(with_columns)}" if "not found in FROM" in error and named else "check the query"
