"""Sending events to a receiver that is there, away, slow or broken: nothing is lost, nobody waits."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lineage.emit import Receiver, Spool, drain, telling


class _Server(ThreadingHTTPServer):
    """A receiver of ours that keeps what it gets and answers as it is told."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.got: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answer, self.delay = 201, 0.0
        self.arrived = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/api/v1/lineage"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.arrived.set()
        time.sleep(self.server.delay)
        answer = 422 if event.get("bad") else self.server.answer
        if answer < 300:
            self.server.got.append(event)
            self.server.headers.append(dict(self.headers))
        try:
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:  # the sender did not wait
            return

    def log_message(self, *args: Any) -> None:
        """Be quiet."""


@pytest.fixture
def server() -> Iterator[_Server]:
    """Return a running receiver."""
    made = _Server()
    yield made
    made.close()


def _numbers(server: _Server) -> list[int]:
    return [event["n"] for event in server.got]


def test_events_arrive_in_order_with_the_key(tmp_path: Path, server: _Server) -> None:
    receiver = Receiver(server.url, headers=(("Authorization", "Bearer k"),))
    with telling(Spool(tmp_path), receiver, patience=10) as tell:
        for n in range(20):
            tell({"n": n, "名": "排放"})
    assert _numbers(server) == list(range(20))
    assert server.got[0]["名"] == "排放"
    assert server.headers[0]["Authorization"] == "Bearer k"


def test_a_receiver_that_is_down_gets_everything_next_time(tmp_path: Path, server: _Server) -> None:
    spool, url = Spool(tmp_path), server.url
    server.close()
    with telling(spool, Receiver(url), patience=0.2) as tell:
        for n in range(5):
            tell({"n": n})
    assert len(list(spool.unsent())) == 5
    again = _Server(int(url.split(":")[2].split("/")[0]))
    try:
        with telling(spool, Receiver(url), patience=10) as tell:
            tell({"n": 5})
        assert _numbers(again) == [0, 1, 2, 3, 4, 5]
    finally:
        again.close()
    assert list(spool.unsent()) == []
    assert len(spool.events.read_text().splitlines()) == 6


def test_an_error_of_the_receiver_keeps_the_event_and_its_place(tmp_path: Path, server: _Server) -> None:
    spool = Spool(tmp_path)
    server.answer = 500
    for n in range(3):
        spool.append({"n": n})
    assert not drain(spool, Receiver(server.url))
    assert len(list(spool.unsent())) == 3
    server.answer = 200
    assert drain(spool, Receiver(server.url))
    assert _numbers(server) == [0, 1, 2]


def test_a_slow_receiver_holds_nobody_up(tmp_path: Path, server: _Server) -> None:
    server.delay = 30.0
    spool = Spool(tmp_path)
    with telling(spool, Receiver(server.url, timeout=0.2), patience=0.1) as tell:
        tell({"n": 0})
        assert server.arrived.wait(10)
        for n in range(1, 100):  # told while the sender hangs
            tell({"n": n})
        assert len(spool.events.read_text().splitlines()) == 100
    assert server.got == []
    assert len(list(spool.unsent())) == 100


def test_an_event_refused_for_good_is_set_aside_and_the_rest_goes_on(tmp_path: Path, server: _Server) -> None:
    spool = Spool(tmp_path)
    for event in ({"n": 0}, {"n": 1, "bad": True}, {"n": 2}):
        spool.append(event)
    assert drain(spool, Receiver(server.url))
    assert _numbers(server) == [0, 2]
    assert json.loads(spool.refused.read_text()) == {"n": 1, "bad": True}


def test_a_torn_line_spoils_no_other(tmp_path: Path, server: _Server) -> None:
    spool = Spool(tmp_path)
    spool.append({"n": 0})
    with spool.events.open("a") as file:
        file.write('{"n": 1, "ha')
    assert [line for _, line in spool.unsent()] == ['{"n": 0}']
    spool.append({"n": 2})
    assert [line for _, line in spool.unsent()] == ['{"n": 0}', '{"n": 1, "ha', '{"n": 2}']


def test_many_tellers_at_once_lose_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: spool.append({"n": n, "text": "x" * 5000}), range(200)))
    assert sorted(json.loads(line)["n"] for _, line in spool.unsent()) == list(range(200))


def test_two_senders_send_each_event_once(tmp_path: Path, server: _Server) -> None:
    spool = Spool(tmp_path)
    server.delay = 0.01
    for n in range(20):
        spool.append({"n": n})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: drain(spool, Receiver(server.url)), range(4)))
    assert sorted(_numbers(server)) == list(range(20))


def test_without_a_receiver_events_are_only_written_down(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "new")
    with telling(spool) as tell:
        tell({"n": 1})
    assert [line for _, line in spool.unsent()] == ['{"n": 1}']


def test_a_spool_that_cannot_be_written_does_not_fail_the_build(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    with telling(Spool(tmp_path / "file" / "below"), Receiver("http://127.0.0.1:9/x")) as tell:
        tell({"n": 1})
    assert "not written" in caplog.text


def test_an_address_that_is_none_keeps_events(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append({"n": 1})
    assert not drain(spool, Receiver("not an address"))
    assert len(list(spool.unsent())) == 1
