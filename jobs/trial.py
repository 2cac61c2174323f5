"""A dry run: a delivery goes the whole way into its tables, in a copy of them that shares the lake's files.

The build itself says what would happen: earlier deliveries, decisions of people and rules over the whole table count as
they would. Files of a Delta table never change, so that a copy is a link to each; nothing is written to the lake.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb

from jobs import land, links, relation
from jobs.build import build
from jobs.commit import last_commit
from jobs.decisions import TABLE as DECISIONS
from jobs.deliveries import told
from jobs.lake import Lake, unstage
from jobs.land import Receipt
from jobs.ops import Ops
from jobs.outcome import Outcome
from jobs.session import Engine
from jobs.variants import Copy
from schemas.contract import Contract
from schemas.contracts import contract, contracts
from schemas.errors import UserError


def trial(
    lake: Lake, engine: Engine, other: Callable[[str], Engine], file: Path, table: str, *, first: int = 5
) -> dict[str, Any]:  # fmt: skip
    """Return what landing a file for a table and building what reads it would do; the lake stays as it is.

    For every such table: rows that came in, would be written, set aside and superseded, and of each rule that sets rows
    aside the `first` with place and raw text. Raise UserError where the table reads no deliveries.
    """
    lake.require()
    reads = contract(table).reads
    tables = sorted(name for name, one in contracts().items() if one.source and one.reads == reads)
    if not tables:
        raise UserError(f"{table} reads no deliveries", where=contract(table).file, remedy="name a cleaned table")
    run = f"trial-{uuid4().hex[:12]}"
    try:
        copy = copied(lake, lake.staging(run) / "lake", tables)
        (receipt,) = land.land(copy, file, reads)
        found = []
        for name in tables if receipt.fresh else []:
            before = _rows(copy, name)
            outcome = build(copy, engine, name, Ops(copy), other)
            found.append(_told(copy, contract(name), receipt, outcome, before, first))
        return {"file": receipt.name, "sha256": receipt.sha256, "bytes": receipt.size_bytes,
                "same_as": 0 if receipt.fresh else receipt.delivery_id, "tables": found}  # fmt: skip
    finally:
        unstage(lake.folder / "_staging" / run)


def copied(lake: Lake, root: Path, tables: Sequence[str]) -> Copy:
    """Return a lake with what the builds of some tables look at."""
    copy = Copy(root, of=lake)
    copy.init()
    asked = {rule.table for name in tables for rule in contract(name).rules if rule.table}
    places = [("raw", "delivery"), tuple(DECISIONS.split("."))]
    places += [tuple(name.split(".")) for name in {*tables, *asked}] + [("quarantine", *name.split(".")) for name in tables]
    for parts in dict.fromkeys(places):
        links.table(lake, parts, root.joinpath(*parts))
    for name in tables:
        links.links(lake.folder.joinpath("_read", *name.split(".")), root.joinpath("_read", *name.split(".")))
    return copy


def _rows(lake: Lake, table: str) -> int:
    head = lake.open(table)
    return sum(file.rows for file in relation.table_files(head)) if head else 0


def _told(copy: Lake, one: Contract, receipt: Receipt, outcome: Outcome, before: int, first: int) -> dict[str, Any]:
    mark = told(copy, one.table, receipt.delivery_id)
    came = mark["rows"] + mark["rejected"]
    said: dict[str, Any] = {"table": one.table, "rows_in": came, "warnings": list(outcome.warnings), "rows_before": before}
    if mark["refused"] or outcome.status != "built":
        would = "refuse" if mark["refused"] else "stop"
        reason = (mark["refused"] or outcome.reason).replace(f"`carbonlake withdraw {receipt.delivery_id}`", "do not land it")
        return said | {"would": would, "reason": reason, "written": 0, "set_aside": 0,
                       "superseded": 0, "rules": [], "rows_after": before, "sample": []}  # fmt: skip
    with relation.connect(copy.root) as duck:
        written, sample = _written(copy, one.table, receipt, duck, first)
        rules = _aside(copy, one.table, receipt, duck, first)
    aside = sum(rule["rows"] for rule in rules)
    # Rows of the table are deliveries' rows; what neither stands nor waits gave way to others of its key.
    return said | {"would": "write", "reason": "", "written": written, "set_aside": aside,
                   "superseded": came - written - aside, "rules": rules, "rows_after": _rows(copy, one.table),
                   "sample": sample}  # fmt: skip


def _written(
    lake: Lake, table: str, receipt: Receipt, duck: duckdb.DuckDBPyConnection, first: int
) -> tuple[int, list[dict[str, Any]]]:
    head = lake.open(table)
    assert head is not None
    mine = f"from ({relation.relation_sql(head)}) where _delivery = {receipt.delivery_id}"
    (number,) = duck.execute(f"select count(*) {mine}").fetchone() or (0,)
    return number, _records(duck, f"select * exclude (_delivery) {mine} order by _locator limit {first}")


def _aside(lake: Lake, table: str, receipt: Receipt, duck: duckdb.DuckDBPyConnection, first: int) -> list[dict[str, Any]]:
    """Return rule by rule how many rows were set aside, and the first of them."""
    head = lake.open(table)
    version = last_commit(head).get("quarantine_version") if head else None
    waiting = lake.open_path(lake.quarantine_path(table), version) if version is not None else None
    if waiting is None:
        return []
    mine = f"from ({relation.relation_sql(waiting)}) where delivery_id = {receipt.delivery_id}"
    counts = _records(duck, f"select rules, count(*) as rows {mine} group by rules order by rows desc, rules")
    order = "try_cast(locator as bigint), locator"
    return [count | {"first": _records(duck, f"select locator, raw {mine} and rules = ? order by {order} limit {first}",
                                       [count["rules"]])} for count in counts]  # fmt: skip


def _records(duck: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    cursor = duck.execute(sql, list(values))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
