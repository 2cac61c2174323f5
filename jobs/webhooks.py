"""Telling subscribers that a table changed: what is due is read from the tables' own logs, so nothing is lost by a kill."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import pyarrow as pa

from conf.settings import Webhook
from jobs.commit import append_rows, last_commit
from jobs.lake import Lake, arrow_schema
from jobs.outcome import new_run
from jobs.posting import Reply, post, signature
from jobs.relation import read_rows
from schemas.contracts import contract, contracts
from schemas.errors import UserError

TABLE = "ops.webhook"
SECONDS = 3.0  # for one message after a build: a receiver that is down must not keep anybody waiting
PATIENT = 10.0
FIRST, LONGEST = 60.0, 6 * 3600.0  # seconds until it is tried again, doubled each time


@dataclass(frozen=True)
class Message:
    """A table that a subscriber has not heard of in its newest build."""

    name: str
    hook: Webhook
    table: str
    note: Mapping[str, Any]
    told_run: str
    attempts: int
    next_at: datetime | None

    @property
    def event_id(self) -> str:
        """The same at every attempt; another one when the table goes back to a build that was told before."""
        return hashlib.sha256("|".join((self.name, self.table, self.told_run, self.note["run"])).encode()).hexdigest()[:32]

    def body(self) -> bytes:
        """Return what is sent: which table, which build, how many rows; never a value of it."""
        told = {"id": self.event_id, "type": "table.changed", "table": self.table, "version": self.note["version"],
                "run_id": self.note["run"], "since_run_id": self.told_run or None, "rows": self.note.get("rows"),
                "mode": self.note.get("mode")}  # fmt: skip
        return json.dumps(told, ensure_ascii=False).encode()


def subscribed(hook: Webhook) -> tuple[str, ...]:
    """Return the tables that a subscription names; raise UserError for a pattern that names none."""
    found: list[str] = []
    for pattern in hook.tables.split():
        named = [table for table in contracts() if fnmatchcase(table, pattern)]
        if not named:
            raise UserError(f"{pattern!r} names no table", where="webhooks", remedy="`carbonlake show` lists them")
        found += named
    return tuple(dict.fromkeys(found))


def due(lake: Lake, hooks: Mapping[str, Webhook]) -> list[Message]:
    """Return every table whose newest build a subscriber has not acknowledged. A new one hears of the newest alone."""
    states = _states(lake)
    found = []
    for name, hook in hooks.items():
        for table in subscribed(hook):
            head = lake.open(table)
            note = last_commit(head) if head else {}
            state = states.get((name, table), {})
            if note and note["run"] != state.get("told_run"):
                same = state.get("run_id") == note["run"]
                found.append(Message(name, hook, table, note, state.get("told_run") or "",
                                     int(state["attempts"]) if same else 0, state.get("next_at")))  # fmt: skip
    return found


def send(lake: Lake, hooks: Mapping[str, Webhook], *, now: bool = False, seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Send what is due, the subscribers beside each other, and return the records that were kept of it.

    A subscriber that fails is left alone for a while that doubles each time, for all its tables; `now` tries at once.
    Delivered at least once: who is killed between the answer and the record sends the same id again.
    """
    moment = datetime.now(UTC)
    by_name: dict[str, list[Message]] = {}
    for message in due(lake, hooks):
        by_name.setdefault(message.name, []).append(message)
    ready = [some for some in by_name.values() if now or all(one.next_at is None or one.next_at <= moment for one in some)]
    if not ready:
        return []
    with ThreadPoolExecutor(len(ready)) as pool:
        done = [row for rows in pool.map(lambda some: _told(some, seconds), ready) for row in rows]
    ops = contract(TABLE)
    append_rows(lake, ops, pa.Table.from_pylist(done, schema=arrow_schema(ops)), new_run())
    return done


def _told(messages: Sequence[Message], seconds: float) -> list[dict[str, Any]]:
    """Send the messages of one subscriber in turn; after the first that fails the others wait with it."""
    done, ends = [], time.monotonic() + seconds
    for message in messages:
        left = ends - time.monotonic()
        if left <= 0:
            break  # the others stay due
        reply = _posted(message, left)
        done.append(_record(message, reply))
        if not reply.taken:
            break
    return done


def _posted(message: Message, seconds: float) -> Reply:
    body, at = message.body(), int(time.time())
    headers = {"webhook-id": message.event_id, "webhook-timestamp": str(at),
               "webhook-signature": signature(message.hook.secret, message.event_id, at, body)}  # fmt: skip
    return post(message.hook.url, body, headers, private=message.hook.private, seconds=seconds)


def _record(message: Message, reply: Reply) -> dict[str, Any]:
    now, run = datetime.now(UTC), message.note["run"]
    pause = min(max(FIRST * 2**message.attempts, reply.wait), LONGEST)
    return {"subscription": message.name, "table_name": message.table, "event_id": message.event_id, "run_id": run,
            "told_run": run if reply.taken else message.told_run, "status": "delivered" if reply.taken else "failed",
            "attempts": message.attempts + 1, "reply": reply.told, "at": now,
            "next_at": None if reply.taken else now + timedelta(seconds=pause)}  # fmt: skip


def _states(lake: Lake) -> dict[tuple[str, str], dict[str, Any]]:
    head = lake.open(TABLE)
    rows = sorted(read_rows(head).to_pylist(), key=lambda row: row["at"]) if head else []
    return {(row["subscription"], row["table_name"]): row for row in rows}


def listed(lake: Lake, hooks: Mapping[str, Webhook]) -> list[dict[str, Any]]:
    """Return each subscription and table with what was told last and whether anything is due."""
    states, waiting = _states(lake), {(one.name, one.table) for one in due(lake, hooks)}
    return [{"subscription": name, "table": table, "state": "due" if (name, table) in waiting else "told",
             "last": state.get("status", ""), "reply": state.get("reply", ""), "attempts": state.get("attempts", 0),
             "at": state.get("at")}
            for name, hook in hooks.items() for table in subscribed(hook)
            for state in [states.get((name, table), {})]]  # fmt: skip
