"""A topic of Kafka in micro-batches: where the next one goes on, offset by offset, stands in the receipt, not at the broker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from jobs.fetch import Asked, messages
from jobs.fetch.gaps import Start, starts
from jobs.fetch.how import PassingError
from jobs.fetch.kafka_line import LOOK, MOST_BYTES, SECONDS, Line, demand, describe, opened, unreachable
from jobs.land import Arrival
from schemas.fetch import Batch

AT_ONCE = 10_000
GONE = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)  # noqa: SLF001 - the library's name for its own codes
NO_TOPIC = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)  # noqa: SLF001


def arrivals(asked: Asked) -> Iterator[Arrival]:
    """Yield what the topic holds, batch by batch; a gap in it is refused, unless a person has accepted it."""
    standing = asked.how_to.go_on()
    with opened(asked) as line:
        gaps = _begin(line, asked)
        while True:
            batch = _take(line, asked.how.batch, asked)
            if batch:
                partitions = _same_topic(line)
                yield _arrival(line, batch, asked, gaps)
                gaps = {}
                _tell_group(line)
                if partitions > len(line.next):
                    raise PassingError(
                        "the topic has more partitions now", where=line.where, remedy="fetch again: they are read, too"
                    )
            if not asked.how_to.go_on() and (standing or line.through):
                return


def test(asked: Asked) -> str:
    """Say how many partitions the topic has, and how many messages."""
    with opened(asked) as line:
        _begin(line, asked)
        held = [line.consumer.get_watermark_offsets(TopicPartition(line.topic, one), timeout=SECONDS) for one in line.next]
        return f"topic {line.topic}: {len(held)} partitions, {sum(high - low for low, high in held)} messages"


def _begin(line: Line, asked: Asked) -> dict[str, Any]:
    """Go to where the last fetch ended, and return what is missing since, if a person has accepted that."""
    demand(line)
    partitions = describe(line)
    held: dict[int, tuple[int, int]] = {}
    try:
        for one in partitions:
            held[one] = line.consumer.get_watermark_offsets(TopicPartition(line.topic, one), timeout=SECONDS)
    except KafkaException as error:
        raise unreachable(line, error) from None
    found: Start = starts(asked.position, line.topic_id, held, line.where, accept=asked.how_to.accept_gap)
    line.next, line.marks = dict(found.offsets), {one: high for one, (_, high) in held.items()}
    line.consumer.assign([TopicPartition(line.topic, one, at) for one, at in found.offsets.items()])
    return found.gaps


def _take(line: Line, batch: Batch, asked: Asked) -> list[Any]:
    """Take messages until the batch is full, its time is over, or nothing is left that was there at the start."""
    found: list[Any] = []
    size, until, standing = 0, 0.0, asked.how_to.go_on()
    while len(found) < batch.rows and size < MOST_BYTES:
        wait = min(LOOK, max(0.0, until - time.monotonic())) if found else LOOK
        got = line.consumer.consume(min(AT_ONCE, batch.rows - len(found)), wait)
        size += _count(line, got, found)
        until = until or (time.monotonic() + batch.seconds if found else 0.0)
        if found and time.monotonic() >= until:
            break
        if not (asked.how_to.go_on() if standing else not line.through):
            break
        if not got:
            _heed_silence(line, asked)
    return found


def _count(line: Line, got: list[Any], found: list[Any]) -> int:
    """Take in what came, in its order, and return how many bytes it is."""
    at = next((place for place, one in enumerate(got) if one.error() is not None), None)
    if at is not None:
        size = _count(line, got[:at], found)
        _heed(line, got[at])
        return size + _count(line, got[at + 1 :], found)
    found += got
    last = {one.partition(): one.offset() + 1 for one in got}
    line.next |= last
    line.ended -= last.keys()
    return sum(map(len, got))


def _heed(line: Line, message: Any) -> None:
    """Act on what stands in the place of a message: the end of a partition, or what can't be gone on from."""
    error = message.error()
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
        line.ended.add(message.partition())
        # Behind the last message there may be marks of transactions.
        line.next[message.partition()] = message.offset()
    elif error.code() in GONE or error.code() in NO_TOPIC:
        raise PassingError(error.str(), where=line.where, remedy="fetch again: what is missing will be told then")
    elif error.fatal() or not error.retriable():
        raise PassingError(error.str(), where=line.where, remedy="check the broker; fetch again")


def _heed_silence(line: Line, asked: Asked) -> None:
    """Who stands says that no broker answers, and the library goes on asking; who fetches once gives up."""
    while line.trouble:
        error = line.trouble.pop(0)
        if error.code() == KafkaError._AUTHENTICATION:  # noqa: SLF001
            raise PassingError(error.str(), where=line.where, remedy="check user and password of the connection")
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001
            if not asked.how_to.go_on():
                raise PassingError("no broker answers", where=line.where, remedy="check the broker; fetch again")
            asked.how_to.tell(f"{line.where}: no broker answers; it is asked again until one does")


def _same_topic(line: Line) -> int:
    """Return how many partitions the topic has now.

    Raise PassingError where it was deleted and made anew: then nobody knows which of both a message is of.
    """
    before = line.topic_id
    partitions = describe(line)
    if line.topic_id != before:
        raise PassingError(
            "the topic was deleted and made anew", where=line.where, remedy="fetch again: what is missing is told then"
        )
    return len(partitions)


def _arrival(line: Line, batch: list[Any], asked: Asked, gaps: dict[str, Any]) -> Arrival:
    columns: dict[str, list[Any]] = {
        "topic": [line.topic] * len(batch),
        "partition": [one.partition() for one in batch],
        "offset": [one.offset() for one in batch],
        "time": [at if kind else None for kind, at in (one.timestamp() for one in batch)],
        "key": [one.key() for one in batch],
        "value": [one.value() for one in batch],
        "headers": [_headers(one) for one in batch],
    }
    at = sum(line.next.values())
    file = messages.write(asked.folder / f"{at}.parquet", columns)
    position = {"topic_id": line.topic_id, "offsets": {str(one): offset for one, offset in sorted(line.next.items())}}
    declared = {"rows": len(batch), "behind": _behind(line), **({"gap": gaps} if gaps else {})}
    return Arrival(file, f"{line.topic}/{at}.parquet", position, declared)


def _headers(message: Any) -> list[dict[str, Any]] | None:
    found = message.headers()
    return [{"key": key, "value": value} for key, value in found] if found else None


def _behind(line: Line) -> int:
    """Return how many messages wait behind what was taken, as the broker said with the last ones."""
    behind = 0
    for one, at in line.next.items():
        _, high = line.consumer.get_watermark_offsets(TopicPartition(line.topic, one), cached=True)
        behind += max(0, high - at)
    return behind


def _tell_group(line: Line) -> None:
    """Let those who watch consumer groups see where we are; nothing depends on it."""
    with suppress(KafkaException):
        line.consumer.commit(offsets=[TopicPartition(line.topic, one, at) for one, at in line.next.items()], asynchronous=True)
