"""How a source is, is told from what the lake records of it; who waits for a late one is reminded once."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from typer.testing import CliRunner

from carbonlake.cli import app
from carbonlake.world import FAILED
from jobs import fetch as fetching
from jobs import follow, reminders, sources
from jobs.channels import FAR, Channel, channels, volume
from jobs.lake import Lake
from jobs.land import Arrival
from jobs.metrics import registry
from jobs.posting import Reply
from jobs.relation import read_rows
from schemas.cadences import following
from schemas.errors import UserError
from tests.jobs import building
from tests.jobs.building import csv, deliver

TABLE = "cleaned.flow_merge"
HOOK = {"url": "https://a.example/hook", "tables": "cleaned.flow_*", "secret": "a secret of ours, long enough"}


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Return the lake of a project whose source must give something every two days."""
    files = building.flows(["merge"])
    name = "schemas/cleaned/flow_merge.yaml"
    files[name] = files[name].replace("owner: tests", "owner: tests\nfreshness: 2d")
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "mine", files)))
    monkeypatch.setenv("CARBONLAKE_LAKE", str(tmp_path / "lake"))
    return Lake(str(tmp_path / "lake")).init()


def channel(lake: Lake, now: datetime | None = None) -> Channel:
    (one,) = channels(lake, now or datetime.now(UTC), [TABLE])
    return one


def given(lake: Lake, name: str, rows: int) -> None:
    deliver(lake, TABLE, name, csv([(f"{name}{number}", "2026-01-01", 1, "x") for number in range(rows)]))


def test_the_volume_of_the_newest_is_compared_with_the_median_of_those_before(lake: Lake) -> None:
    assert volume([100, 101, 99, 100, 102, 100]).score == 0
    fifty = volume([100, 101, 99, 100, 102, 50])
    assert (fifty.usual, fifty.before, fifty.far) == (100, 5, True)
    # By hand: median 100, MAD 1, so that a floor of 5 % of the median is the spread: (50 - 100) / 5.
    assert fifty.score == pytest.approx(-10)
    # Median 20, MAD 10: (80 - 20) / (1.4826 * 10).
    assert volume([10, 20, 30, 10, 30, 80]).score == pytest.approx(60 / 14.826)
    # One delivery that was a hundred times larger does not hide the next that is ten times larger.
    assert volume([10, 11, 10, 9, 1000, 10, 100]).far


def test_with_fewer_than_five_before_it_nothing_is_compared_and_it_is_said() -> None:
    few = volume([1, 1, 1, 1, 900])
    assert (few.score, few.far) == (None, False)
    assert few.told("rows") == "900 rows; 4 deliveries before it are too few to compare with, 5 are needed"
    assert volume([]).told("rows") == "rows are not known yet" and FAR == 3.5


def test_a_delivery_far_from_its_history_is_unusual(lake: Lake, spark: Any) -> None:
    for number in range(6):
        given(lake, f"{number}.csv", 40 if number < 5 else 4)
    building.build(lake, spark, TABLE)
    one = channel(lake)
    assert (one.health, one.rows.newest, one.rows.usual, one.rows_read) == ("unusual", 4, 40, 204)
    assert "4 rows, usually 40" in one.why
    given(lake, "6.csv", 41)
    building.build(lake, spark, TABLE)
    assert channel(lake).health == "ok"


def test_rows_set_aside_are_counted_over_rows_read(lake: Lake, spark: Any) -> None:
    deliver(lake, TABLE, "a.csv", csv([("m", "2026-01-01", 1, "x"), ("n", "2026-01-01", -1, "x"), ("o", "2026-01-01", "y", "x")]))
    building.build(lake, spark, TABLE)
    one = channel(lake)
    assert (one.rows_read, one.rows_set_aside, one.fetches) == (3, 2, 0)


def test_a_source_is_late_behind_its_freshness_and_never_while_it_is_paused(lake: Lake) -> None:
    now = datetime.now(UTC)
    assert channel(lake, now + timedelta(days=9)).health == "nothing yet"  # nobody uses it
    sources.note(lake, [TABLE], "ann")
    late = channel(lake, now + timedelta(days=9))
    assert late.health == "late" and late.why.endswith("7 d ago")
    given(lake, "a.csv", 1)
    assert channel(lake, now + timedelta(days=1)).health == "ok"
    assert channel(lake, now + timedelta(days=3)).health == "late"
    sources.decide(lake, TABLE, "paused", "ann", "the plant is closed")
    one = channel(lake, now + timedelta(days=3))
    assert (one.health, one.due_at, one.why) == ("paused", None, "by ann: the plant is closed")


def test_how_sources_are_is_kept_for_sql(lake: Lake) -> None:
    given(lake, "a.csv", 1)
    kept = CliRunner().invoke(app, ["--json", "sources", "health", TABLE, "--keep"])
    assert kept.exit_code == 0, kept.output
    head = lake.open("ops.channel")
    assert head is not None
    (row,) = read_rows(head).to_pylist()
    assert (row["source_table"], row["kind"], row["health"], row["deliveries"], row["differences"]) == (
        TABLE,
        "brought",
        "ok",
        1,
        0,
    )
    assert row["due_at"] - row["last_delivery_at"] == timedelta(days=2) and row["rows"] is None


def test_health_ends_with_one_where_somebody_should_look(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    sources.note(lake, [TABLE], "ann")
    assert CliRunner().invoke(app, ["sources", "health", TABLE]).exit_code == 0
    with monkeypatch.context() as patched:
        patched.setattr("jobs.channels.due", lambda *_: datetime(2026, 1, 1, tzinfo=UTC))
        found = CliRunner().invoke(app, ["sources", "health", TABLE])
    assert found.exit_code == FAILED and "late" in found.output


def test_sources_are_told_to_prometheus(lake: Lake, spark: Any) -> None:
    for number in range(6):
        given(lake, f"{number}.csv", 40 if number < 5 else 4)
    building.build(lake, spark, TABLE)
    told = registry(lake)
    assert told.get_sample_value("carbonlake_source_wrong", {"table": TABLE, "health": "unusual"}) == 1
    assert told.get_sample_value("carbonlake_source_rows", {"table": TABLE}) == 4
    assert told.get_sample_value("carbonlake_source_volume_score", {"table": TABLE, "figure": "rows"}) == pytest.approx(-18)
    assert told.get_sample_value("carbonlake_source_late_seconds", {"table": TABLE}) == 0
    assert "cleaned.owid_co2" not in generate_latest(told).decode().split("carbonlake_source_rows")[1]


STREAM = """
description: Messages
owner: tests
source: {zone: z, path: "*", format: messages, publisher: us, licence: CC0-1.0, fetch: {by: kafka, connection: k, topic: t}}
key: [n]
write: append
columns: {n: {type: bigint, description: Number}}
"""


@pytest.fixture
def stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Lake, str]:
    """Return the lake and the table of a stream that gives one batch at each asking."""
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "own", {"schemas/cleaned/message.yaml": STREAM})))

    def arrivals(asked: fetching.Asked) -> Any:
        file = asked.folder / "batch"
        number = asked.position.get("n", 0) + 1
        file.write_text(str(number), encoding="utf-8")
        yield Arrival(file, f"{number}.parquet", {"n": number}, {"rows": 7, "behind": 3})

    monkeypatch.setattr("jobs.fetch.kafka.arrivals", arrivals)
    return Lake(str(tmp_path / "stream")).init(), "cleaned.message"


def test_of_a_stream_it_is_told_what_waits_at_the_broker_and_how_much_came(stream: tuple[Lake, str]) -> None:
    lake, table = stream
    for _ in range(2):
        fetching.fetch(lake, table, {})
    told = registry(lake)
    for name, value in (("behind", 3), ("messages", 14), ("refused", 0)):
        assert told.get_sample_value(f"carbonlake_stream_{name}", {"table": table}) == value
    assert told.get_sample_value("carbonlake_source_fetches", {"table": table, "result": "answered"}) == 2


def test_a_stream_that_is_paused_while_it_is_followed_ends(stream: tuple[Lake, str]) -> None:
    lake, table = stream
    heard: list[str] = []

    def pause(receipt: Any) -> None:
        if receipt.delivery_id == 1:
            sources.decide(lake, table, "paused", "ann", "the broker moves")

    failed = follow.follow(lake, [table], {}, list, stop=threading.Event(), heard=pause, tell=heard.append)
    assert failed == {}
    assert any("paused since" in text and "the broker moves" in text for text in heard)
    with pytest.raises(UserError, match=r"every stream among these is paused or retired.*\n  → `carbonlake sources resume"):
        follow.follow(lake, [table], {}, list, stop=threading.Event(), heard=pause, tell=heard.append)


@pytest.fixture
def late(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Return a lake whose source was due on the third of January."""
    given(lake, "a.csv", 1)
    monkeypatch.setattr("jobs.channels.due", lambda one, *_: datetime(2026, 1, 3, tzinfo=UTC) if one.table == TABLE else None)
    return lake


def reminded(monkeypatch: pytest.MonkeyPatch, *words: str, hooks: str = "{}") -> tuple[int, list[dict[str, Any]]]:
    monkeypatch.setenv("CARBONLAKE_WEBHOOKS", hooks)
    found = CliRunner().invoke(app, ["--json", "sources", "remind", *words])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found.exit_code, json.loads(found.stdout)


def test_of_a_late_source_people_are_reminded_once_for_each_due_date(late: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    code, rows = reminded(monkeypatch)
    assert code == 0
    assert rows == [{"table": TABLE, "due": "2026-01-03 00:00", "owner": "tests", "provider": "us", "subscriber": "(nobody)",
                     "status": "told", "reply": "nobody subscribes to it"}]  # fmt: skip
    assert reminded(monkeypatch) == (0, [])
    monkeypatch.setattr("jobs.channels.due", lambda one, *_: datetime(2026, 1, 5, tzinfo=UTC) if one.table == TABLE else None)
    assert [row["due"] for row in reminded(monkeypatch)[1]] == ["2026-01-05 00:00"]


def test_subscribers_of_the_table_are_told_and_one_who_was_away_is_told_again(
    late: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, dict[str, Any], str]] = []
    answers = [Reply(False, "503"), Reply(True, "200")]

    def post(url: str, body: bytes, headers: dict[str, str], *, private: bool, seconds: float) -> Reply:
        sent.append((url, json.loads(body), headers["webhook-id"]))
        return answers[len(sent) - 1]

    monkeypatch.setattr("jobs.reminders.post", post)
    hooks = json.dumps({"plant": HOOK, "other": {**HOOK, "tables": "business.*"}})
    code, (row,) = reminded(monkeypatch, hooks=hooks)
    assert (code, row["subscriber"], row["status"], row["reply"]) == (FAILED, "plant", "failed", "503")
    code, (row,) = reminded(monkeypatch, hooks=hooks)
    assert (code, row["status"]) == (0, "told") and reminded(monkeypatch, hooks=hooks) == (0, [])
    (url, told, first), (_, _, second) = sent
    assert url == HOOK["url"] and first == second == told["id"]
    assert (told["type"], told["table"], told["due_at"], told["publisher"]) == (
        "source.late", TABLE, "2026-01-03T00:00:00+00:00", "us")  # fmt: skip


def test_grace_and_a_pause_keep_reminders_back(late: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    just = datetime(2026, 1, 3, 5, tzinfo=UTC)
    assert reminders.remind(late, {}, just, timedelta(hours=6)) == []
    sources.decide(late, TABLE, "paused", "ann", "holiday")
    assert reminders.remind(late, {}, just) == []
    sources.decide(late, TABLE, "active", "ann", "back")
    assert len(reminders.remind(late, {}, just)) == 1
    found = CliRunner().invoke(app, ["sources", "remind", "--grace", "soon"])
    assert isinstance(found.exception, UserError) and "write it like 90m, 36h, 40d or 2w" in str(found.exception)


@pytest.mark.parametrize(
    ("schedule", "after", "next_"),
    [
        ("daily", "2026-01-01T00:30", "2026-01-01T17:00"),  # 1:00 of Shanghai
        ("monthly", "2026-01-31T20:00", "2026-02-28T19:00"),
        ("yearly", "2026-06-01T00:00", "2026-12-31T19:00"),
        ("*/20 8-18 * * 1-5", "2026-01-02T10:45", "2026-01-05T00:00"),
        ("0 0 13 * 5", "2026-02-02T00:00", "2026-02-05T16:00"),  # the 13th, or a Friday
        ("0 12 29 2 *", "2026-01-01T00:00", "2028-02-29T04:00"),
        ("30 6 * * 7", "2026-01-01T00:00", "2026-01-03T22:30"),  # 7 is Sunday, as 0 is
    ],
)
def test_the_next_time_of_a_cadence(schedule: str, after: str, next_: str) -> None:
    found = following(schedule, "Asia/Shanghai", datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(next_).replace(tzinfo=UTC)


def test_a_cadence_that_never_comes_or_is_none() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert following("manual", "UTC", now) is None and following("0 0 30 2 *", "UTC", now) is None
    with pytest.raises(UserError, match=r"'sometimes' is no cadence\n  → write manual, hourly"):
        following("sometimes", "UTC", now)
    with pytest.raises(UserError, match=r"'25' is no hour of cron\n  → write numbers from 0 to 23"):
        following("0 25 * * *", "UTC", now)
