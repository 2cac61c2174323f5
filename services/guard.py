"""The guard at the door: whoever asks must mean this machine, and no page of another site may ask in its name.

Without accounts every program of this machine may ask. A page of another site must not: it could reach a server on
loopback through the browser, by its own name that points here (DNS rebinding) or by a form that it posts across sites.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
READING = ("GET", "HEAD", "OPTIONS")
STREAMED = "/api/uploads"  # goes to the disk as it comes; all other bodies are held in memory
MOST = 16 << 20  # bytes of such a body
HEADERS = (
    (b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY"), (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)  # fmt: skip
ELSEWHERE = "this server answers for 127.0.0.1 and localhost alone"


class Guard:
    """The app with the guard before it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request or a websocket through, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refused = refusal(scope)
        if refused is None:
            await self.app(scope, receive, lambda message: send(_with_headers(message)))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refused[1]})
        else:
            body = json.dumps({"error": refused[1], "where": "", "remedy": refused[2]}).encode()
            await send({"type": "http.response.start", "status": refused[0],
                        "headers": [(b"content-type", b"application/json"), (b"connection", b"close"), *HEADERS]})  # fmt: skip
            await send({"type": "http.response.body", "body": body})


def refusal(scope: Scope) -> tuple[int, str, str] | None:
    """Return status, reason and remedy where a request is refused, None where it is not."""
    given = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    headers = dict(given)
    host, origin = headers.get(b"host", ""), headers.get(b"origin")
    if [name for name, _ in given].count(b"host") != 1 or _name(host) not in LOOPBACK:
        return 421, ELSEWHERE, "open it by one of these names"
    if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
        return 403, "a page of another site may not ask here", "open the page that this server shows"
    if scope["type"] == "websocket" or scope["method"] in READING:
        return None
    if headers.get(b"sec-fetch-site", "none") not in ("none", "same-origin"):
        return 403, "a page of another site may not ask here", "open the page that this server shows"
    streamed = scope["path"].startswith(STREAMED) and headers.get(b"content-type") == "application/offset+octet-stream"
    length = headers.get(b"content-length", "" if b"transfer-encoding" in headers else "0")
    if not streamed and not (length.isdigit() and int(length) <= MOST):
        return 413, f"at most {MOST >> 20} MiB are taken at once", "bring large files by an upload, which comes in pieces"
    return None


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _with_headers(message: Message) -> Message:
    if message["type"] != "http.response.start":
        return message
    return {**message, "headers": [*message.get("headers", ()), *HEADERS]}
