"""What waits to be built and why: what the next run would find, told from logs alone, without an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deltalake import DeltaTable

from jobs.decisions import decisions
from jobs.decisions import digest as decided
from jobs.deltalog import changed_partitions
from jobs.fingerprint import recipe
from jobs.lake import Lake
from jobs.land import Receipt
from jobs.outcome import digest
from schemas import graph
from schemas.contract import Contract

NEVER = "never built"


def in_force(contract: Contract, receipts: Sequence[Receipt]) -> tuple[Receipt, ...]:
    """Return the receipts that count: all, or with `write: replace` the newest of each delivery name."""
    if contract.write != "replace":
        return tuple(receipts)
    newest = {receipt.name: receipt.delivery_id for receipt in receipts}
    return tuple(receipt for receipt in receipts if newest[receipt.name] == receipt.delivery_id)


def due(
    lake: Lake, contract: Contract, note: Mapping[str, Any], receipts: Sequence[Receipt],
    heads: Mapping[str, DeltaTable | None],
) -> str:  # fmt: skip
    """Say why the next run will build a table; empty where nothing changed since the build that `note` tells of.

    `receipts` are those of its source, `heads` handles on the newest versions of its inputs.
    """
    if not note:
        return NEVER
    if str(note.get("recipe")).partition(" ")[0] != recipe(contract):  # behind it stands what a restatement is under
        return "contract or code changed"
    return _deliveries(lake, contract, note, receipts) if contract.source else _inputs(contract, note, heads)


def _deliveries(lake: Lake, contract: Contract, note: Mapping[str, Any], receipts: Sequence[Receipt]) -> str:
    ids = [receipt.delivery_id for receipt in in_force(contract, receipts)]
    if note.get("deliveries") != digest(ids):
        new = sum(number > int(note.get("last_delivery", 0)) for number in ids)
        return f"{new} new {'delivery' if new == 1 else 'deliveries'}" if new else "a delivery was withdrawn or replaced"
    return "" if note.get("corrections") == decided(decisions(lake, contract.table)) else "rows in quarantine were decided"


def _inputs(contract: Contract, note: Mapping[str, Any], heads: Mapping[str, DeltaTable | None]) -> str:
    before: Mapping[str, int] = note.get("inputs") or {}
    now = dict.fromkeys(table for tables in graph.inputs(contract).values() for table in tables)
    if set(now) != set(before):
        return "other inputs than before"
    moved = [table for table in now if _moved(heads.get(table), before[table])]
    return f"{', '.join(moved)} changed" if moved else ""


def _moved(head: DeltaTable | None, before: int) -> bool:
    """Tell whether rows changed since a version; compaction only moves them."""
    if head is None or head.version() == before:
        return False
    changed = changed_partitions(head, before, int(head.version()))
    return changed is None or bool(changed)
