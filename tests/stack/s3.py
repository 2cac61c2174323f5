"""Lakes in buckets of a real MinIO, and a way to it that can be disturbed."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from jobs import objects
from jobs.lake import Lake

ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>made by a test</Message></Error>"
# What goes on from request to request, and what is answered anew.
OURS = ("connection", "transfer-encoding", "content-length", "keep-alive")


def options(environment: dict[str, str], **changes: str) -> dict[str, str]:
    """Return the storage options of the stack's MinIO, some of them changed."""
    found: dict[str, str] = json.loads(environment["CARBONLAKE_STORAGE_OPTIONS"])
    return {**found, **changes}


def bucket(given: dict[str, str]) -> str:
    """Make a bucket and return its name."""
    name = f"test-{uuid4().hex[:12]}"
    objects.client(given).make_bucket(name)
    return name


def lake_to_be(given: dict[str, str], work: Path) -> Lake:
    """Return a place for a lake in a bucket of its own."""
    return Lake(f"s3://{bucket(given)}/lakes/of-ours", given, work)


def lake(given: dict[str, str], work: Path, root: str = "") -> Lake:
    """Return a new lake in a bucket of its own, or the one at a root as another machine sees it."""
    return (Lake(root, given, work) if root else lake_to_be(given, work)).init()


@dataclass
class Way:
    """A proxy before the store; `fault` decides for each request, by its number and method, what goes wrong with it."""

    port: int
    fault: Callable[[int, str], str] = lambda number, method: ""
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, method: str) -> str:
        """Return what goes wrong with the next request."""
        with self.lock:
            self.counts["requests"] += 1
            found = self.fault(self.counts["requests"], method)
            self.counts[found or "fine"] += 1
            return found


@contextmanager
def disturbed(given: dict[str, str]) -> Iterator[tuple[Way, dict[str, str]]]:
    """Yield a way to the store that can be disturbed, and the storage options that lead over it."""
    target = urlsplit(given["AWS_ENDPOINT_URL"])
    way = Way(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

        def serve(self) -> None:
            """Send a request on and its answer back, as far as the fault lets it."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = way.next(self.command)
            if fault == "gone":
                self.close_connection = True
                return
            if fault == "slow":
                time.sleep(0.3)
            if fault in ("InternalError", "SlowDown"):
                self.answer(500 if fault == "InternalError" else 503, [], ERROR.format(fault).encode())
                return
            status, headers, found = self.asked(body)
            if fault == "lost":  # done, but who asked never hears of it
                self.answer(500, [], ERROR.format("InternalError").encode())
                return
            self.answer(status, headers, found, cut=fault == "cut")

        def asked(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            """Ask the store."""
            store = http.client.HTTPConnection(str(target.hostname), int(target.port or 80), timeout=60)
            try:
                store.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    store.putheader(name, value)
                store.endheaders(body)
                answer = store.getresponse()
                return answer.status, answer.getheaders(), answer.read()
            finally:
                store.close()

        def answer(self, status: int, headers: list[tuple[str, str]], body: bytes, *, cut: bool = False) -> None:
            """Answer; a cut one promises more than it gives."""
            self.send_response_only(status)
            size = next((value for name, value in headers if name.lower() == "content-length"), str(len(body)))
            for name, value in headers:
                if name.lower() not in OURS:
                    self.send_header(name, value)
            self.send_header("Content-Length", size)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body[: len(body) // 2] if cut else body)
            if cut:
                self.wfile.flush()
                self.close_connection = True

    for method in ("GET", "PUT", "POST", "DELETE", "HEAD"):
        setattr(Handler, f"do_{method}", Handler.serve)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *about: None  # type: ignore[method-assign]  # who hung up needs no answer
    threading.Thread(target=server.serve_forever, daemon=True).start()
    way.port = server.server_port
    try:
        yield way, {**given, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{way.port}"}
    finally:
        server.shutdown()
        server.server_close()
