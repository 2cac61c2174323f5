"""Who sends messages to a broker at a pace, in a process of its own: numbered, each with the instant at which it was sent."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from jobs.fetch.mqtt_packets import length, string
from tests.stack.streams import sender

TOPIC = "bench"
DEVICES = 1000
SLICE = 0.02  # seconds between two looks at the clock


def lots(pace: int, seconds: float) -> Iterator[list[bytes]]:
    """Yield messages, as many as are due, until all are sent; one who is late sends more at once."""
    began, sent, whole = time.time(), 0, int(pace * seconds)
    while sent < whole:
        due = min(whole, int((time.time() - began) * pace))
        at = int(time.time() * 1000)
        yield [
            b'{"device":"m%d","sequence":%d,"sent_at":%d,"counter_kwh":%d.25}' % (n % DEVICES, n, at, n) for n in range(sent, due)
        ]
        sent = due
        time.sleep(SLICE)


def kafka(url: str, pace: int, seconds: float) -> int:
    """Send to a topic of two partitions, which is made here, and return how many there were."""
    at = urlsplit(url)
    login = {"bootstrap.servers": f"{at.hostname}:{at.port}", "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
             "sasl.username": str(at.username), "sasl.password": str(at.password)}  # fmt: skip
    admin = AdminClient(login)
    admin.create_topics([NewTopic(TOPIC, 2, 1)])[TOPIC].result(30)
    print("ready", flush=True)
    sys.stdin.readline()
    producer = Producer(login | {"linger.ms": 20, "compression.type": "lz4", "queue.buffering.max.messages": 1_000_000})
    number = 0
    for lot in lots(pace, seconds):
        for one in lot:
            producer.produce(TOPIC, one)
        producer.poll(0)
        number += len(lot)
    if producer.flush(120):
        raise RuntimeError("the broker has not taken all")
    return number


def mqtt(url: str, pace: int, seconds: float) -> int:
    """Send each at least once, and return how many there were when the broker has taken all."""
    print("ready", flush=True)
    sys.stdin.readline()
    number, heard = 0, [0]
    with sender(url) as line:

        def listen() -> None:
            while got := line.recv(1 << 16):
                heard[0] += len(got)

        threading.Thread(target=listen, daemon=True).start()
        for lot in lots(pace, seconds):
            block = bytearray()
            for one in lot:
                number += 1
                body = string(f"{TOPIC}/energy") + (number % 65_000 + 1).to_bytes(2, "big") + one
                block += b"\x32" + length(len(body)) + body
            line.sendall(block)
        while heard[0] < 4 * number:
            time.sleep(SLICE)
    return number


if __name__ == "__main__":
    kind, where, rate, span = sys.argv[1:]
    done = {"kafka": kafka, "mqtt": mqtt}[kind](where, int(rate), float(span))
    print(json.dumps({"sent": done}), flush=True)
