"""What needs no broker: where a topic is gone on from, addresses of brokers, and what a contract may say of a stream."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.fetch import Asked
from jobs.fetch.broker import broker
from jobs.fetch.gaps import starts
from jobs.fetch.mqtt_packets import user_properties
from schemas.errors import UserError
from schemas.fetch import Kafka

HELD = {0: (0, 100), 1: (20, 50)}
AT = {"topic_id": "t", "offsets": {"0": 100, "1": 30}}


def test_the_first_fetch_begins_with_what_is_there() -> None:
    assert starts({}, "t", HELD, "x", accept=False).offsets == {0: 0, 1: 20}


def test_a_fetch_goes_on_where_the_last_receipt_ended_and_with_new_partitions() -> None:
    found = starts(AT, "t", HELD | {2: (0, 4)}, "x", accept=False)
    assert (found.offsets, found.gaps) == ({0: 100, 1: 30, 2: 0}, {})


@pytest.mark.parametrize(
    ("position", "held", "told", "offsets"),
    [
        (AT | {"offsets": {"0": 100, "1": 5}}, HELD, "partition 1: 5 to 19 were deleted before they were", {0: 100, 1: 20}),
        (AT, HELD | {0: (0, 60)}, "partition 0: it ends at 60, and was read up to 100: it was cut off", {0: 60, 1: 30}),
        (AT, HELD | {2: (7, 9)}, "partition 2: 0 to 6 were deleted", {0: 100, 1: 30, 2: 7}),
        (AT | {"topic_id": "old"}, HELD, "the topic was deleted and made anew", {0: 0, 1: 20}),
    ],
)
def test_what_is_missing_is_refused_until_a_person_accepts_it(
    position: dict[str, Any], held: dict[int, tuple[int, int]], told: str, offsets: dict[int, int]
) -> None:
    with pytest.raises(UserError) as error:
        starts(position, "t", held, "kafka h:1, topic x", accept=False)
    assert told in str(error.value) and "`carbonlake fetch <table> --accept-gap`" in str(error.value)
    assert str(error.value).startswith("kafka h:1, topic x: ")
    found = starts(position, "t", held, "x", accept=True)
    assert found.offsets == offsets and found.gaps


def asked(url: str) -> Asked:
    source = SimpleNamespace(fetch=Kafka(by="kafka", connection="plant", topic="x"))
    return Asked(SimpleNamespace(source=source, file="x.yaml"), {"plant": url}, {}, Path())  # type: ignore[arg-type]


def test_the_address_of_a_broker_says_hosts_user_and_line() -> None:
    found = broker(asked("kafkas://me:p%40ss@a,b:7,[::1]:8?ca=/c.pem&mechanism=PLAIN"), "kafka", 1, 2, ("ca", "mechanism"))
    assert found.hosts == (("a", 2), ("b", 7), ("::1", 8)) and found.tls
    assert (found.user, found.password, found.words) == ("me", "p@ss", {"ca": "/c.pem", "mechanism": "PLAIN"})
    assert broker(asked("kafka://h"), "kafka", 1, 2, ()).hosts == (("h", 1),)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://h:1", "http:// is no address of this kind of broker"),
        ("kafka://h:1?tls=yes", "unknown word 'tls' in the URL\n  → known: ca"),
        ("kafka://h:x", "'h:x' is no host and port"),
        ("kafka://me:secret-word@", "'' is no host and port"),
    ],
)
def test_an_address_that_is_wrong_is_refused_without_its_password(url: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        broker(asked(url), "kafka", 1, 2, ("ca",))
    assert told in str(error.value) and "conf: connections.plant" in str(error.value) and "secret-word" not in str(error.value)


def test_what_a_sender_says_of_a_message_is_read_among_other_properties() -> None:
    said = b"\x01\x01\x03\x00\x04json\x0b\x81\x01\x26\x00\x01a\x00\x02\xe7\x94\x02\x00\x00\x00\x09\x26\x00\x01b\x00\x01c"
    assert user_properties(said) == [{"key": "a", "value": b"\xe7\x94"}, {"key": "b", "value": b"c"}]
    assert user_properties(b"\x7f\x26\x00\x01a\x00\x01b") is None
