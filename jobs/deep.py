"""A table of a database as it is now against what was fetched of it: keys that lack, keys too many, rows that are others."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from jobs import land, sources
from jobs.due import in_force
from jobs.fetch import Asked
from jobs.fetch.database import DELETED, headers, snapshot
from jobs.fetch.gone import MEMORY, columns_of
from jobs.lake import Lake
from jobs.relation import connect, literal, quote, relation_sql
from schemas.contract import Contract
from schemas.errors import UserError

MISSING, EXTRA, ALTERED = "missing", "extra", "altered"
SHOWN = 100  # rows of each kind


@dataclass(frozen=True)
class Compared:
    """Rows at the source, rows fetched and in force, rows of the table that stand, and where the first two differ."""

    at_source: int
    fetched: int
    in_table: int
    counts: Mapping[str, int]
    rows: Sequence[Mapping[str, str]]

    @property
    def agrees(self) -> bool:
        """Whether nothing lacks, nothing is too much, and nothing is another."""
        return not any(self.counts.values())


def compare(lake: Lake, table: str, connections: Mapping[str, str]) -> Compared:
    """Compare every key, and of each the columns that the contract takes, with the source in one snapshot.

    What was deleted there and is flagged so here is no difference. Raise UserError for a source that is no database, that has
    no key, or whose table keeps every change.
    """
    one = sources.source(table)
    _demand(one)
    with tempfile.TemporaryDirectory(prefix="carbonlake-") as name:
        folder = Path(name)
        now = folder / "now.parquet"
        with snapshot(Asked(one, connections, {}, folder)) as found:
            found.save(now)
        earlier = [lake.delivery(receipt.sha256) for receipt in in_force(one, land.receipts(lake, one.table))]
        with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": name, "threads": 2}) as duck:
            return _compared(duck, lake, one, earlier, now)


def _demand(one: Contract) -> None:
    assert one.source
    if not one.source.fetch or one.source.fetch.by != "database":
        raise UserError("its source is no database, so its rows can't be asked for again", where=one.table,
                        remedy="leave out --deep: what was declared is compared")  # fmt: skip
    if not one.key:
        raise UserError("without a key no row can be found again", where=one.file, remedy="declare `key`")
    if one.write not in ("merge", "replace"):
        raise UserError(f"a table with `write: {one.write}` does not show the source as it is", where=one.file,
                        remedy="leave out --deep: what was declared is compared")  # fmt: skip


def _compared(duck: duckdb.DuckDBPyConnection, lake: Lake, one: Contract, earlier: Sequence[Path], now: Path) -> Compared:
    key = headers(one, one.key)
    taken = [name for name in headers(one, [n for n, c in one.columns.items() if not c.derive]) if name not in key]
    duck.execute(f"create temp view source_now as select {columns_of(now)} from read_parquet({literal(str(now))})")
    there = {row[0] for row in duck.execute("describe source_now").fetchall()}
    values = [name for name in dict.fromkeys(taken) if name in there]
    duck.execute(f"create temp table fetched as {_latest(earlier, key)}")
    had = {row[0] for row in duck.execute("describe fetched").fetchall()}
    values = [name for name in values if name in had] if earlier else []
    same = " and ".join(f"{_text('s', name)} is not distinct from {_text('l', name)}" for name in key)
    other = " or ".join(f"{_text('s', name)} is distinct from {_text('l', name)}" for name in values) or "false"
    differs = " || '; ' || ".join(
        f"case when {_text('s', name)} is distinct from {_text('l', name)} then {literal(name)} || ': ' || "
        f"coalesce({_text('l', name)}, 'NULL') || ' → ' || coalesce({_text('s', name)}, 'NULL') else '' end" for name in values
    ) or "''"  # fmt: skip
    asked = {
        MISSING: f"select {_key('s', key)}, '' from source_now s anti join fetched l on {same}",
        EXTRA: f"select {_key('l', key)}, '' from fetched l anti join source_now s on {same}",
        ALTERED: f"select {_key('s', key)}, {differs} from source_now s join fetched l on {same} where {other}",
    }
    counts = {what: _count(duck, f"({sql})") for what, sql in asked.items()}
    rows = [{"what": what, "key": str(found[0]), "differs": "; ".join(part for part in str(found[1]).split("; ") if part)}
            for what, sql in asked.items() for found in duck.execute(f"{sql} order by 1 limit {SHOWN}").fetchall()]  # fmt: skip
    return Compared(_count(duck, "source_now"), _count(duck, "fetched"), _in_table(lake, one), counts, rows)


def _latest(earlier: Sequence[Path], key: Sequence[str]) -> str:
    """Return SQL for the rows that stand after all deliveries: of each key the last, unless it was deleted."""
    if not earlier:
        return f"select {', '.join(f'cast(null as varchar) as {quote(name)}' for name in key)} where false"
    by = ", ".join(map(quote, key))
    known = " union all by name ".join(f"select {columns_of(file)}, {place} as _place from read_parquet({literal(str(file))})"
                                       for place, file in enumerate(earlier))  # fmt: skip
    deleted = f"coalesce(try_cast({DELETED} as boolean), false)"
    return f"""
        select * exclude (_place, {DELETED}) from (select * from (
            select * from ({known}) union all by name select cast(null as boolean) as {DELETED} where false)
          qualify row_number() over (partition by {by} order by _place desc) = 1)
        where not {deleted}"""


def _text(side: str, name: str) -> str:
    return f"cast({side}.{quote(name)} as varchar)"


def _key(side: str, key: Sequence[str]) -> str:
    return " || ', ' || ".join(f"{literal(name + '=')} || coalesce({_text(side, name)}, 'NULL')" for name in key)


def _count(duck: duckdb.DuckDBPyConnection, what: str) -> int:
    return int((duck.execute(f"select count(*) from {what}").fetchone() or (0,))[0])


def _in_table(lake: Lake, one: Contract) -> int:
    """Count the rows of the table that stand, less those that are flagged as deleted."""
    head = lake.open(one.table)
    flags = [name for name, column in one.columns.items() if column.from_ == DELETED]
    if head is None:
        return 0
    stands = " and ".join(f"not coalesce({quote(name)}, false)" for name in flags) or "true"
    with connect(lake.root, lake.storage_options) as duck:
        return _count(duck, f"({relation_sql(head)}) where {stands}")


def summary(found: Compared) -> dict[str, Any]:
    """Return the figures of a comparison."""
    return {"at source": found.at_source, "fetched": found.fetched, "in table": found.in_table, **found.counts}
