"""A real MQTT broker: what it has taken is in the table once, whatever happens between."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from carbonlake.stack import mosquitto as part
from carbonlake.stack import parts
from jobs import fetch as fetching
from jobs import land
from jobs.fetch import fetch, mqtt, mqtt_line
from jobs.fetch.how import How, PassingError
from jobs.lake import Lake
from schemas.errors import UserError
from tests.jobs import building
from tests.stack import streams
from tests.stack.streams import Environment, payload

TABLE = "cleaned.plant"
Fetched = Callable[..., list[land.Receipt]]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake").init()


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a new session that `cleaned.plant` is fetched by, and the first level of its topics."""
    name = f"plant-{uuid4().hex[:8]}"
    files = streams.table("plant", f'by: mqtt, connection: mqtt, topics: ["{name}/+/energy"], client: {name}')
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "own", files)))
    return name


@pytest.fixture
def url(mosquitto: Environment) -> str:
    return streams.connections(mosquitto=mosquitto)["mqtt"]


@pytest.fixture
def fetched(url: str, lake: Lake, client: str) -> Fetched:
    def ask(**how: Any) -> list[land.Receipt]:
        return fetch(lake, TABLE, {"mqtt": url}, how=How(**how))

    ask()  # the session begins, and the broker keeps what comes from now on
    return ask


def sent(client: str, numbers: range) -> list[tuple[str, bytes]]:
    return [(f"{client}/m{number % 3}/energy", payload(number)) for number in numbers]


def taken(lake: Lake, spark: Any) -> list[int]:
    """Build the table and return the numbers of its messages."""
    building.build(lake, spark, TABLE)
    return sorted(number for (number,) in building.rows(lake, TABLE, "sequence"))


def test_what_came_while_nobody_fetched_is_kept_and_comes_in_batches(
    client: str, url: str, lake: Lake, fetched: Fetched, spark: Any
) -> None:
    streams.publish(url, [*sent(client, range(12_000)), (f"{client}/m1/other", b"{}")])
    assert sum(json.loads(one.declared)["rows"] for one in fetched()) == 12_000
    assert fetched() == []
    assert taken(lake, spark) == list(range(12_000))
    places = {place for (place,) in building.rows(lake, TABLE, "_locator")}
    assert f"{client}/m0/energy#1" in places


def test_what_was_landed_and_not_acknowledged_comes_again_and_is_known(
    client: str, url: str, lake: Lake, fetched: Fetched, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fetcher dies between its commit and its word to the broker, which therefore sends everything again."""
    streams.publish(url, sent(client, range(300)))
    with monkeypatch.context() as patch:
        patch.setattr(mqtt, "acknowledge", lambda line, packets: line.sock.close())
        with pytest.raises(PassingError):
            fetched(go_on=lambda: True)
    streams.publish(url, sent(client, range(300, 310)))
    (receipt,) = fetched()
    assert json.loads(receipt.declared)["rows"] == 10
    assert fetched() == [] and taken(lake, spark) == list(range(310))


def test_what_was_not_landed_comes_again(
    client: str, url: str, lake: Lake, fetched: Fetched, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams.publish(url, sent(client, range(50)))

    def full(*_: Any) -> Any:
        raise UserError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("jobs.fetch.land_fetched", full)
        with pytest.raises(UserError, match="no space left"):
            fetched()
    fetched()
    assert taken(lake, spark) == list(range(50))


def test_equal_messages_of_a_sender_are_no_repeats(client: str, url: str, lake: Lake, fetched: Fetched, spark: Any) -> None:
    streams.publish(url, [(f"{client}/m1/energy", payload(7))] * 3)
    fetched()
    streams.publish(url, [(f"{client}/m1/energy", payload(7))] * 3)
    fetched()
    assert taken(lake, spark) == [7] * 6


def test_a_broker_that_starts_anew_keeps_what_it_has_taken(
    client: str, url: str, lake: Lake, fetched: Fetched, spark: Any, stack: Path
) -> None:
    streams.publish(url, sent(client, range(100)))
    parts.down(stack, ["mosquitto"], lambda name, what: None)
    with pytest.raises(PassingError, match=r"cannot be reached .*\n.*check the connection; fetch again"):
        fetched()
    parts.up(stack, ["mosquitto"], lambda name, what: None)
    assert part.healthy(stack)
    streams.publish(url, sent(client, range(100, 110)))
    fetched()
    assert taken(lake, spark) == list(range(110))


def test_a_session_that_the_broker_has_forgotten_is_told_until_a_person_accepts_it(
    client: str, url: str, fetched: Fetched
) -> None:
    streams.publish(url, sent(client, range(3)))
    fetched()
    asked = mqtt_line.opened(_broker(url), client, [f"{client}/#"])
    mqtt_line.closed(asked, forget=True)
    for _ in range(2):
        with pytest.raises(UserError, match=r"the broker has not kept our session(.|\n)*--accept-gap"):
            fetched()
    assert fetched(accept_gap=True) == []
    streams.publish(url, sent(client, range(3, 5)))
    assert [json.loads(one.declared)["rows"] for one in fetched()] == [2]


def _broker(url: str) -> Any:
    from types import SimpleNamespace

    from jobs.fetch.broker import broker

    how = SimpleNamespace(connection="mqtt")
    return broker(SimpleNamespace(how=how, connection=lambda _: url), "mqtt", 1883, 8883, ())  # type: ignore[arg-type]


def test_retained_messages_are_told_apart_and_come_with_the_first_subscription_alone(
    client: str, url: str, mosquitto: Environment, lake: Lake
) -> None:
    import pyarrow.parquet as pq

    streams.publish(url, [(f"{client}/m1/energy", payload(1))], retain=True)
    (first,) = fetch(lake, TABLE, {"mqtt": url})
    streams.publish(url, [(f"{client}/m1/energy", payload(2))], retain=True)
    (second,) = fetch(lake, TABLE, {"mqtt": url})
    kept = [pq.read_table(lake.delivery(one.sha256)).to_pylist() for one in (first, second)]
    assert [[(row["retained"], row["value"]) for row in rows] for rows in kept] == [[(True, payload(1))], [(False, payload(2))]]


def test_a_wrong_password_and_a_line_that_breaks_are_told(
    client: str, url: str, lake: Lake, mosquitto: Environment, fetched: Fetched
) -> None:
    with pytest.raises(PassingError, match=r"does not let us in \(reason 0x87\)\n.*check user, password"):
        fetch(lake, TABLE, {"mqtt": url.replace(mosquitto["CARBONLAKE_MQTT_PASSWORD"], "wrong")})
    taker = threading.Timer(0.5, lambda: mqtt_line.closed(mqtt_line.opened(_broker(url), client, ["x"])))
    taker.start()
    with pytest.raises(PassingError, match=r"the broker (ends the line|has closed the line)"):
        fetched(go_on=lambda: True)
    taker.join()
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        with pytest.raises(PassingError, match="cannot be reached"):
            fetch(lake, TABLE, {"mqtt": f"mqtt://127.0.0.1:{deaf.getsockname()[1]}"})


def test_a_connection_can_be_tried_without_a_trace(client: str, url: str, lake: Lake) -> None:
    assert fetching.tested(TABLE, {"mqtt": url}) == f"lets us have {client}/+/energy"
    streams.publish(url, sent(client, range(5)))
    assert fetch(lake, TABLE, {"mqtt": url}) == []
