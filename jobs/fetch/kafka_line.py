"""A line to Kafka: a consumer whose offsets are ours to keep, and what stands in its way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from jobs.fetch import Asked
from jobs.fetch.broker import broker
from jobs.fetch.how import PassingError
from jobs.fetch.kafka_settings import login, reading
from schemas.errors import UserError

SECONDS = 30.0
LOOK = 0.2  # seconds between two looks at whether to go on
MOST_BYTES = 64 << 20  # of one batch, and of what waits to be taken
AWAY = (KafkaError._ALL_BROKERS_DOWN, KafkaError._AUTHENTICATION)  # noqa: SLF001 - the library's name for its own codes


@dataclass
class Line:
    """A consumer, what stands against it, and where each partition is: taken up to, ended at, and its mark at the start."""

    consumer: Consumer
    admin: AdminClient
    topic: str
    where: str
    trouble: list[KafkaError]
    topic_id: str = ""
    next: dict[int, int] = field(default_factory=dict)
    marks: dict[int, int] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)

    @property
    def through(self) -> bool:
        """Whether all that was there at the start has been taken."""
        return all(p in self.ended or at >= self.marks[p] for p, at in self.next.items())


@contextmanager
def opened(asked: Asked) -> Iterator[Line]:
    """Open a line to the broker and topic of a contract; nothing is asked yet."""
    trouble: list[KafkaError] = []
    found = broker(asked, "kafka", 9092, 9093, ("ca", "mechanism"))
    settings = {**login(found), "error_cb": trouble.append}
    try:
        consumer, admin = Consumer(settings | reading(asked, MOST_BYTES)), AdminClient(settings)
    except KafkaException as error:
        raise UserError(f"the connection can't be set up ({error})", where=f"conf: connections.{asked.how.connection}",
                        remedy="check the words of its URL") from None  # fmt: skip
    try:
        yield Line(consumer, admin, asked.how.topic, f"kafka {found.names}, topic {asked.how.topic}", trouble)
    finally:
        consumer.close()


def demand(line: Line) -> None:
    """Raise UserError where there is no such topic; to ask for it by its name might make it."""
    until = time.monotonic() + SECONDS
    found = None
    while found is None:
        try:
            found = line.consumer.list_topics(timeout=1.0).topics
        except KafkaException as error:
            line.consumer.poll(0)  # lets it say what is in its way
            if time.monotonic() > until or any(one.code() in AWAY for one in line.trouble):
                raise unreachable(line, error) from None
    if line.topic not in found:
        near = get_close_matches(line.topic, found, n=3)
        remedy = f"did you mean {' or '.join(near)}?" if near else "check its name, and who may see it"
        raise UserError("there is no such topic", where=line.where, remedy=remedy)


def describe(line: Line) -> list[int]:
    """Return the partitions of the topic, and remember the id that no other topic of its name has."""
    asked = line.admin.describe_topics(TopicCollection([line.topic]), request_timeout=SECONDS)[line.topic]
    try:
        # The library asks again until the time is over, whatever it is told meanwhile.
        while not asked.done():
            line.admin.poll(LOOK)
            if any(one.code() in AWAY for one in line.trouble):
                raise unreachable(line)
        found = asked.result()
    except KafkaException as error:
        raise unreachable(line, error) from None
    line.topic_id = str(found.topic_id)
    return sorted(one.id for one in found.partitions)


def unreachable(line: Line, *errors: KafkaException) -> PassingError:
    """Return the error for a broker that gives no answer, with all that is known of why."""
    told = "; ".join(dict.fromkeys(one.str() for one in [*line.trouble[-3:], *(error.args[0] for error in errors)]))
    return PassingError(f"cannot be reached ({told})", where=line.where, remedy="check the connection; fetch again")
