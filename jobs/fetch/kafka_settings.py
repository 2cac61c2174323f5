"""What a client of Kafka is told: who we are, and that offsets are ours to keep."""

from __future__ import annotations

from typing import Any

from jobs.fetch import Asked
from jobs.fetch.broker import Broker


def login(found: Broker) -> dict[str, Any]:
    """Return where the broker is, and who we are there."""
    login = bool(found.user)
    protocol = ("SASL_" if login else "") + ("SSL" if found.tls else "PLAINTEXT")
    values: dict[str, Any] = {"bootstrap.servers": found.names, "security.protocol": protocol, "log_level": 2}
    if login:
        values |= {"sasl.mechanism": found.words.get("mechanism", "PLAIN"), "sasl.username": found.user,
                   "sasl.password": found.password}  # fmt: skip
    return values | ({"ssl.ca.location": found.words["ca"]} if "ca" in found.words else {})


def reading(asked: Asked, most_bytes: int) -> dict[str, Any]:
    """Offsets are ours to keep: none is reset or stored behind our back; what was rolled back is not read."""
    return {"group.id": f"carbonlake-{asked.contract.table}", "enable.auto.commit": False, "enable.auto.offset.store": False,
            "auto.offset.reset": "error", "isolation.level": "read_committed", "enable.partition.eof": True,
            "queued.min.messages": 100_000, "queued.max.messages.kbytes": most_bytes >> 10,
            "allow.auto.create.topics": False, "check.crcs": True}  # fmt: skip
