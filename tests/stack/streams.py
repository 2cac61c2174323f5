"""Streams for tests: a project with a table of each broker, connections, and those who send."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from jobs.fetch.mqtt_packets import length, string

Environment = dict[str, str]
TABLE = """
description: Counters of meters, as they are sent
owner: tests
source:
  zone: %(name)s
  path: "*/*.parquet"
  format: messages
  options: {fields: [device, sequence, energy_kwh]}
  fetch: {%(fetch)s, batch: {rows: %(rows)s, seconds: 0.5}}
  publisher: us
  licence: CC0-1.0
  timezone: UTC
write: append
columns:
  device: {type: string, description: Device}
  sequence: {type: bigint, description: Number of the message}
  energy_kwh: {type: "decimal(18,6)", unit: kWh, description: Counter}
rules:
  - {rule: not_null, column: sequence}
"""


def table(name: str, fetch: str, rows: int = 5000) -> dict[str, str]:
    """Return the file of a contract `cleaned.<name>`."""
    return {f"schemas/cleaned/{name}.yaml": TABLE % {"name": name, "fetch": fetch, "rows": rows}}


def connections(kafka: Environment | None = None, mosquitto: Environment | None = None) -> dict[str, str]:
    """Return the URLs of the brokers, as the settings have them."""
    found = {}
    if kafka:
        login = f"{kafka['CARBONLAKE_KAFKA_USER']}:{kafka['CARBONLAKE_KAFKA_PASSWORD']}"
        found["kafka"] = f"kafka://{login}@{kafka['CARBONLAKE_KAFKA']}"
    if mosquitto:
        found["mqtt"] = mosquitto["CARBONLAKE_MQTT"].replace("@", f":{mosquitto['CARBONLAKE_MQTT_PASSWORD']}@")
    return found


def payload(number: int, device: str = "m1") -> bytes:
    """Return a message."""
    return b'{"device": "%s", "sequence": %d, "energy_kwh": %d.25}' % (device.encode(), number, number)


def login(kafka: Environment) -> dict[str, Any]:
    """Return what clients of Kafka need."""
    return {"bootstrap.servers": kafka["CARBONLAKE_KAFKA"], "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
            "sasl.username": kafka["CARBONLAKE_KAFKA_USER"], "sasl.password": kafka["CARBONLAKE_KAFKA_PASSWORD"]}  # fmt: skip


def make_topic(kafka: Environment, topic: str, partitions: int = 2, **config: str) -> None:
    """Make a topic."""
    admin = AdminClient(login(kafka))  # held by a name: without it the answer is never heard
    admin.create_topics([NewTopic(topic, partitions, 1, config=config)])[topic].result(30)


def produce(kafka: Environment, topic: str, payloads: Iterable[bytes | None], **where: Any) -> None:
    """Send messages to a topic, and wait until the broker has them."""
    producer = Producer(login(kafka) | {"linger.ms": 20, "queue.buffering.max.messages": 1_000_000})
    for number, one in enumerate(payloads):
        producer.produce(topic, one, key=b"k%d" % number, **where)
        if number % 1000 == 0:
            producer.poll(0)
    assert producer.flush(60) == 0


@contextmanager
def sender(url: str, name: str = "sender") -> Iterator[socket.socket]:
    """Open a line to an MQTT broker (3.1.1) as one who sends."""
    at = urlsplit(url)
    line = socket.create_connection((str(at.hostname), int(at.port or 0)), timeout=60)
    body = string("MQTT") + b"\x04\xc2\x00\x00" + b"".join(map(string, (name, str(at.username), str(at.password))))
    line.sendall(b"\x10" + length(len(body)) + body)
    assert line.recv(4) == b"\x20\x02\x00\x00"
    try:
        yield line
    finally:
        line.sendall(b"\xe0\x00")
        line.close()


def publish(url: str, messages: Iterable[tuple[str, bytes]], *, retain: bool = False, ahead: int = 5000) -> None:
    """Send messages to an MQTT broker, each at least once, and wait until it has them all."""
    with sender(url) as line:
        heard, sent, over = [0], 0, threading.Event()

        def listen() -> None:
            while not (over.is_set() and heard[0] >= 4 * sent) and (got := line.recv(65536)):
                heard[0] += len(got)

        block = bytearray()
        listener = threading.Thread(target=listen)
        listener.start()
        pause = threading.Event()
        for topic, value in messages:
            sent += 1
            body = string(topic) + (sent % 65_000 + 1).to_bytes(2, "big") + value
            block += (b"\x33" if retain else b"\x32") + length(len(body)) + body
            if len(block) > 1 << 16:
                line.sendall(block)
                block.clear()
                while sent - heard[0] // 4 > ahead:
                    pause.wait(0.001)
        over.set()
        line.sendall(block)
        listener.join(60)
        assert heard[0] == 4 * sent
