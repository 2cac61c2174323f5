"""Packets of MQTT 5, as far as one who subscribes meets them.

Numbers in brackets are sections of the OASIS standard MQTT Version 5.0.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass

# Lengths of the properties of a message that say nothing to us; -1 is a text, -2 a number of changing length [2.2.2.2]
PROPERTIES = {0x01: 1, 0x02: 4, 0x03: -1, 0x08: -1, 0x09: -1, 0x0B: -2, 0x23: 2}
USER_PROPERTY = 0x26


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came; `packet` is its number until it is acknowledged, 0 where it asks for none."""

    topic: str
    payload: bytes
    qos: int
    retained: bool
    again: bool
    packet: int
    at: int
    properties: bytes


def message(topics: dict[bytes, str], flags: int, body: bytes) -> Message:
    """Return a message [3.3]; `topics` keeps the texts of those that came before."""
    end = 2 + int.from_bytes(body[:2], "big")
    raw = body[2:end]
    topic = topics.get(raw) or topics.setdefault(raw, raw.decode())
    qos = flags >> 1 & 3
    packet, end = (int.from_bytes(body[end : end + 2], "big"), end + 2) if qos else (0, end)
    size, start = number(body, end)
    return Message(topic, body[start + size :], qos, bool(flags & 1), bool(flags & 8), packet, int(time.time() * 1000),
                   body[start : start + size])  # fmt: skip


def user_properties(properties: bytes) -> list[dict[str, object]] | None:
    """Return the properties that a sender has named, in order."""
    found: list[dict[str, object]] = []
    at = 0
    while at < len(properties):
        kind, at = properties[at], at + 1
        if kind == USER_PROPERTY:
            key, at = _text(properties, at)
            value, at = _text(properties, at)
            found.append({"key": key.decode(), "value": value})
        elif (size := PROPERTIES.get(kind)) is None:
            break  # there is no such property: what follows can't be told
        elif size > 0:
            at += size
        else:
            at = _text(properties, at)[1] if size == -1 else number(properties, at)[1]
    return found or None


def number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of changing length and where it ends; -1 where it is not whole yet [1.5.5]."""
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
        shift += 7
    return -1, at


def length(value: int) -> bytes:
    """Return a number in its changing length [1.5.5]."""
    found = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        found.append(low | (0x80 if value else 0))
        if not value:
            return bytes(found)


def string(text: str) -> bytes:
    """Return a text with its length before it [1.5.4]."""
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 2 + int.from_bytes(data[at : at + 2], "big")
    return data[at + 2 : end], end
