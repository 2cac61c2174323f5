"""Reminders of sources that are late: one for each source, due date and subscriber, whenever and however often it is asked."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from conf.settings import Webhook
from jobs.channels import Channel, channels
from jobs.commit import append_rows
from jobs.lake import Lake, arrow_schema
from jobs.outcome import new_run
from jobs.posting import Reply, post, signature
from jobs.relation import read_rows
from jobs.webhooks import PATIENT, subscribed
from schemas.contracts import contract

TABLE = "ops.reminder"
TOLD, FAILED = "told", "failed"
NOBODY = ""
Late = tuple[Channel, str]  # and who is told of it


def remind(lake: Lake, hooks: Mapping[str, Webhook], now: datetime, grace: timedelta = timedelta(0)) -> list[dict[str, Any]]:
    """Tell those who subscribe to a table that its source is late, and return the records that were kept of it.

    A source is late when `freshness` and `grace` have passed since its newest delivery; one that is paused or retired
    never is. Where nobody subscribes it is recorded alone. What failed is told again the next time.
    """
    waiting = due(lake, hooks, now, grace)
    if not waiting:
        return []
    with ThreadPoolExecutor(len({name for _, name in waiting})) as pool:
        done = list(pool.map(lambda one: _told(one, hooks), waiting))
    ops = contract(TABLE)
    append_rows(lake, ops, pa.Table.from_pylist(done, schema=arrow_schema(ops)), new_run())
    return done


def due(lake: Lake, hooks: Mapping[str, Webhook], now: datetime, grace: timedelta) -> list[Late]:
    """Return each source that is late with each subscriber that was not told yet."""
    head = lake.open(TABLE)
    rows = read_rows(head, f"status = '{TOLD}'").to_pylist() if head else []
    told = {(row["source_table"], row["due_at"], row["subscription"]) for row in rows}
    late = [one for one in channels(lake, now) if one.due_at and one.due_at + grace < now]
    return [(one, name) for one in late for name in _subscribers(one.table, hooks) if (one.table, one.due_at, name) not in told]


def _subscribers(table: str, hooks: Mapping[str, Webhook]) -> Sequence[str]:
    return [name for name, hook in hooks.items() if table in subscribed(hook)] or [NOBODY]


def _told(late: Late, hooks: Mapping[str, Webhook]) -> dict[str, Any]:
    one, name = late
    reply = _posted(one, name, hooks[name]) if name else Reply(True, "nobody subscribes to it")
    found = contract(one.table)
    return {"source_table": one.table, "due_at": one.due_at, "subscription": name, "owner": found.owner,
            "publisher": found.source.publisher if found.source else "", "status": TOLD if reply.taken else FAILED,
            "reply": reply.told, "reminded_at": datetime.now(UTC)}  # fmt: skip


def _posted(one: Channel, name: str, hook: Webhook) -> Reply:
    """Send one reminder; its id is the same at every attempt."""
    assert one.due_at
    source = contract(one.table).source
    event = hashlib.sha256("|".join((name, one.table, one.due_at.isoformat())).encode()).hexdigest()[:32]
    told = {"id": event, "type": "source.late", "table": one.table, "due_at": one.due_at.isoformat(),
            "last_delivery_at": one.last.received_at.isoformat() if one.last else None, "owner": contract(one.table).owner,
            "publisher": source.publisher if source else ""}  # fmt: skip
    body, at = json.dumps(told, ensure_ascii=False).encode(), int(time.time())
    headers = {"webhook-id": event, "webhook-timestamp": str(at), "webhook-signature": signature(hook.secret, event, at, body)}
    return post(hook.url, body, headers, private=hook.private, seconds=PATIENT)
