"""What a trace is made of: a step for each row, the rows that stand above it, and one connection to all tables on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

import duckdb
from deltalake import DeltaTable

from jobs import query
from jobs.commit import last_commit
from jobs.integrity import readings
from jobs.lake import Lake
from jobs.land import Receipt, receipts
from jobs.relation import literal, quote
from jobs.session import Engine
from schemas.contract import Contract

SHOWN = 8
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One row on the way of a number: its table, what to show of it, and the rows it was made from."""

    table: str
    shown: Row
    note: str = ""
    made_from: tuple[Step, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Return the step for a machine."""
        return {"table": self.table, "row": dict(self.shown), "note": self.note,
                "made_from": [step.as_dict() for step in self.made_from]}  # fmt: skip


@dataclass(frozen=True)
class Parents:
    """Rows of one table that a row was made from: those to list, of which the first is followed, and how many there are.

    `role` is what they are in the formula of a line; `note` stands beside those that are not listed.
    """

    table: str
    version: int
    rows: Sequence[Row]
    total: int
    note: str = ""
    role: str = ""


@dataclass(frozen=True)
class Way:
    """What a trace goes by: the lake, an engine, and how many rows it lists at each step. To be closed at its end."""

    lake: Lake
    engine: Engine
    width: int
    released: Mapping[str, int] = field(default_factory=dict)
    heads: dict[tuple[str, int | None], DeltaTable | None] = field(default_factory=dict)
    views: dict[tuple[str, int], str] = field(default_factory=dict)
    cells: dict[tuple[str, int, Any], Step] = field(default_factory=dict)

    @cached_property
    def duck(self) -> duckdb.DuckDBPyConnection:
        """The connection that reads all tables of this trace."""
        return query.connection(self.lake, {})

    @cached_property
    def receipts(self) -> list[Receipt]:
        """The receipts in force."""
        return receipts(self.lake)

    @cached_property
    def integrity(self) -> dict[tuple[str, int], str]:
        """The grade of each delivery, by the table that read it."""
        return readings(self.lake)

    def head(self, table: str, version: int | None = None) -> DeltaTable | None:
        """Return a handle on a table at a version, the newest without one; None where it was never made."""
        if (table, version) not in self.heads:
            self.heads[table, version] = self.lake.open(table, version)
        return self.heads[table, version]

    def pinned(self, table: str, version: int) -> Mapping[str, int]:
        """Return the versions of the inputs that a version of a table was made from, as its commit names them."""
        head = self.head(table, version)
        return (last_commit(head).get("inputs") or {}) if head else {}

    def view(self, table: str, version: int) -> str:
        """Return the name under which the connection knows a table at a version."""
        if (table, version) not in self.views:
            self.views[table, version] = query.view(self.duck, self.lake, f"{table}@{version}", version)
        return self.views[table, version]

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return what a query over views gives."""
        cursor = self.duck.execute(sql, list(values))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def named(self, table: str, version: int) -> str:
        """Return how `carbonlake sql` names a table at a version: plainly where that is the newest."""
        layer, name = table.split(".")
        newest = self.head(table)
        return table if newest is not None and newest.version() == version else f"{layer}.{quote(f'{name}@{version}')}"


def same(row: Row, *names: str) -> str:
    """Return the SQL condition that columns hold what a row says."""
    return " and ".join(f"{name} is null" if row[name] is None else f"{name} = {sql(row[name])}" for name in names)


def sql(value: Any) -> str:
    """Return a value as SQL says it."""
    if isinstance(value, datetime):
        return f"timestamptz {literal(str(value))}"
    if isinstance(value, date):
        return f"date {literal(str(value))}"
    return str(value) if isinstance(value, bool | int) else literal(str(value))


def shown(contract: Contract, row: Row) -> dict[str, Any]:
    """Choose what identifies the row, its measures, and what says where it was published."""
    first = [*contract.key, *contract.measures, "value", "quantity", "unit", "emission_tco2e", "source", "clause", "page"]
    names = list(dict.fromkeys(name for name in first if name in contract.columns))
    return {name: row[name] for name in names[: max(SHOWN, len(contract.key) + 1)] if row.get(name) is not None}
