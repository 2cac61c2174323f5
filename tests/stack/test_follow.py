"""A follower that is killed, cut off or without room loses nothing and doubles nothing: messages are counted one by one."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.compute as pc
import pytest

from carbonlake.stack import kafka as kafka_part
from carbonlake.stack import mosquitto as mosquitto_part
from carbonlake.stack import parts
from jobs import land
from jobs.fetch import fetch
from jobs.fetch.how import How
from jobs.lake import Lake
from jobs.relation import read_rows
from tests.jobs import building, killed
from tests.stack import followers, streams
from tests.stack.streams import payload

TABLE = "cleaned.stream"
BURST = 100_000
KILLS = 10
MILLION = 1_000_000
LONGEST = 900.0  # seconds
Send = Callable[[range], None]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake").init()


@pytest.fixture(params=["kafka", "mqtt"])
def stream(
    request: pytest.FixtureRequest, tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, str], Send]:
    """Return the connections of a table of each broker, and what sends messages to it."""
    name = f"s-{uuid4().hex[:8]}"
    if request.param == "kafka":
        environment = request.getfixturevalue("kafka")
        connections = streams.connections(kafka=environment)
        streams.make_topic(environment, name)
        files = streams.table("stream", f"by: kafka, connection: kafka, topic: {name}", rows=20_000)
        send: Send = lambda numbers: streams.produce(environment, name, map(payload, numbers))  # noqa: E731
    else:
        connections = streams.connections(mosquitto=request.getfixturevalue("mosquitto"))
        files = streams.table("stream", f'by: mqtt, connection: mqtt, topics: ["{name}/#"], client: {name}', rows=20_000)
        send = lambda numbers: streams.publish(connections["mqtt"], ((f"{name}/a", payload(n)) for n in numbers))  # noqa: E731
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "own", files)))
    fetch(lake, TABLE, connections)  # the session begins here
    return connections, send


@contextmanager
def following(lake: Lake, connections: dict[str, str], messages: int, size: int = 0) -> Iterator[tuple[Any, Connection]]:
    here, there = multiprocessing.Pipe()
    process = killed.fork(followers.stand, str(lake.root), os.environ["CARBONLAKE_PROJECT"], connections, TABLE, messages, size,
                          there)  # fmt: skip
    there.close()
    try:
        yield process, here
    finally:
        process.kill()
        process.join()


def heard(pipe: Connection, what: str) -> Any:
    """Wait until a follower says something, and return it."""
    while True:
        assert pipe.poll(120), f"nothing was heard of {what!r}"
        word, value = pipe.recv()
        if word == what:
            return value


def counted(lake: Lake) -> list[int]:
    return sorted(number for (number,) in building.rows(lake, TABLE, "sequence"))


def landed(lake: Lake) -> int:
    return sum(json.loads(one.declared)["rows"] for one in land.receipts(lake, TABLE))


def test_a_burst_with_a_follower_killed_at_any_moment_is_there_once(stream: tuple[dict[str, str], Send], lake: Lake) -> None:
    connections, send = stream
    chance, part = random.Random(7), BURST // KILLS
    sender = threading.Thread(target=lambda: [send(range(n, n + part)) for n in range(0, BURST, part)])
    sender.start()
    for _ in range(KILLS):
        with following(lake, connections, BURST) as (process, pipe):
            if landed(lake) < BURST:
                heard(pipe, "landed")
            time.sleep(chance.random())
            process.kill()
    sender.join()
    if landed(lake) < BURST:
        with following(lake, connections, BURST - landed(lake)) as (process, pipe):
            assert heard(pipe, "ended") == {}
    with following(lake, connections, 1) as (process, pipe):  # what was landed and not built is built at the start
        send(range(BURST, BURST + 1))
        assert heard(pipe, "ended") == {}
    assert counted(lake) == list(range(BURST + 1))


def test_a_million_messages_in_a_burst_are_there_once(stream: tuple[dict[str, str], Send], lake: Lake, spark: Any) -> None:
    connections, send = stream
    left, began = [MILLION], time.monotonic()

    def heard(receipt: land.Receipt) -> None:
        left[0] -= json.loads(receipt.declared)["rows"]

    def sending() -> None:
        send(range(MILLION))
        print(f"\n{MILLION:,} messages sent to {next(iter(connections))} in {time.monotonic() - began:.0f} s", end="")

    sender = threading.Thread(target=sending)
    sender.start()
    fetch(lake, TABLE, connections, heard, How(lambda: left[0] > 0 and time.monotonic() - began < LONGEST))
    landed_s = time.monotonic() - began
    sender.join()
    assert left == [0]
    assert building.build(lake, spark, TABLE)[TABLE].counts.written == MILLION
    head = lake.open(TABLE)
    assert head is not None
    numbers = read_rows(head).column("sequence")
    assert (len(numbers), pc.count_distinct(numbers).as_py(), pc.max(numbers).as_py()) == (MILLION, MILLION, MILLION - 1)
    all_s, lots = time.monotonic() - began, len(land.receipts(lake, TABLE))
    print(f"; landed in {landed_s:.0f} s ({MILLION / landed_s:,.0f} a second) in {lots} deliveries, in the table after "
          f"{all_s:.0f} s: none lost, none twice")  # fmt: skip


def test_a_broker_that_starts_anew_is_waited_for(stream: tuple[dict[str, str], Send], lake: Lake, stack: Path) -> None:
    connections, send = stream
    part = {"kafka": kafka_part, "mqtt": mosquitto_part}["kafka" if "kafka" in connections else "mqtt"]
    name = part.PROCESSES[0]
    with following(lake, connections, 2000) as (_, pipe):
        send(range(1000))
        heard(pipe, "landed")
        parts.down(stack, [name], lambda part, what: None)
        assert "127.0.0.1:" in heard(pipe, "told")
        parts.up(stack, [name], lambda part, what: None)
        send(range(1000, 2000))
        assert heard(pipe, "ended") == {}
    assert counted(lake) == list(range(2000))


def test_without_room_nothing_is_taken_and_nothing_lost(stream: tuple[dict[str, str], Send], lake: Lake) -> None:
    """A limit on files stands for a full disk; it is lifted when the follower has said why it takes nothing."""
    connections, send = stream
    send(range(5000))
    with following(lake, connections, 5000, size=8_000) as (_, pipe):
        told = heard(pipe, "told")
        assert "limit on file sizes" in told
        assert heard(pipe, "ended") == {}
    assert counted(lake) == list(range(5000))


def test_a_follower_that_is_asked_to_end_finishes_its_batch(stream: tuple[dict[str, str], Send], lake: Lake) -> None:
    connections, send = stream
    with following(lake, connections, 10**9) as (process, pipe):
        send(range(3000))
        heard(pipe, "landed")
        process.terminate()
        assert heard(pipe, "ended") == {}
    assert counted(lake) == list(range(landed(lake))) and landed(lake) > 0
