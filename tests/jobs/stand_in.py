"""A stand-in for a Trino that goes wrong on demand: a script of answers, one for each request, over plain HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ROW = {"columns": [{"name": "x", "type": "bigint", "typeSignature": {"rawType": "bigint", "arguments": []}}], "data": [[7]]}
DROP = "drop"


class StandIn:
    """What the stand-in says: `script` holds (status, body) or DROP for each request to a statement, in turn."""

    def __init__(self, script: list[Any]) -> None:
        self.script, self.asked, self.port = script, [], 0
        self.asked: list[str]

    def url(self) -> str:
        """Return the address as settings have it."""
        return f"http://someone@127.0.0.1:{self.port}/lake"


def done(**more: Any) -> tuple[int, dict[str, Any]]:
    """Return an answer that ends a query."""
    return 200, {"id": "q1", "infoUri": "http://none", "stats": {"state": "FINISHED"}, **more}


def running(stand_in: StandIn) -> tuple[int, dict[str, Any]]:
    """Return an answer that says where to ask on."""
    return done(nextUri=f"http://127.0.0.1:{stand_in.port}/v1/statement/executing/q1/1")


def failed(name: str, message: str, type_: str = "USER_ERROR") -> tuple[int, dict[str, Any]]:
    """Return an answer that says that a query failed."""
    return done(error={"message": message, "errorName": name, "errorType": type_, "errorCode": 1, "failureInfo": {}})


@contextmanager
def stand_in(*script: Any) -> Iterator[StandIn]:
    """Serve a script; a function in it is called with the stand-in when its turn comes."""
    at = StandIn(list(script))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/v1/info":
                self._say(200, {"starting": False})
            else:
                self._next()

        def do_POST(self) -> None:
            at.asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._next()

        def _next(self) -> None:
            said = at.script.pop(0)
            said = said(at) if callable(said) else said
            if said == DROP:
                self.close_connection = True
            else:
                self._say(*said)

        def _say(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode() if not isinstance(body, str) else body.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    at.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield at
    finally:
        server.shutdown()
        server.server_close()
