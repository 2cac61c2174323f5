"""A web server that misbehaves as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Asked:
    """One request: path, query and headers."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Answer:
    """What is sent back; `told` is the length that the header claims, None for that of the body,
    below zero for no such header."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    told: int | None = None


Answers = Callable[[Asked], Answer]


class Site:
    """Address of a server, what was asked, and the function that answers."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.asked: list[Asked] = []
        self.answer: Answers = lambda _: Answer(status=404)

    def then(self, *answers: Answer) -> None:
        """Give these answers in turn, the last one for ever."""
        left = list(answers)
        self.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def site(host: str = "127.0.0.1") -> Iterator[Site]:
    """Run a server on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            one = Asked(parts.path, dict(parse_qsl(parts.query)), dict(self.headers))
            made.asked.append(one)
            answer = made.answer(one)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if (told := len(answer.body) if answer.told is None else answer.told) >= 0:
                self.send_header("Content-Length", str(told))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    made = Site(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
