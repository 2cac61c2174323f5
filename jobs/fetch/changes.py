"""Every change of a table of PostgreSQL, from its log: first the whole, then inserts, updates and deletes as they were committed.

The slot of logical decoding is moved on only behind what has been landed, so a fetch that is killed sees it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from jobs.fetch import Asked
from jobs.fetch.database import DELETED, demand_flag, headers, snapshot
from jobs.fetch.gone import MEMORY, tombstones
from jobs.fetch.pgoutput import lsn, lsn_text
from jobs.fetch.postgres import SESSION, address, explained, is_ours
from jobs.fetch.transactions import AGAIN, AT_ONCE, Found, read_changes, slot_of
from jobs.land import Arrival
from jobs.relation import literal, quote
from schemas.errors import UserError

PEEK = "pg_logical_slot_peek_binary_changes(%s, %s, %s, 'proto_version', '1', 'publication_names', %s)"
# Of a row of the first, whole reading.
FIRST = {DELETED: "false", "_op": "'snapshot'", "_lsn": "null::text", "_order": "0::bigint", "_committed": "null::timestamptz"}


def changed(asked: Asked) -> Iterator[Arrival]:
    """Yield the whole table where nothing is known of it, and else what was committed since."""
    _demand(asked)
    with _connected(asked) as connection:
        _check_table(asked, connection)
        position, system = dict(asked.position), _system(connection)
        slot = slot_of(asked, position)
        there = _slot(asked, connection, slot)
        if there and position.get("system") == system and slot == position.get("slot", slot):
            yield from _changes(asked, connection, position)
            return
        # Where ours is gone the new one has another name: by the old one, a fetch that is killed before the whole is landed
        # would leave a slot behind that seems to follow the position, and what was changed between the two would be lost.
        begun = slot if there or not position else _other(asked, slot)
        _make_slot(connection, begun, there)
        yield from _whole(asked, begun, system)


def _demand(asked: Asked) -> None:
    one = asked.contract
    if not is_ours(asked.connection(asked.how.connection)):
        raise UserError("only PostgreSQL tells its changes", where=f"{one.file}: source.fetch.changes",
                        remedy="declare a `cursor`, and `deletes: compared`")  # fmt: skip
    if one.write not in ("merge", "append") or not one.key:
        raise UserError("changes need a key, and a way of writing that follows them", where=f"{one.file}: write",
                        remedy="`write: merge` for the present state, `write: append` for every change")  # fmt: skip
    if one.write == "merge":
        demand_flag(one, "changes")


@contextmanager
def _connected(asked: Asked) -> Iterator[psycopg.Connection[Any]]:
    url = address(asked.connection(asked.how.connection))
    where = f"{asked.contract.table}, connection {asked.how.connection}"
    with explained(where), psycopg.connect(url, autocommit=True) as connection:
        for statement in SESSION:
            connection.execute(statement)
        yield connection


def _check_table(asked: Asked, connection: psycopg.Connection[Any]) -> None:
    """Raise UserError where the log would not hold all of each change."""
    where, table = f"{asked.contract.table}, connection {asked.how.connection}", asked.how.table
    level = connection.execute("show wal_level").fetchone()
    if not level or level[0] != "logical":
        raise UserError(f"wal_level is {level[0] if level else '?'}: its log does not tell rows", where=where,
                        remedy="set wal_level = logical and start the server anew")  # fmt: skip
    row = connection.execute("select relreplident::text from pg_class where oid = to_regclass(%s)", [_quoted(table)]).fetchone()
    if row is None:
        raise UserError(f"there is no table {table}", where=where, remedy="mend source.fetch.table")
    if row[0] != "f":
        # Otherwise long values that did not change, and all of a deleted row but its key, are left out of the log.
        raise UserError(f"the log does not hold all of a changed row of {table}", where=where,
                        remedy=f"alter table {_quoted(table)} replica identity full")  # fmt: skip
    published = connection.execute(
        "select pubinsert and pubupdate and pubdelete and pubtruncate from pg_publication p join pg_publication_tables t "
        "using (pubname) where pubname = %s and (schemaname, tablename) = (select nspname, relname from pg_class c "
        "join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass(%s))",
        [asked.how.publication, _quoted(table)]).fetchone()  # fmt: skip
    if not published or not published[0]:
        raise UserError(f"the publication {asked.how.publication} does not hold all changes of {table}", where=where,
                        remedy=f"create publication {asked.how.publication} for table {_quoted(table)}")  # fmt: skip


def _quoted(table: str) -> str:
    return ".".join(map(quote, table.split(".", 1)))


def _system(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute("select system_identifier::text from pg_control_system()").fetchone()
    return str(row[0]) if row else ""


def _other(asked: Asked, slot: str) -> str:
    """Return the other one of the two names that our slot may have."""
    return f"{asked.how.changes}{AGAIN}" if slot == asked.how.changes else asked.how.changes


def _slot(asked: Asked, connection: psycopg.Connection[Any], slot: str) -> bool:
    """Tell whether our slot is there and still holds the log; raise UserError where it is of another kind."""
    row = connection.execute("select plugin, active_pid, wal_status from pg_replication_slots where slot_name = %s",
                             [slot]).fetchone()  # fmt: skip
    if row and (row[0] != "pgoutput" or row[1]):
        raise UserError(f"the slot {slot} is {'in use' if row[1] else f'of {row[0]}'}", where=asked.contract.table,
                        remedy="name a slot of its own in `changes`; fetch makes it")  # fmt: skip
    return bool(row) and row[2] != "lost"  # type: ignore[index]


def _make_slot(connection: psycopg.Connection[Any], name: str, there: bool) -> None:
    """Make the slot before the whole is read, so that nothing is between them; what is in both is told by its number."""
    if there:
        return
    _drop(connection, name)
    connection.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", [name])


def _drop(connection: psycopg.Connection[Any], slot: str) -> None:
    connection.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s", [slot])


def _whole(asked: Asked, slot: str, system: str) -> Iterator[Arrival]:
    """Yield all rows, and before them those that earlier deliveries brought and that are gone.

    Only the last of both moves the position on, so that a fetch that is killed between them does both again.
    """
    file, gone = asked.folder / "whole.parquet", asked.folder / "gone.parquet"
    with snapshot(asked) as found:
        rows, _ = found.save(file, more=FIRST)
        position = {"lsn": "0/0", "snapshot": found.text, "system": system, "slot": slot}
    number = 0
    if asked.contract.write == "merge":
        number = tombstones(asked.earlier(), file, headers(asked.contract, asked.contract.key), gone, asked.folder)
    name = _name(asked)
    if number:
        yield Arrival(gone, f"{name}-deleted.parquet", asked.position if rows else position, {"rows": number})
    if rows:
        yield Arrival(file, f"{name}-whole.parquet", position, {"rows": rows})


def _changes(asked: Asked, connection: psycopg.Connection[Any], position: dict[str, Any]) -> Iterator[Arrival]:
    """Yield what was committed since the position. What lies before it is landed, and given free."""
    file, more, slot = asked.folder / "changes.parquet", True, slot_of(asked, position)
    _drop(connection, _other(asked, slot))  # of a time before the one that was landed
    while more:
        _advance(connection, slot, str(position["lsn"]))
        found, now = _read(asked, connection, position, file)
        more = found.more
        # Behind the last commit; where all was seen and none of it was ours, behind everything that was there.
        position["lsn"] = lsn_text(found.end) if found.rows or more else now
        if found.rows:
            kept = _last_of_each(asked, file) if asked.contract.write == "merge" else file
            yield Arrival(kept, f"{_name(asked)}.parquet", dict(position))
    _advance(connection, slot, str(position["lsn"]))


def _read(asked: Asked, connection: psycopg.Connection[Any], position: dict[str, Any], file: Path) -> tuple[Found, str]:
    row = connection.execute("select pg_current_wal_lsn()::text").fetchone()
    assert row
    with connection.transaction(), connection.cursor("changes") as cursor:
        cursor.execute(f"select data from {PEEK}", [slot_of(asked, position), row[0], AT_ONCE, asked.how.publication])
        return read_changes(asked, connection, (bytes(one[0]) for one in cursor), position, file), str(row[0])


def _last_of_each(asked: Asked, file: Path) -> Path:
    """Keep the last change of each key: the state that the delivery leaves."""
    target = asked.folder / "last.parquet"
    by = ", ".join(map(quote, headers(asked.contract, asked.contract.key)))
    with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(asked.folder), "threads": 2}) as duck:
        duck.execute(f"copy (select * from read_parquet({literal(str(file))}) "
                     f"qualify row_number() over (partition by {by} order by _order desc) = 1 order by _order) "
                     f"to {literal(str(target))} (format parquet)")  # fmt: skip
    return target


def _advance(connection: psycopg.Connection[Any], slot: str, to: str) -> None:
    """Give the log free up to a place that is landed; never backwards."""
    row = connection.execute("select confirmed_flush_lsn::text from pg_replication_slots where slot_name = %s",
                             [slot]).fetchone()  # fmt: skip
    if row and lsn(to) > lsn(row[0]):
        connection.execute("select pg_replication_slot_advance(%s, %s::pg_lsn)", [slot, to])


def _name(asked: Asked) -> str:
    return f"{asked.how.table}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
