"""A real Kafka: what is in a topic is in the table once, whatever happens between."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from jobs import fetch as fetching
from jobs import land
from jobs.fetch import fetch
from jobs.fetch.how import How, PassingError
from jobs.lake import Lake
from schemas.errors import UserError
from tests.jobs import building
from tests.stack import streams
from tests.stack.streams import Environment, payload

TABLE = "cleaned.log"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake").init()


@pytest.fixture
def topic(kafka: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a new topic of two partitions that `cleaned.log` is fetched from."""
    name = f"log-{uuid4().hex[:8]}"
    streams.make_topic(kafka, name)
    lay(tmp_path, monkeypatch, name)
    return name


def lay(folder: Path, monkeypatch: pytest.MonkeyPatch, topic: str, connection: str = "kafka") -> None:
    files = streams.table("log", f"by: kafka, connection: {connection}, topic: {topic}")
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(folder / "own", files)))


@pytest.fixture
def fetched(kafka: Environment, lake: Lake) -> Callable[..., list[land.Receipt]]:
    return lambda **how: fetch(lake, TABLE, streams.connections(kafka), how=How(**how))


Fetched = Callable[..., list[land.Receipt]]


def test_a_topic_comes_whole_in_batches_and_then_what_is_new(
    topic: str, kafka: Environment, lake: Lake, fetched: Fetched, spark: Any
) -> None:
    streams.produce(kafka, topic, map(payload, range(12_000)))
    receipts = fetched()
    said = [json.loads(one.declared) for one in receipts]
    assert [one["rows"] for one in said] == [5000, 5000, 2000] and said[-1]["behind"] == 0
    assert fetched() == []
    streams.produce(kafka, topic, map(payload, range(12_000, 12_010)))
    (last,) = fetched()
    assert sum(json.loads(last.position)["offsets"].values()) == 12_010
    assert building.build(lake, spark, TABLE)[TABLE].counts.written == 12_010
    rows = building.rows(lake, TABLE, "sequence", "_locator")
    assert sorted(number for number, _ in rows) == list(range(12_010))
    assert {place.partition("@")[0] for _, place in rows} == {f"{topic}[0]", f"{topic}[1]"}


def test_a_poisonous_message_is_in_quarantine_with_partition_and_offset(
    topic: str, kafka: Environment, lake: Lake, fetched: Fetched, spark: Any
) -> None:
    streams.produce(kafka, topic, [payload(1), b"{not json", None, payload(2), b'{"device": "m1"}'], partition=1)
    fetched()
    assert building.build(lake, spark, TABLE)[TABLE].counts.written == 2
    assert [(place, rule.partition(", ")[0]) for _, place, rule, _ in building.aside(lake, TABLE)] == [
        (f"{topic}[1]@1", "malformed: no JSON: Expecting property name enclosed in double quotes"),
        (f"{topic}[1]@2", "malformed: no payload (a tombstone)"),
        (f"{topic}[1]@4", "not_null_sequence"),
    ]


def test_what_a_transaction_took_back_is_never_read(topic: str, kafka: Environment, lake: Lake, fetched: Fetched) -> None:
    producer = Producer(streams.login(kafka) | {"transactional.id": topic})
    producer.init_transactions(30)
    for number, end in ((1, producer.commit_transaction), (2, producer.abort_transaction), (3, producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, payload(number), partition=0)
        producer.flush(30)
        end(30)
    (receipt,) = fetched()
    assert json.loads(receipt.declared)["rows"] == 2
    assert fetched() == []


def test_messages_that_were_deleted_before_they_were_fetched_are_told_and_taken_for_lost_by_a_person_alone(
    topic: str, kafka: Environment, fetched: Fetched
) -> None:
    streams.produce(kafka, topic, map(payload, range(10)), partition=0)
    fetched()
    streams.produce(kafka, topic, map(payload, range(10, 20)), partition=0)
    admin = AdminClient(streams.login(kafka))
    for done in admin.delete_records([TopicPartition(topic, 0, 15)]).values():
        done.result(30)
    with pytest.raises(UserError, match=r"messages are missing: partition 0: 10 to 14 were deleted.*\n.*--accept-gap"):
        fetched()
    (receipt,) = fetched(accept_gap=True)
    said = json.loads(receipt.declared)
    assert said["rows"] == 5 and "10 to 14" in said["gap"]["0"]


def test_a_topic_that_was_made_anew_is_not_taken_for_the_old_one(topic: str, kafka: Environment, fetched: Fetched) -> None:
    streams.produce(kafka, topic, map(payload, range(3)))
    fetched()
    admin = AdminClient(streams.login(kafka))
    admin.delete_topics([topic])[topic].result(30)
    made = False
    while not made:  # the broker forgets the name a moment later
        try:
            streams.make_topic(kafka, topic)
            made = True
        except Exception as error:  # noqa: BLE001 - the library has one exception for all
            assert "already exists" in str(error) or "marked for deletion" in str(error)
    streams.produce(kafka, topic, map(payload, range(5)))
    with pytest.raises(UserError, match="the topic was deleted and made anew"):
        fetched()
    (receipt,) = fetched(accept_gap=True)
    assert json.loads(receipt.declared)["rows"] == 5


def test_partitions_that_are_added_are_read_from_their_beginning(topic: str, kafka: Environment, fetched: Fetched) -> None:
    from confluent_kafka.admin import NewPartitions

    streams.produce(kafka, topic, map(payload, range(10)))
    fetched()
    admin = AdminClient(streams.login(kafka))
    admin.create_partitions([NewPartitions(topic, 3)])[topic].result(30)
    streams.produce(kafka, topic, map(payload, range(10, 14)), partition=2)
    (receipt,) = fetched()
    assert json.loads(receipt.position)["offsets"]["2"] == 4


def test_a_topic_that_is_not_there_and_a_wrong_password_are_told(
    topic: str, kafka: Environment, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = streams.connections(kafka)["kafka"]
    with pytest.raises(PassingError, match=rf"topic {topic}: cannot be reached .*uthentication(.|\n)*check the connection"):
        fetch(lake, TABLE, {"kafka": url.replace(kafka["CARBONLAKE_KAFKA_PASSWORD"], "wrong")})
    lay(tmp_path / "other", monkeypatch, "no-such-topic")
    with pytest.raises(UserError, match=r"no-such-topic: there is no such topic\n.*check its name"):
        fetch(lake, TABLE, {"kafka": url})


def test_a_connection_can_be_tried(topic: str, kafka: Environment) -> None:
    streams.produce(kafka, topic, map(payload, range(5)))
    assert fetching.tested(TABLE, streams.connections(kafka)) == f"topic {topic}: 2 partitions, 5 messages"
