"""What a table of a database holds, looked at without landing it: columns, types, key, rows, and the contract that reads it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import sqlalchemy as sa

from jobs.fetch import postgres, relational
from jobs.proposal import proposal
from schemas.errors import UserError
from schemas.fetch import Database

PREFIX = "connection:"
LOOKED_AT, SHOWN = 10_000, 5  # rows


def named(place: str) -> tuple[str, str] | None:
    """Return connection and table of `connection:<name>/<table>`; None for another place. Raise UserError for half of it."""
    if not place.startswith(PREFIX):
        return None
    name, _, table = place.removeprefix(PREFIX).partition("/")
    if not name or not table:
        raise UserError(
            f"{place!r} names no table", remedy="write connection:<name>/<table>, e.g. connection:plant/public.reading"
        )
    return name, table


def look(place: tuple[str, str], connections: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a table holds, and what a contract for it is made from.

    Types are those that all of up to ten thousand rows fit. Raise UserError where the connection or the table is not there.
    """
    name, table = place
    if name not in connections:
        raise UserError(f"there is no connection {name!r}", where="conf: connections",
                        remedy=f"known: {', '.join(sorted(connections)) or 'none'}")  # fmt: skip
    how, where = Database(by="database", connection=name, table=table), f"connection {name}, table {table}"
    kind = postgres if postgres.is_ours(connections[name]) else relational
    types, key = _declared(connections[name], table, where)
    found = kind.Snapshot(connections[name], how, where)
    with tempfile.TemporaryDirectory(prefix="carbonlake-") as folder:
        try:
            file = Path(folder) / "rows.parquet"
            rows = found.counted("" if kind is postgres else None, 0, (), ())[0]
            found.save(file, "" if kind is postgres else None, limit=LOOKED_AT)
        finally:
            found.close()
        first = [list(row.values()) for row in pq.read_table(file).slice(0, SHOWN).to_pylist()]
        made = proposal("parquet", file, {})
    inside = {"columns": types, "key": list(key), "rows": rows, "first_rows": first}
    about = {"format": "parquet", "columns": made.columns, "more": made.more, "key": tuple(key) or made.key,
             "positive": made.positive, "values": made.values, "extension": "parquet",
             "fetch": {"by": "database", "connection": name, "table": table}}  # fmt: skip
    return inside, about


def _declared(url: str, table: str, where: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the columns with their types in the database, and its primary key."""
    schema, _, name = table.rpartition(".")
    with relational.explained(where):
        engine = sa.create_engine(_by_psycopg(url) if postgres.is_ours(url) else relational.existing(url, where))
        try:
            asked = sa.inspect(engine)
            columns = {str(one["name"]): str(one["type"]) for one in asked.get_columns(name, schema or None)}
            return columns, tuple(asked.get_pk_constraint(name, schema or None)["constrained_columns"])
        except sa.exc.NoSuchTableError:
            known = ", ".join(asked.get_table_names(schema or None)) or "none"
            raise UserError(f"there is no table {table!r}", where=where, remedy=f"tables there: {known}") from None
        finally:
            engine.dispose()


def _by_psycopg(url: str) -> str:
    return f"postgresql+psycopg://{url.partition('://')[2]}"
