"""Subscribers hear of changed tables at least once, signed, under one id; a bad receiver delays and breaks nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typer.testing import CliRunner

from carbonlake.cli import app
from conf.settings import PREFIX, SettingsError, Webhook, load
from jobs import webhooks
from jobs.commit import FAILPOINT
from jobs.lake import Lake
from jobs.posting import post
from schemas.errors import UserError
from tests.jobs import building

TABLE, SECRET = "cleaned.flow_merge", "a secret of ours, long enough"


class Receiver:
    """A receiver that answers as it is told, and remembers what came."""

    def __init__(self) -> None:
        self.answer, self.headers, self.came = 200, {}, list[tuple[dict[str, str], bytes]]()
        self.before: Callable[[], None] = lambda: None
        self.url = ""

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.came]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            one.came.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            one.before()
            self.send_response(one.answer)
            for name, value in one.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    one.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield one
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def project(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "flows", building.flows(["merge"]))))


def hook(url: str, tables: str = TABLE, private: bool = True) -> dict[str, Webhook]:
    return {"them": Webhook(url=url, tables=tables, secret=SECRET, private=private)}


def change(lake: Lake, spark: Any, mass: int = 1) -> str:
    building.deliver(lake, TABLE, "a.csv", building.csv([("m", "2025-01-01", mass, "x")]))
    ended = building.build(lake, spark, TABLE)[TABLE]
    assert ended.status == "built"
    return ended.run_id


def test_a_subscriber_hears_of_a_build_once_and_signed(lake: Lake, spark: Any, receiver: Receiver) -> None:
    run = change(lake, spark)
    (row,) = webhooks.send(lake, hook(receiver.url))
    assert (row["status"], row["reply"], row["attempts"]) == ("delivered", "200", 1)
    headers, body = receiver.came[0]
    told = json.loads(body)
    assert (told["table"], told["run_id"], told["rows"], told["type"]) == (TABLE, run, 1, "table.changed")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    right = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{right}" and headers["webhook-id"] == told["id"]
    assert webhooks.send(lake, hook(receiver.url)) == [] and len(receiver.came) == 1, "nothing has changed since"


def test_what_fails_is_tried_again_under_the_same_id_and_only_when_it_is_time(lake: Lake, spark: Any, receiver: Receiver) -> None:
    change(lake, spark)
    receiver.answer, receiver.headers = 503, {"Retry-After": "300"}
    (row,) = webhooks.send(lake, hook(receiver.url))
    assert (row["status"], row["reply"]) == ("failed", "503")
    assert (row["next_at"] - row["at"]).total_seconds() == 300
    assert webhooks.send(lake, hook(receiver.url)) == [], "it asked for five minutes"
    (again,) = webhooks.send(lake, hook(receiver.url), now=True)
    assert (again["attempts"], (again["next_at"] - again["at"]).total_seconds()) == (2, 300)
    receiver.answer = 204
    (done,) = webhooks.send(lake, hook(receiver.url), now=True)
    assert (done["status"], done["attempts"]) == ("delivered", 3)
    assert len({body["id"] for body in receiver.bodies()}) == 1 and len(receiver.came) == 3


def test_who_was_away_hears_of_the_newest_build_and_since_when(lake: Lake, spark: Any, receiver: Receiver) -> None:
    first = change(lake, spark)
    webhooks.send(lake, hook(receiver.url))
    receiver.answer = 500
    for mass in (2, 3):
        change(lake, spark, mass)
        webhooks.send(lake, hook(receiver.url), now=True)
    receiver.answer = 200
    last = change(lake, spark, 4)
    webhooks.send(lake, hook(receiver.url), now=True)
    assert (receiver.bodies()[-1]["run_id"], receiver.bodies()[-1]["since_run_id"]) == (last, first)
    assert len({body["id"] for body in receiver.bodies()}) == 4, "each change has an id of its own"


def test_a_sender_that_dies_between_the_answer_and_the_record_sends_the_same_id_again(
    lake: Lake, spark: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(lake, spark)
    with monkeypatch.context() as patch:
        patch.setattr(webhooks, "append_rows", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            webhooks.send(lake, hook(receiver.url))
    webhooks.send(lake, hook(receiver.url))
    first, second = receiver.bodies()
    assert first["id"] == second["id"]
    assert webhooks.send(lake, hook(receiver.url)) == []


@contextmanager
def _listening() -> Iterator[str]:
    """Take connections and say nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def test_a_receiver_that_is_silent_drips_or_redirects_takes_nothing_and_holds_nobody(receiver: Receiver) -> None:
    gone = threading.Event()
    with _listening() as url:
        assert post(url, b"{}", {}, private=True, seconds=0.3).told == "TimeoutError"
    receiver.before = lambda: (gone.wait(5), None)[1]
    assert post(receiver.url, b"{}", {}, private=True, seconds=0.3).told == "TimeoutError"
    gone.set()
    receiver.answer, receiver.headers = 302, {"Location": "http://127.0.0.1:1/other"}
    reply = post(receiver.url, b"{}", {}, private=True, seconds=5)
    assert (reply.taken, reply.told) == (False, "302")
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    assert post(f"http://127.0.0.1:{free}/", b"{}", {}, private=True, seconds=5).told == "ConnectionRefusedError"


def test_a_dead_receiver_fails_neither_the_build_nor_the_other_subscribers(lake: Lake, spark: Any, receiver: Receiver) -> None:
    change(lake, spark)
    with _listening() as url:
        hooks = hook(receiver.url) | {"dead": Webhook(url=url, tables=TABLE, secret=SECRET, private=True)}
        done = {row["subscription"]: row["status"] for row in webhooks.send(lake, hooks, seconds=0.5)}
    assert done == {"them": "delivered", "dead": "failed"}


@pytest.mark.parametrize("url", ["https://127.0.0.1/x", "https://localhost/x", "https://10.1.2.3/", "https://[::1]/"])
def test_a_private_network_is_not_entered_unless_that_is_declared(url: str) -> None:
    reply = post(url, b"{}", {}, private=False, seconds=5)
    assert not reply.taken and "private network" in reply.told


@pytest.mark.parametrize(
    ("url", "told"),
    [("ftp://example.org/", "not an address"), ("http://example.org/", "does not encrypt"), ("x", "not an address")],
)
def test_an_address_that_is_none_or_does_not_encrypt_is_refused(url: str, told: str) -> None:
    assert told in post(url, b"{}", {}, private=False, seconds=5).told


def test_a_secret_stands_in_no_file_and_a_pattern_names_a_table(
    lake: Lake, receiver: Receiver, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = building.lay(tmp_path / "own", {"conf/local.yaml": f"webhooks: {{a: {{url: x, tables: y, secret: {'s' * 20}}}}}"})
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(conf))
    with pytest.raises(SettingsError, match=r"a secret is not written into a file(.|\n)*\$\{env:NAME\}"):
        load("local")
    with pytest.raises(UserError, match=r"'nothing.\*' names no table(.|\n)*carbonlake show"):
        webhooks.due(lake, hook(receiver.url, "nothing.*"))


def test_a_build_by_the_command_tells_and_the_commands_show_it(
    lake: Lake, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}WEBHOOKS", json.dumps({"them": {"url": receiver.url, "tables": "cleaned.flow_*",
                                                                 "secret": SECRET, "private": True}}))  # fmt: skip
    monkeypatch.delenv(FAILPOINT, raising=False)
    building.deliver(lake, TABLE, "a.csv", building.csv([("m", "2025-01-01", 1, "x")]))
    receiver.answer = 500
    built = CliRunner().invoke(app, ["--lake", str(lake.root), "build", TABLE])
    assert built.exit_code == 0 and "`carbonlake webhooks send` tries again" in built.output + built.stderr
    listed = CliRunner().invoke(app, ["--lake", str(lake.root), "--json", "webhooks", "list"])
    (row,) = [one for one in json.loads(listed.output) if one["table"] == TABLE]
    assert (row["state"], row["last"], row["reply"]) == ("due", "failed", "500")
    assert CliRunner().invoke(app, ["--lake", str(lake.root), "webhooks", "send"]).exit_code == 1
    receiver.answer = 200
    assert CliRunner().invoke(app, ["--lake", str(lake.root), "webhooks", "send"]).exit_code == 0
    assert SECRET not in listed.output and receiver.bodies()[-1]["table"] == TABLE
