"""Fetching lands what a source gives, once, and goes on behind it whenever it was stopped."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from carbonlake.cli import app
from carbonlake.world import FAILED
from jobs import fetch as fetching
from jobs import land
from jobs.lake import Lake
from jobs.land import Arrival
from schemas.contracts import contract
from schemas.errors import UserError
from schemas.rooms import VARIABLE

TABLE = """
description: Readings
owner: tests
source: {zone: meters, path: "*.csv", format: csv, publisher: us, licence: CC0-1.0, fetch: {by: http, url: "%s/readings.csv"}}
key: [n]
columns: {n: {type: bigint, description: Number}}
"""
SECOND = """
description: The same readings as text
owner: tests
source: {of: cleaned.reading, format: csv}
key: [n]
columns: {n: {type: string, description: Number}}
"""


@pytest.fixture
def site() -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the address of a server and what it gives: `body`, and how often it was asked for all of it."""
    state: dict[str, Any] = {"body": b"n\n1\n", "sent": 0}

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            mark = f'"{hash(state["body"])}"'
            if self.headers.get("If-None-Match") == mark:
                self.send_response(304)
                self.end_headers()
                return
            state["sent"] += 1
            self.send_response(200)
            self.send_header("ETag", mark)
            self.end_headers()
            self.wfile.write(state["body"])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", state
    server.shutdown()
    server.server_close()


@pytest.fixture
def lake(site: tuple[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    folder = tmp_path / "own" / "schemas" / "cleaned"
    folder.mkdir(parents=True)
    (folder / "reading.yaml").write_text(TABLE % site[0], encoding="utf-8")
    (folder / "reading_text.yaml").write_text(SECOND, encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "own"))
    return Lake(str(tmp_path / "lake")).init()


def test_what_has_not_changed_is_not_sent_again(lake: Lake, site: tuple[str, dict[str, Any]]) -> None:
    (first,) = fetching.fetch(lake, "cleaned.reading", {})
    assert (first.name, first.source, first.size_bytes, first.fresh) == ("readings.csv", "cleaned.reading", 4, True)
    assert fetching.fetch(lake, "cleaned.reading", {}) == []
    site[1]["body"] = b"n\n1\n2\n"
    (second,) = fetching.fetch(lake, "cleaned.reading", {})
    assert (second.delivery_id, second.size_bytes, site[1]["sent"]) == (2, 6, 2)
    assert json.loads(land.position(lake, "cleaned.reading")) == json.loads(second.position)


def given(monkeypatch: pytest.MonkeyPatch, numbers: list[int], stop: int = 0) -> None:
    """Let the source give a delivery for each number behind the position; break off before `stop`."""

    def arrivals(asked: fetching.Asked) -> Iterator[Arrival]:
        for number in [one for one in numbers if one > asked.position.get("number", 0)]:
            if number == stop:
                raise UserError("the line is cut", remedy="fetch again")
            file = asked.folder / f"{number}.csv"
            file.write_text(f"n\n{number}\n", encoding="utf-8")
            yield Arrival(file, file.name, {"number": number}, {"rows": 1})

    monkeypatch.setattr("jobs.fetch.http.arrivals", arrivals)


def test_a_fetch_that_breaks_off_goes_on_where_it_was(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, [1, 2, 3], stop=3)
    with pytest.raises(UserError, match="the line is cut"):
        fetching.fetch(lake, "cleaned.reading", {})
    assert [one.name for one in land.receipts(lake, "cleaned.reading")] == ["1.csv", "2.csv"]
    given(monkeypatch, [1, 2, 3])
    (last,) = fetching.fetch(lake, "cleaned.reading", {})
    assert (last.name, last.declared) == ("3.csv", '{"rows": 1}')


def test_of_two_fetches_from_one_position_the_second_lands_nothing(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("n\n1\n", encoding="utf-8")
    land.land_fetched(lake, "cleaned.reading", Arrival(file, "a.csv", {"at": 1}), "")
    with pytest.raises(UserError, match=r'another fetch went on from here, to {"at": 1}\n'):
        land.land_fetched(lake, "cleaned.reading", Arrival(file, "a.csv", {"at": 1}), "")
    assert len(land.receipts(lake)) == 1


def test_what_was_fetched_and_is_brought_by_hand_again_changes_nothing(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("n\n1\n", encoding="utf-8")
    land.land_fetched(lake, "cleaned.reading", Arrival(file, "a.csv", {"at": 1}), "")
    (again,) = land.land(lake, file, "cleaned.reading")
    assert not again.fresh and json.loads(land.position(lake, "cleaned.reading")) == {"at": 1}


def test_a_position_outlives_the_withdrawal_of_its_delivery(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, [1])
    (receipt,) = fetching.fetch(lake, "cleaned.reading", {})
    land.withdraw(lake, receipt.delivery_id, "wrong")
    assert fetching.fetch(lake, "cleaned.reading", {}) == []


def test_a_table_of_anothers_deliveries_reads_them_and_is_never_named_as_their_source(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("n\n1\n", encoding="utf-8")
    (receipt,) = land.land(lake, file, "cleaned.reading_text")
    assert receipt.source == "cleaned.reading" and contract("cleaned.reading_text").reads == "cleaned.reading"
    assert land.receipts(lake, "cleaned.reading_text") == land.receipts(lake, "cleaned.reading") == [receipt]
    assert contract("cleaned.reading_text").source.licence == "CC0-1.0"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{of: cleaned.reading, zone: x, format: csv}", "zone: these are those of cleaned.reading, whose deliveries are read"),
        ("{of: cleaned.other, format: csv}", "source.of: 'cleaned.other' is no cleaned table that deliveries are landed for"),
        ("{zone: x, format: csv, publisher: a, licence: b}", "source: path: this key is missing"),
    ],
)
def test_a_source_that_is_not_whole_is_refused(lake: Lake, tmp_path: Path, source: str, message: str) -> None:
    other = tmp_path / "own" / "schemas" / "cleaned" / "wrong.yaml"
    other.write_text(SECOND.replace("{of: cleaned.reading, format: csv}", source), encoding="utf-8")
    from schemas.contracts import contracts

    with pytest.raises(UserError, match=message):
        contracts()


def test_a_table_that_is_not_fetched_says_what_to_do(lake: Lake) -> None:
    with pytest.raises(UserError, match=r"cleaned.enterprise is not fetched: .*\n  → `carbonlake land` takes them in"):
        fetching.fetch(lake, "cleaned.enterprise", {})


def test_sources_are_tried_without_taking_anything(
    lake: Lake, site: tuple[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARBONLAKE_LAKE", str(lake.folder))
    found = CliRunner().invoke(app, ["--json", "fetch", "cleaned.reading", "--test"])
    assert json.loads(found.stdout) == [{"table": "cleaned.reading", "there": "4 bytes, of no type"}]
    assert land.receipts(lake) == []
    monkeypatch.setattr("jobs.fetch.http.test", lambda asked: asked.connection("nothing"))
    assert CliRunner().invoke(app, ["fetch", "cleaned.reading", "--test"]).exit_code == FAILED
