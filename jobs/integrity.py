"""Grades of integrity of deliveries, and of the tables that are made from them: what rests on bytes that nothing guarded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jobs import land, query
from jobs.due import in_force
from jobs.lake import Lake
from jobs.land import Receipt
from jobs.readers.guards import CHECKED, UNCHECKED
from schemas import graph
from schemas.contracts import contracts

READINGS = "ops.reading"


@dataclass(frozen=True)
class Grade:
    """Of the deliveries in force that a table reads, how many are unchecked, and of how many it is known."""

    unchecked: int
    of: int

    @property
    def said(self) -> str:
        """`checked`, `unchecked`, or how many are; empty where none is known."""
        if not self.unchecked:
            return CHECKED if self.of else ""
        return UNCHECKED if self.unchecked == self.of else f"{UNCHECKED} in {self.unchecked} of {self.of} deliveries"


def as_sent(one: Receipt) -> bool:
    """Tell whether the source declared the SHA-256 of these very bytes, whatever the file itself carries."""
    said = json.loads(one.declared) if one.declared else {}
    return bool(said.get("sha256")) and str(said["sha256"]).lower() == one.sha256


def of_delivery(lake: Lake, table: str, delivery: int) -> str:
    """Return the grade of one delivery as a table read it; empty where it is not known."""
    return readings(lake).get((table, delivery), "")


def grades(lake: Lake, tables: Iterable[str], receipts: Sequence[Receipt] | None = None) -> dict[str, Grade]:
    """Return the grades of those of some tables that read deliveries."""
    wanted = [one for name in tables if (one := contracts().get(name)) and one.source]
    known = readings(lake) if wanted else {}
    every = receipts if receipts is not None else land.receipts(lake) if known else []
    found = {}
    for one in wanted:
        mine = in_force(one, [receipt for receipt in every if receipt.source == one.reads])
        said = [known[key] for receipt in mine if (key := (one.table, receipt.delivery_id)) in known]
        found[one.table] = Grade(said.count(UNCHECKED), len(said))
    return found


def beneath(tables: Iterable[str]) -> set[str]:
    """Return tables and all that they are made from, by contracts."""
    known = {name for name in tables if name in contracts()}
    return known.union(*(graph.closure(name, "up") for name in known))


def said(lake: Lake, tables: Sequence[str]) -> dict[str, str]:
    """Return what is to be told of each of some tables: the grade of its deliveries, or of which unchecked ones it is made."""
    above = {name: beneath([name]) for name in tables}
    known = grades(lake, set().union(*above.values()))
    bare = {name for name, one in known.items() if one.unchecked}
    rests = {name: ", ".join(sorted(bare & every)) for name, every in above.items()}
    return {name: known[name].said if name in known else f"rests on unchecked deliveries of {rests[name]}" if rests[name] else ""
            for name in tables}  # fmt: skip


def unchecked(lake: Lake, tables: Iterable[str]) -> dict[str, str]:
    """Return the tables of unchecked deliveries that some tables are or are made from, with how many there are."""
    found: Mapping[str, Grade] = grades(lake, beneath(tables))
    return {name: f"{one.unchecked} of {one.of}" for name, one in sorted(found.items()) if one.unchecked}


def readings(lake: Lake) -> dict[tuple[str, int], str]:
    """Return the grade of each delivery by its newest reading for a table."""
    head = lake.open(READINGS)
    if head is None or "integrity" not in {one.name for one in head.schema().fields}:
        return {}
    with query.connection(lake, {READINGS: None}) as duck:
        rows = duck.execute(f"""select table_name, delivery_id, arg_max(integrity, read_at) from {READINGS}
                                where integrity is not null group by 1, 2""").fetchall()  # fmt: skip
    return {(table, delivery): grade for table, delivery, grade in rows}
