"""What lies between two versions of a table: rows added, removed, changed by key, and their effect on each measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from jobs import query
from jobs.lake import Lake
from jobs.relation import arrow_table, columns, connect, quote, relation_sql, table_files
from schemas.contracts import contract
from schemas.errors import UserError

SHOWN = 20
LOCATORS = ("_delivery", "_locator")


@dataclass(frozen=True)
class Effect:
    """A measure before and after, and what rows of each kind contributed to the difference."""

    measure: str
    unit: str
    before: Decimal
    after: Decimal
    added: Decimal
    removed: Decimal
    changed: Decimal


@dataclass(frozen=True)
class Diff:
    """The difference between two versions; `rows` shows some, with `_change` and both values of what changed."""

    table: str
    versions: tuple[int, int]
    added: int
    removed: int
    changed: int
    effects: tuple[Effect, ...]
    rows: pa.Table


def diff(lake: Lake, table: str, before: int | None = None, after: int | None = None, shown: int = SHOWN) -> Diff:
    """Compare two versions of a table; by default the newest with the one before it.

    Rows are the same if key and values are, wherever they were delivered. Without a key a changed row is one
    removed and one added. Raise UserError if a version is not there.
    """
    new = query.open_table(lake, table, after)
    old = query.open_table(lake, table, _before(new, before))
    with connect(lake.root, lake.storage_options) as duck:
        _compare(duck, old, new, _key(table))
        names = [name for name in _values(old, new) if name not in _key(table)]
        counts = dict(duck.execute("select _change, count(*) from pairs group by _change").fetchall())
        rows = arrow_table(duck.sql(f"select {_shown(names, _key(table))} from pairs order by all limit {shown}"))
        measures = [measure for measure in contract(table).measures if measure in names]
        effects = tuple(_effect(duck, table, measure, old, new) for measure in measures)
    return Diff(table, (int(old.version()), int(new.version())), counts.get("added", 0), counts.get("removed", 0),
                counts.get("changed", 0), effects, rows)  # fmt: skip


def _before(new: DeltaTable, before: int | None) -> int:
    version = new.version() - 1 if before is None else before
    if version < 0:
        raise UserError("there is no earlier version", where=str(new.table_uri), remedy="build it again first")
    return version


def _key(table: str) -> tuple[str, ...]:
    return contract(table).key


def _values(old: DeltaTable, new: DeltaTable) -> list[str]:
    """Return the columns that both versions have; a column that came or went changes no row."""
    there = columns(old)
    return [name for name in columns(new) if name in there and name not in LOCATORS]


def _compare(duck: duckdb.DuckDBPyConnection, old: DeltaTable, new: DeltaTable, key: Sequence[str]) -> None:
    """Fill `pairs` with one row for each difference: `_change`, the row before (`a`), the row after (`b`)."""
    names = _values(old, new)
    before, after = {f.path for f in table_files(old)}, {f.path for f in table_files(new)}
    # Files that both versions have hold the same rows, and a key is nowhere twice: only the others can differ.
    listed = ", ".join(map(quote, names))
    duck.execute(f"create view a as select {listed} from ({relation_sql(old, before - after)})")
    duck.execute(f"create view b as select {listed} from ({relation_sql(new, after - before)})")
    if not key:
        duck.execute("""create table pairs as
            select 'removed' as _change, a, null as b from (from a except all from b) a union all by name
            select 'added' as _change, b from (from b except all from a) b""")
        return
    same = " and ".join(f"a.{quote(name)} = b.{quote(name)}" for name in key)
    first = quote(key[0])
    differs = " or ".join(f"a.{quote(n)} is distinct from b.{quote(n)}" for n in names if n not in key) or "false"
    duck.execute(f"""create table pairs as
        select case when a.{first} is null then 'added' when b.{first} is null then 'removed' else 'changed' end
               as _change, a, b
        from a full join b on {same}
        where a.{first} is null or b.{first} is null or {differs}""")


def _shown(names: Sequence[str], key: Sequence[str]) -> str:
    keys = [f"coalesce(b.{quote(name)}, a.{quote(name)}) as {quote(name)}" for name in key]
    both = [f'a.{quote(name)} as "{name} before", b.{quote(name)} as "{name} after"' for name in names]
    return ", ".join(["_change", *keys, *both])


def _effect(duck: duckdb.DuckDBPyConnection, table: str, measure: str, old: DeltaTable, new: DeltaTable) -> Effect:
    name = quote(measure)
    parts = duck.execute(f"""select _change, sum(coalesce(b.{name}, 0) - coalesce(a.{name}, 0))
                             from pairs group by _change""").fetchall()
    by = {change: _decimal(value) for change, value in parts}
    column = contract(table).columns.get(measure)
    kinds = [by.get(kind, Decimal(0)) for kind in ("added", "removed", "changed")]
    return Effect(measure, (column.unit if column else None) or "", _total(duck, name, old), _total(duck, name, new), *kinds)


def _total(duck: duckdb.DuckDBPyConnection, name: str, version: DeltaTable) -> Decimal:
    found = duck.execute(f"select sum({name}) from ({relation_sql(version)})").fetchone()
    return _decimal(found[0] if found else None)


def _decimal(value: object) -> Decimal:
    return Decimal(str(value or 0))
