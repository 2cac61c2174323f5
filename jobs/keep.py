"""Which rows stand: the latest receipt wins by key or by period, repeats and conflicts inside one delivery are told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import sqlglot

from jobs.clean import DELIVERY, LOCATOR
from jobs.staging import Staged, relation
from quality.twice import seen_twice
from schemas.contract import Contract

SUPERSEDED, CONFLICT = "superseded", "conflict"
ROWS_AT_A_TIME = 4_000_000


@dataclass(frozen=True)
class Drops:
    """How many rows of a run do not stand; the rows are in the table `drops` (`_delivery`, `_locator`, `why`).

    `distinct` tells that among all accepted rows of the run, dropped ones included, no key comes twice.
    """

    superseded: int
    conflicts: int
    distinct: bool

    @property
    def any(self) -> bool:
        """Whether any row must go."""
        return bool(self.superseded or self.conflicts)


def group(contract: Contract) -> tuple[str, ...]:
    """Return the columns by which a later receipt replaces an earlier one; empty where none does."""
    return {"merge": contract.key, "period": contract.period}.get(contract.write, ())


def find_drops(connection: duckdb.DuckDBPyConnection, files: Sequence[Staged], contract: Contract) -> Drops:
    """Fill the table `drops` with the accepted rows of a run that do not stand.

    Rows of an earlier delivery that a later one replaces are superseded; inside one delivery an exact repeat of a
    key is superseded, and rows of one key that differ all go (`conflict`), for nobody can say which is right.
    """
    locator = "bigint" if _integer_locator(contract) else "varchar"
    connection.execute(f"create or replace table drops ({DELIVERY} bigint, {LOCATOR} {locator}, why varchar)")
    accepted = [file for file in files if file.verdict == "ok"]
    connection.execute(f"create or replace view staged as {relation(accepted, contract, (DELIVERY, LOCATOR))}")
    # Rows of one key are in one batch, so that keys distinct in each are distinct in all.
    distinct = [_batch_drops(connection, batch, contract) for batch in _batches(accepted, contract)]
    counts = dict(connection.execute("select why, count(*) from drops group by why").fetchall())
    return Drops(counts.get(SUPERSEDED, 0), counts.get(CONFLICT, 0), bool(contract.key) and all(distinct))


def _integer_locator(contract: Contract) -> bool:
    return contract.source is not None and contract.source.numbered


def _batches(files: list[Staged], contract: Contract) -> list[list[Staged]]:
    """Cut the files by partition where the partition follows from the key, so that memory stays bounded."""
    if not partition_follows(contract):
        return [files] if files else []
    by_partition: dict[str | None, list[Staged]] = {}
    for file in files:
        by_partition.setdefault(file.partition, []).append(file)
    batches: list[list[Staged]] = []
    for _, some in sorted(by_partition.items(), key=lambda item: str(item[0])):
        if batches and sum(f.rows for f in batches[-1] + some) <= ROWS_AT_A_TIME:
            batches[-1].extend(some)
        else:
            batches.append(list(some))
    return batches


def partition_follows(contract: Contract) -> bool:
    """Tell whether rows of one key, and rows that replace each other, share a partition: it is in or derived from both."""
    bys = [by for by in (contract.key, group(contract)) if by]
    return bool(bys and contract.partition_by) and all(_follows(contract, by) for by in bys)


def _follows(contract: Contract, by: tuple[str, ...]) -> bool:
    name = contract.partition_by[0]
    derive = contract.columns[name].derive
    if name in by or not derive:
        return name in by
    used = {column.name for column in sqlglot.parse_one(derive, dialect="spark").find_all(sqlglot.exp.Column)}
    return bool(used) and used <= set(by)


def _batch_drops(connection: duckdb.DuckDBPyConnection, files: Sequence[Staged], contract: Contract) -> bool:
    """Judge a batch; return whether no key comes twice in it, which most often leaves nothing to do."""
    connection.execute(f"create or replace view candidates as {relation(files, contract, (DELIVERY, LOCATOR))}")
    twice = bool(contract.key) and seen_twice(connection, "candidates", _names(contract.key)) > 0
    # Conflicts first: a delivery that contradicts itself about a key does not replace what stood before.
    if twice:
        _one_of_a_key(connection, contract)
    by = group(contract)
    if by and (twice or by != contract.key):
        deliveries = connection.execute(f"select count(distinct {DELIVERY}) from candidates").fetchone()
        if deliveries and deliveries[0] > 1:
            _later_wins(connection, by)
    return not twice


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _later_wins(connection: duckdb.DuckDBPyConnection, by: tuple[str, ...]) -> None:
    names = _names(by)
    same = " and ".join(f'c."{name}" = g."{name}"' for name in by)
    connection.execute(f"""
        insert into drops
        with standing as (
            select c.* from candidates c
            anti join drops d on c.{DELIVERY} = d.{DELIVERY} and c.{LOCATOR} = d.{LOCATOR})
        select c.{DELIVERY}, c.{LOCATOR}, '{SUPERSEDED}' from standing c
        join (select {names}, max({DELIVERY}) as last from standing group by {names}
              having min({DELIVERY}) < max({DELIVERY})) g on {same}
        where c.{DELIVERY} < g.last""")


def _one_of_a_key(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Judge rows of one key inside one delivery; in redeliveries all keys come twice, but not inside one."""
    key = _names(contract.key)
    if not seen_twice(connection, "candidates", f"{DELIVERY}, {key}"):
        return
    values = _names(list(contract.columns))
    connection.execute(f"""
        insert into drops
        with suspects as (
            select * from candidates c semi join twice t on hash(c.{DELIVERY}, {key}) = t.h),
        judged as (
            select {DELIVERY}, {LOCATOR},
                   row_number() over (partition by {DELIVERY}, {key} order by {LOCATOR}) as place,
                   count(*) over (partition by {DELIVERY}, {key}) as times,
                   count(*) over (partition by {DELIVERY}, {values}) as alike
            from suspects)
        select {DELIVERY}, {LOCATOR}, case when alike < times then '{CONFLICT}' else '{SUPERSEDED}' end
        from judged where times > 1 and (alike < times or place > 1)""")
