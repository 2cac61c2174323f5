"""Publishing a lake to Trino: tables registered and described, views, what no contract names taken away, health."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from jobs import comments, query, store
from jobs.desk import Desk, desk
from jobs.lake import Lake
from jobs.relation import columns, literal, quote
from jobs.saved import SavedQuery, name_in_trino, saved
from jobs.trino import RefusedError, Server
from schemas.contract import LAYERS
from schemas.contracts import contracts
from schemas.errors import UserError

VIEWS = "views"
LOCATION = re.compile(r"location = '((?:[^']|'')*)'")
# A view of ours says so in its comment; one that a person made is left alone.
OURS = "(carbonlake sql --saved {})"
# What is quick to read of a row, the quickest first; text where a table has nothing else.
QUICK = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_temporal, pa.types.is_floating, pa.types.is_decimal)
THERE, ABSENT = ("ALREADY_EXISTS", "TABLE_ALREADY_EXISTS", "SCHEMA_ALREADY_EXISTS"), ("NOT_FOUND", "TABLE_NOT_FOUND")


@dataclass
class Published:
    """What was done, by schema.table as Trino names it, and what is wrong with which."""

    registered: list[str] = field(default_factory=list)
    described: list[str] = field(default_factory=list)
    taken_away: list[str] = field(default_factory=list)
    views: list[str] = field(default_factory=list)
    healthy: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


def publish(at: Server, lake: Lake, only: Collection[str] | None = None, *, replace: bool = False) -> Published:
    """Make Trino show the lake: all tables that a contract names, their quarantines, and the views.

    With `only`, of what Trino has no more than these and their quarantines are looked at, and nothing is taken away. A
    table that Trino has at another place is a problem, unless `replace` is set. Several may publish at once. What cannot
    be shown or read is told in `problems`; raise UserError where Trino cannot be used at all.
    """
    done = Published()
    wanted = [name for name in query.tables(lake) if _contract(name) in contracts()]
    with desk(at) as counter:
        there = _there(counter)
        chosen = sorted(n for n in wanted if only is None or _contract(n) in only or name_in_trino(n) not in there)
        for schema in sorted({name_in_trino(name).split(".")[0] for name in chosen} | {VIEWS}):
            _unless(counter, f"create schema if not exists {quote(schema)}", THERE)

        def one(name: str) -> None:
            try:
                _table(counter, lake, name, done, there, replace=replace)
            except UserError as error:
                done.problems[name_in_trino(name)] = str(error)

        counter.each(one, chosen)
        names = set(map(name_in_trino, wanted))
        views = _wanted_views(names - set(done.problems))
        counter.each(lambda name: _view(counter, name, views[name], done), [v for v in views if only is None or v not in there])
        if only is None:
            counter.each(lambda name: _leave(counter, lake, name, done), sorted(_foreign(there, names)))
            counter.each(lambda name: _drop(counter, name, done), sorted(_foreign_views(there, views)))
    return done


def analyze(at: Server, tables: Collection[str]) -> list[str]:
    """Let Trino gather statistics of tables that it has, what was analysed before left out; return which it could."""
    done: list[str] = []
    with desk(at) as counter:
        there = _there(counter)

        def one(name: str) -> None:
            try:
                counter.ask(f"analyze {_quoted(name)}")
                done.append(name)
            except RefusedError:  # a table that is damaged or may not be analysed is found by `publish`
                pass

        counter.each(one, sorted(name for name in map(name_in_trino, tables) if there.get(name) == "BASE TABLE"))
    return sorted(done)


def place(path: str) -> str:
    """Return where Trino finds a table: its URL, or its folder where the catalog has `local.location=/`."""
    return path if store.is_remote(path) else f"local://{store.local(path)}"


def _contract(name: str) -> str:
    return name.removeprefix(f"{query.QUARANTINE}.")


def _quoted(name: str) -> str:
    return ".".join(map(quote, name.split(".")))


def _there(counter: Desk) -> dict[str, str]:
    """Return schema.table of everything in the catalog, with its kind: BASE TABLE or VIEW."""
    found = counter.ask("select table_schema || '.' || table_name, table_type from information_schema.tables"
                        " where table_schema <> 'information_schema'")  # fmt: skip
    return {str(name): str(kind) for name, kind in found.rows}


def _unless(counter: Desk, statement: str, codes: Collection[str]) -> bool:
    """Do what a statement says, unless another did it already; tell whether it was us."""
    try:
        counter.ask(statement)
    except RefusedError as error:
        if error.code not in codes:
            raise
        return False
    return True


def _table(counter: Desk, lake: Lake, name: str, done: Published, there: Mapping[str, str], *, replace: bool) -> None:
    """Register one table where it is not, with its contract's words, and read a column of it."""
    shown, head = name_in_trino(name), query.open_table(lake, name)
    if name in contracts() and comments.align(lake, contracts()[name], head):
        done.described.append(shown)
    wanted = place(lake.table_path(name))
    if shown in there and (found := _location(counter, shown)) != wanted:
        if not replace:
            remedy = "give this lake a catalog of its own, or take the name: `carbonlake publish --replace`"
            raise UserError(f"Trino has this name for {found}", remedy=remedy)
        _unregister(counter, shown)
        there = {}
    if shown not in there and _register(counter, shown, wanted):
        done.registered.append(shown)
    counter.ask(f"select count({quote(_quick(columns(head), head.metadata().partition_columns))}) from {_quoted(shown)}")
    done.healthy.append(shown)


def _register(counter: Desk, shown: str, at: str) -> bool:
    schema, table = map(literal, shown.split("."))
    return _unless(counter, f"call system.register_table({schema}, {table}, {literal(at)})", THERE)


def _unregister(counter: Desk, shown: str) -> bool:
    """Let Trino forget a table; its files stay."""
    schema, table = map(literal, shown.split("."))
    return _unless(counter, f"call system.unregister_table({schema}, {table})", ABSENT)


def _location(counter: Desk, shown: str) -> str:
    found = LOCATION.search(str(counter.ask(f"show create table {_quoted(shown)}").rows[0][0]))
    return found[1].replace("''", "'") if found else ""


def _quick(types: Mapping[str, pa.DataType], partitions: Collection[str]) -> str:
    """Return a column that is quick to read and is in the files: partition values are in the log."""
    able = [name for name in types if name not in partitions] or list(types)
    rank = {name: next((i for i, fits in enumerate(QUICK) if fits(types[name])), len(QUICK)) for name in able}
    return min(able, key=lambda name: rank[name])


def _foreign(there: Mapping[str, str], wanted: Collection[str]) -> list[str]:
    """Return tables in schemas that may be ours which no contract names."""
    ours = {*LAYERS, *(f"{query.QUARANTINE}_{layer}" for layer in LAYERS)}
    return [name for name, kind in there.items() if kind == "BASE TABLE" and name not in wanted and name.split(".")[0] in ours]


def _leave(counter: Desk, lake: Lake, shown: str, done: Published) -> None:
    """Take a table away that no contract names, if it is where we would have registered it from; else it is another's."""
    schema, _, table = shown.partition(".")
    prefix = f"{query.QUARANTINE}_"
    parts = (query.QUARANTINE, schema.removeprefix(prefix)) if schema.startswith(prefix) else (schema,)
    try:
        if _location(counter, shown) == place(lake.table_path(".".join([*parts, table]))) and _unregister(counter, shown):
            done.taken_away.append(shown)
    except RefusedError as error:
        if error.code not in ABSENT:
            done.problems[shown] = str(error)


def _wanted_views(tables: Collection[str]) -> dict[str, SavedQuery]:
    """Return the saved queries that are shown as views and whose tables are there, by the name of the view."""
    return {f"{VIEWS}.{one.name}": one for one in saved().values() if one.view and set(one.tables_in_trino()) <= set(tables)}


def _view(counter: Desk, shown: str, one: SavedQuery, done: Published) -> None:
    """Make or renew a view; whoever asks it needs the rights on its tables himself."""
    comment = literal(f"{one.title} · {one.title_zh} {OURS.format(one.name)}")
    try:
        counter.ask(f"create or replace view {_quoted(shown)} comment {comment} security invoker as {one.sql}")
        done.views.append(shown)
    except UserError as error:
        done.problems[shown] = str(error)


def _foreign_views(there: Mapping[str, str], wanted: Collection[str]) -> list[str]:
    return [name for name, kind in there.items() if kind == "VIEW" and name.startswith(f"{VIEWS}.") and name not in wanted]


def _drop(counter: Desk, shown: str, done: Published) -> None:
    """Take a view away that no saved query makes, if it says that it is of ours."""
    try:
        made = str(counter.ask(f"show create view {_quoted(shown)}").rows[0][0])
        if OURS.format(shown.partition(".")[2]) in made and _unless(counter, f"drop view {_quoted(shown)}", ABSENT):
            done.taken_away.append(shown)
    except RefusedError as error:
        if error.code not in ABSENT:
            done.problems[shown] = str(error)
