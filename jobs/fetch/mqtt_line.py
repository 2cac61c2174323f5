"""A line to an MQTT 5 broker for one who subscribes: packets are read many at a time, and acknowledged when we say so.

Numbers in brackets are sections of the OASIS standard MQTT Version 5.0. General clients look at each packet with system
calls of its own, and reach a tenth of the pace.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from jobs.fetch.broker import Broker
from jobs.fetch.how import PassingError
from jobs.fetch.mqtt_packets import Message, length, message, number, string

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 14
KEEPALIVE = 60  # seconds, after one and a half of which without a word the broker cuts the line [3.1.2.10]
SECONDS = 30.0
LOOK = 0.2
BLOCK = 1 << 18
FOR_EVER = 0xFFFFFFFF  # the session does not expire [3.1.2.11.2]
WINDOW = 0xFFFF  # messages under way without acknowledgement: all that packet identifiers tell apart [3.1.2.11.3]


@dataclass
class Line:
    """An open line; `kept` tells whether the broker had our session."""

    sock: socket.socket
    where: str
    kept: bool = False
    buffer: bytearray = field(default_factory=bytearray)
    spoke: float = 0.0
    topics: dict[bytes, str] = field(default_factory=dict)
    early: list[Message] = field(default_factory=list)


def opened(broker: Broker, client: str, filters: Sequence[str]) -> Line:
    """Open a line with a session that stays, and subscribe. Raise PassingError where the broker is away or does not let us."""
    where = f"mqtt {broker.names}, session {client}"
    try:
        sock = socket.create_connection(broker.hosts[0], timeout=SECONDS)
        if broker.tls:
            context = ssl.create_default_context(cafile=broker.words.get("ca"))
            sock = context.wrap_socket(sock, server_hostname=broker.hosts[0][0])
    except (OSError, ssl.SSLError) as error:
        raise PassingError(f"cannot be reached ({error})", where=where, remedy="check the connection; fetch again") from None
    line = Line(sock, where)
    try:
        _greet(line, broker, client)
        _subscribe(line, filters)
    except BaseException:
        sock.close()
        raise
    return line


def closed(line: Line, *, forget: bool = False) -> None:
    """Close a line; with `forget` the broker keeps the session no longer."""
    with suppress(PassingError):
        _send(line, DISCONNECT, 0, b"\x00\x05\x11\x00\x00\x00\x00" if forget else b"")
    line.sock.close()


def came(line: Line, wait: float = LOOK) -> list[Message]:
    """Return the messages that came, waiting a little for the first. Raise PassingError where the line broke."""
    if line.early:
        found, line.early = line.early, []
        return found
    if time.monotonic() - line.spoke > KEEPALIVE / 3:
        _send(line, PINGREQ, 0, b"")
    messages = []
    for kind, flags, body in _packets(line, wait):
        if kind == PUBLISH:
            messages.append(message(line.topics, flags, body))
        elif kind == DISCONNECT:
            raise PassingError(f"the broker ends the line (reason {body[0] if body else 0:#x})", where=line.where,
                          remedy="another client of this name may have come; fetch again")  # fmt: skip
    return messages


def acknowledge(line: Line, packets: Iterable[int]) -> None:
    """Let the broker forget messages."""
    _all(line, b"".join(b"\x40\x02" + struct.pack(">H", packet) for packet in packets if packet))


def _greet(line: Line, broker: Broker, client: str) -> None:
    flags = (0x80 if broker.user else 0) | (0x40 if broker.password else 0)  # no clean start [3.1.2.4]
    properties = struct.pack(">BIBH", 0x11, FOR_EVER, 0x21, WINDOW)
    head = string("MQTT") + bytes([5, flags]) + struct.pack(">H", KEEPALIVE) + length(len(properties)) + properties
    words = (client, *(word for word in (broker.user, broker.password) if word))
    _send(line, CONNECT, 0, head + b"".join(map(string, words)))
    body = _await(line, CONNACK)
    if body[1]:
        raise PassingError(f"the broker does not let us in (reason {body[1]:#x})", where=line.where,
                      remedy="check user, password and rights of the connection; fetch again")  # fmt: skip
    line.kept = bool(body[0] & 1)


def _subscribe(line: Line, filters: Sequence[str]) -> None:
    """Ask for topics, at least once each message; of retained ones only at the first time [3.8.3.1]."""
    body = b"\x00\x01\x00" + b"".join(string(one) + b"\x11" for one in filters)
    _send(line, SUBSCRIBE, 2, body)
    codes = _await(line, SUBACK)
    codes = codes[2 + 1 + codes[2] :]
    for one, code in zip(filters, codes, strict=True):
        if code >= 0x80:  # noqa: PLR2004 - from here on codes are failures [3.9.3]
            raise PassingError(f"the broker does not give us {one!r} (reason {code:#x})", where=line.where,
                          remedy="check the filter and our rights; fetch again")  # fmt: skip


def _await(line: Line, wanted: int) -> bytes:
    """Return the body of the answer that must come; messages may come before it."""
    until = time.monotonic() + SECONDS
    answer = b""
    while time.monotonic() < until and not answer:
        for kind, flags, body in _packets(line, LOOK):
            if kind == PUBLISH:
                line.early.append(message(line.topics, flags, body))
            elif kind == wanted:
                answer = body
            elif kind == DISCONNECT:
                raise PassingError("the broker ends the line", where=line.where, remedy="check the broker; fetch again")
    if not answer:
        raise PassingError("the broker does not answer", where=line.where, remedy="check the broker; fetch again")
    return answer


def _packets(line: Line, wait: float) -> Iterator[tuple[int, int, bytes]]:
    """Yield kind, flags and body of each packet that is there, whole [2.1]."""
    try:
        line.sock.settimeout(wait)
        block = line.sock.recv(BLOCK)
    except TimeoutError:
        return
    except OSError as error:
        raise PassingError(f"the line broke ({error})", where=line.where, remedy="check the broker; fetch again") from None
    if not block:
        raise PassingError("the broker has closed the line", where=line.where, remedy="check the broker; fetch again")
    line.buffer += block
    data, at = bytes(line.buffer), 0
    while at + 1 < len(data):
        size, body = number(data, at + 1)
        if size < 0 or body + size > len(data):
            break
        yield data[at] >> 4, data[at] & 15, data[body : body + size]
        at = body + size
    del line.buffer[:at]


def _send(line: Line, kind: int, flags: int, body: bytes) -> None:
    _all(line, bytes([kind << 4 | flags]) + length(len(body)) + body)


def _all(line: Line, data: bytes) -> None:
    try:
        line.sock.settimeout(SECONDS)
        line.sock.sendall(data)
    except OSError as error:
        raise PassingError(f"the line broke ({error})", where=line.where, remedy="check the broker; fetch again") from None
    line.spoke = time.monotonic()
