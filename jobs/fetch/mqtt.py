"""Topics of MQTT in micro-batches: a message is acknowledged once its delivery is landed, and known if it comes again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow.parquet as pq

from jobs.fetch import Asked, messages
from jobs.fetch.broker import broker
from jobs.fetch.gaps import ACCEPT
from jobs.fetch.mqtt_line import LOOK, WINDOW, Line, acknowledge, came, closed, opened
from jobs.fetch.mqtt_packets import Message, user_properties
from jobs.land import Arrival
from schemas.errors import UserError

MOST = 50_000  # of one batch: of what may be under way, the rest comes while it is landed
MOST_BYTES = 64 << 20


def arrivals(asked: Asked) -> Iterator[Arrival]:
    """Yield what the broker keeps for us and what comes; where it kept nothing, what came meanwhile is lost, and told."""
    standing, number = asked.how_to.go_on(), int(asked.position.get("messages", 0))
    with _line(asked) as line:
        gap = _gap(line, asked)
        # What was landed may come again on a new line, where its acknowledgement was not heard on the one before.
        known = _landed(asked) if asked.position and line.kept else {}
        while True:
            batch = _take(line, asked, known)
            if batch:
                number += len(batch)
                yield _arrival(batch, asked, number, gap)
                gap = {}
                acknowledge(line, (one.packet for one in batch))
            if not (asked.how_to.go_on() if standing else len(batch) >= _most(asked)):
                return


def test(asked: Asked) -> str:
    """Say that the broker lets us have the topics; by a session of another name, which ends at once."""
    how = asked.how
    closed(opened(broker(asked, "mqtt", 1883, 8883, ("ca",)), f"{how.client}-test", how.topics), forget=True)
    return f"lets us have {', '.join(how.topics)}"


@contextmanager
def _line(asked: Asked) -> Iterator[Line]:
    line = opened(broker(asked, "mqtt", 1883, 8883, ("ca",)), asked.how.client, asked.how.topics)
    try:
        yield line
    finally:
        closed(line)


def _gap(line: Line, asked: Asked) -> dict[str, Any]:
    """Return what is said of messages that nobody kept for us. Raise UserError unless that is accepted."""
    if not asked.position or line.kept:
        return {}
    if not asked.how_to.accept_gap:
        closed(line, forget=True)  # else the next fetch would find the session that this one has just opened
        raise UserError("the broker has not kept our session: what came since the last fetch is lost", where=line.where,
                        remedy=ACCEPT)  # fmt: skip
    return {"gap": {"session": asked.how.client}}


def _landed(asked: Asked) -> dict[int, int]:
    """Return packet → what it held, of as many landed messages as can be without acknowledgement; the newest counts."""
    found: dict[int, int] = {}
    seen = 0
    for path in asked.newest():
        rows = pq.read_table(path, columns=["packet", "topic", "value"])
        seen += rows.num_rows
        columns = (rows.column(name).to_pylist() for name in ("packet", "topic", "value"))
        found = {packet: hash((topic, value)) for packet, topic, value in zip(*columns, strict=True)} | found
        if seen >= WINDOW:
            break
    return found


def _most(asked: Asked) -> int:
    return min(MOST, int(asked.how.batch.rows))


def _take(line: Line, asked: Asked, known: dict[int, int]) -> list[Message]:
    """Take messages until the batch is full or its time is over."""
    found: list[Message] = []
    size, standing, until = 0, asked.how_to.go_on(), time.monotonic() + asked.how.batch.seconds
    while len(found) < _most(asked) and size < MOST_BYTES and (time.monotonic() < until or (standing and not found)):
        got = came(line, min(LOOK, asked.how.batch.seconds))
        if not found and standing:
            until = time.monotonic() + asked.how.batch.seconds
        fresh = _fresh(line, got, known) if known else got
        found += fresh
        size += sum(len(one.payload) for one in fresh)
        if standing and not asked.how_to.go_on():
            break
    return found


def _fresh(line: Line, got: Sequence[Message], known: dict[int, int]) -> list[Message]:
    """Return the messages that were not landed before, and acknowledge the others anew."""
    again = {one.packet for one in got if one.again and known.get(one.packet) == hash((one.topic, one.payload))}
    acknowledge(line, again)
    return [one for one in got if not (one.again and one.packet in again)]


def _arrival(batch: Sequence[Message], asked: Asked, number: int, gap: dict[str, Any]) -> Arrival:
    columns: dict[str, list[Any]] = {
        "topic": [one.topic for one in batch],
        "time": [one.at for one in batch],
        "value": [one.payload for one in batch],
        "qos": [one.qos for one in batch],
        "retained": [one.retained for one in batch],
        "packet": [one.packet for one in batch],
        "headers": [user_properties(one.properties) if one.properties else None for one in batch],
    }
    file = messages.write(asked.folder / f"{number}.parquet", columns)
    return Arrival(file, f"{asked.how.client}/{number}.parquet", {"messages": number}, {"rows": len(batch), **gap})
