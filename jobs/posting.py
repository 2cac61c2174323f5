"""One signed message to one address: bounded in time, never to a private network unless that is declared, no redirects."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from schemas.errors import UserError

MOST = 4096  # bytes of an answer that are read


@dataclass(frozen=True)
class Reply:
    """What came of a message: whether the receiver took it, and its status or why there is none."""

    taken: bool
    told: str
    wait: float = 0.0  # seconds that the receiver asks for (Retry-After)


def signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature` of Standard Webhooks 1.0: HMAC-SHA256 over id, time and body."""
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    signed = hmac.new(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def check(url: str, private: bool) -> None:
    """Raise UserError for an address that can't be a receiver's."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise UserError("not an address of the web", where=parts.hostname or "webhooks", remedy="write https://host/path")
    if parts.scheme == "http" and not private:
        raise UserError("the address does not encrypt", where=parts.hostname,
                        remedy="write https://, or `private: true` for a receiver within your own network")  # fmt: skip


def post(url: str, body: bytes, headers: Mapping[str, str], *, private: bool, seconds: float) -> Reply:
    """Send a message and return what came of it, within `seconds` whatever the receiver does. Never raises."""
    made: list[socket.socket] = []
    came: list[Reply] = []

    def once() -> None:
        try:
            check(url, private)
            came.append(_sent(url, body, headers, private, seconds, made))
        except (OSError, http.client.HTTPException, UserError, ValueError) as error:
            # Of an error only what it is: its text may hold the address, and that a token.
            came.append(Reply(False, str(error).splitlines()[0] if isinstance(error, UserError) else type(error).__name__))

    # Names are looked up and answers dripped without a bound of their own: who waits is bounded, not who works.
    worker = threading.Thread(target=once, daemon=True)
    worker.start()
    worker.join(seconds)
    for one in made:
        one.close()
    return came[0] if came else Reply(False, "TimeoutError")


def _sent(url: str, body: bytes, headers: Mapping[str, str], private: bool, seconds: float, made: list[socket.socket]) -> Reply:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    # The address that was looked at is the one that is used: a name may point elsewhere a moment later.
    line: socket.socket = socket.create_connection((_address(host, port, private), port), timeout=seconds)
    made.append(line)
    if parts.scheme == "https":
        line = ssl.create_default_context().wrap_socket(line, server_hostname=host)
        made[:] = [line]
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    connection.sock = line
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request("POST", path, body, {"Content-Type": "application/json", "User-Agent": "carbonlake", **headers})
    answer = connection.getresponse()
    answer.read(MOST)
    asked = answer.headers.get("Retry-After", "")
    return Reply(200 <= answer.status < 300, str(answer.status), float(asked) if asked.isdigit() else 0.0)


def _address(host: str, port: int, private: bool) -> str:
    """Return an address of a host; raise UserError where it leads into a private network and that is not declared."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    inside = [one for one in found if not ipaddress.ip_address(one.split("%")[0]).is_global]
    if inside and not private:
        raise UserError("the address is one of a private network", where=host, remedy="declare it with `private: true`")
    return found[0]
