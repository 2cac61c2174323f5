"""Which sources there are, and what people decided about them: paused, taken up again, retired; dated, with who and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from jobs.commit import append_rows
from jobs.lake import Lake, arrow_schema
from jobs.outcome import new_run
from jobs.relation import read_rows
from schemas.contract import Contract
from schemas.contracts import contract, contracts
from schemas.errors import UserError

TABLE = "ops.source_decision"
STATES = ACTIVE, PAUSED, RETIRED = "active", "paused", "retired"
REGISTERED, CHANGED, ACCEPTED = "registered", "changed", "accepted"


@dataclass(frozen=True)
class Standing:
    """Whether a source is asked for more, since when, by whose word and why."""

    state: str = ACTIVE
    since: datetime | None = None
    person: str = ""
    note: str = ""

    def __str__(self) -> str:
        since = f" since {self.since:%Y-%m-%d %H:%M} UTC by {self.person}: {self.note}" if self.since else ""
        return f"{self.state}{since}"


def sources() -> dict[str, Contract]:
    """Return the contracts by whose names deliveries are landed."""
    return {table: one for table, one in contracts().items() if one.source and not one.source.of}


def source(table: str) -> Contract:
    """Return the contract by whose name deliveries of a table are landed. Raise UserError for one that reads none."""
    one = contract(contract(table).reads)
    if not one.source:
        raise UserError(f"{table} is no source", where=one.file, remedy="name a cleaned table; `carbonlake sources` lists them")
    return one


def history(lake: Lake, table: str | None = None) -> list[dict[str, Any]]:
    """Return every decision about a source (all without one), the newest last."""
    head = lake.open(TABLE)
    rows = read_rows(head, f"source_table = '{table}'" if table else "true").to_pylist() if head else []
    return sorted(rows, key=lambda row: row["decided_at"])


def standings(lake: Lake) -> dict[str, Standing]:
    """Return how sources stand of which anything was decided; of the others there is nothing to say: they are active."""
    return {row["source_table"]: Standing(row["decision"], row["decided_at"], row["person"], row["note"])
            for row in history(lake) if row["decision"] in STATES}  # fmt: skip


def standing(lake: Lake, table: str) -> Standing:
    """Return how the source of a table stands."""
    return standings(lake).get(contract(table).reads, Standing())


def held(lake: Lake) -> dict[str, Standing]:
    """Return the sources that are not asked for more."""
    return {table: one for table, one in standings(lake).items() if one.state != ACTIVE}


def demand_active(lake: Lake, table: str) -> None:
    """Raise UserError where a source is not asked for more."""
    one = standing(lake, table)
    if one.state != ACTIVE:
        raise UserError(f"it is {one}", where=table, remedy=f"`carbonlake sources resume {table} --why …` takes it up again")


def decide(lake: Lake, table: str, decision: str, person: str, why: str, delivery: int | None = None) -> None:
    """Put a decision about a source on record. Raise UserError where it says nothing, or what is so already."""
    one = source(table)
    if not why.strip():
        raise UserError("a decision needs its reason", where=table, remedy='write --why "…"')
    now = standing(lake, one.table)
    if decision == now.state:
        raise UserError(f"it is {now}", where=one.table, remedy="nothing is to be done")
    _write(lake, [_row(one, decision, person, why, delivery)])


def note(lake: Lake, tables: Iterable[str], person: str) -> list[tuple[str, str]]:
    """Record sources that are new to the lake, and those whose contract describes them otherwise; return which and what.

    What a changed one was before stands in its row before.
    """
    known: dict[str, str] = {row["source_table"]: row["source"] for row in history(lake)}
    rows = []
    for one in map(source, dict.fromkeys(contract(table).reads for table in tables)):
        before, now = known.get(one.table), described(one)
        if before is None:
            rows.append(_row(one, REGISTERED, person, ""))
        elif before != now:
            rows.append(_row(one, CHANGED, person, changes(before, now)))
    _write(lake, rows)
    return [(row["source_table"], row["decision"]) for row in rows]


def described(one: Contract) -> str:
    """Return how a contract describes its source, as JSON that is the same for the same source."""
    assert one.source
    told = one.source.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def changes(before: str, now: str) -> str:
    """Say which keys of a source changed: what they were and what they are."""
    old, new = flat(json.loads(before)), flat(json.loads(now))
    told = [f"{key}: {old.get(key, 'nothing')} → {new.get(key, 'nothing')}"
            for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]  # fmt: skip
    return "; ".join(told)


def flat(value: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Return what nested mappings say, by keys with dots between."""
    found: dict[str, Any] = {}
    for key, item in value.items():
        name = f"{above}{key}"
        found |= flat(item, f"{name}.") if isinstance(item, dict) else {name: item}
    return found


def _row(one: Contract, decision: str, person: str, why: str, delivery: int | None = None) -> dict[str, Any]:
    return {"source_table": one.table, "decision": decision, "delivery_id": delivery, "source": described(one), "person": person,
            "note": why, "decided_at": datetime.now(UTC)}  # fmt: skip


def _write(lake: Lake, rows: list[dict[str, Any]]) -> None:
    if rows:
        ops = contract(TABLE)
        append_rows(lake, ops, pa.Table.from_pylist(rows, schema=arrow_schema(ops)), new_run())
