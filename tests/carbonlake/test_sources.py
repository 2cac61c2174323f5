"""Sources are listed, tried, paused, retired and taken up again; what they declared is held against what came."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from carbonlake.cli import app
from carbonlake.world import FAILED
from jobs import land, sources
from jobs.fetch.allowed import not_now
from jobs.freshness import freshness
from jobs.lake import Lake
from jobs.relation import read_rows
from schemas.errors import UserError
from tests.jobs import building
from tests.sources import COLUMNS, DELETED, TABLE, Source

FETCH = "{by: database, connection: meters, table: reading%s}"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """Return a table of SQLite as a source, its connection in the settings, and a drop folder."""
    file = tmp_path / "meters.db"
    with sqlite3.connect(file) as database:
        database.execute("create table reading (id integer primary key, kwh numeric)")
        database.execute("insert into reading values (1, 1.5), (2, 2.25)")
    database.close()
    made = Source(tmp_path, monkeypatch, {"meters": f"sqlite:///{file}"})
    made.declare(FETCH % "", write="replace")
    monkeypatch.setenv("CARBONLAKE_CONNECTIONS", json.dumps(dict(made.connections)))
    monkeypatch.setenv("CARBONLAKE_LAKE", str(made.lake.folder))
    monkeypatch.setenv("CARBONLAKE_DROP", str(tmp_path / "drop"))
    return made


def said(*words: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, list(words))


def answer(*words: str) -> Any:
    """Return the answer of a command as a machine gets it."""
    found = said("--json", *words)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return json.loads(found.stdout)


def error(*words: str) -> str:
    """Return what a command says that a person got wrong."""
    found = said(*words)
    assert isinstance(found.exception, UserError), found.output
    return str(found.exception)


def one_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = [row for row in rows if row["table"] == TABLE]
    return found


def test_every_source_is_listed_with_where_it_is_from_and_how_it_stands(source: Source) -> None:
    listed = answer("sources")
    assert {row["table"] for row in listed} == set(sources.sources())
    row = one_of(listed)
    assert (row["kind"], row["state"], row["health"], row["provider"]) == ("database", "active", "nothing yet", "us")
    source.fetch()
    row = one_of(answer("sources"))
    assert row["health"] == "ok" and row["last delivery"].startswith(f"{datetime.now(UTC):%Y-%m-%d}")


def test_one_source_is_shown_with_its_history(source: Source) -> None:
    said("fetch", TABLE)
    shown = answer("sources", "show", TABLE)
    assert (shown["from"], shown["format"], shown["schedule"], shown["may be asked"]) == (
        "meters reading", "parquet", "manual", "at any time")  # fmt: skip
    assert [row["decision"] for row in shown["history"]] == ["registered"]
    assert "provider: us" in said("sources", "show", TABLE).stdout


def test_a_source_is_tried_without_taking_anything(source: Source, tmp_path: Path) -> None:
    (row,) = answer("sources", "test", TABLE)
    assert (row["there"], row["credentials"], row["from"]) == ("2 columns: id, kwh", "meters", "meters reading")
    assert row["ms"] >= 0 and land.receipts(source.lake) == []
    (tmp_path / "meters.db").unlink()
    failed = said("sources", "test", TABLE)
    assert failed.exit_code == FAILED
    assert "there is no such file" in failed.stderr and "→ check the connection" in failed.stderr


def test_a_connection_that_is_not_in_the_settings_is_named_when_a_source_is_tried(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("CARBONLAKE_CONNECTIONS", '{"other": "sqlite:///x"}')
    failed = said("sources", "test", TABLE)
    assert failed.exit_code == FAILED
    assert "there is no connection 'meters'" in failed.stderr
    assert 'write it into conf as connections: {meters: "${env:…}"}; known: other' in failed.stderr


def test_the_drop_folder_of_a_source_that_is_brought_is_looked_into(source: Source, tmp_path: Path) -> None:
    assert "no drop folder" in answer("sources", "test", "cleaned.owid_co2")[0]["there"]
    folder = tmp_path / "drop" / "cleaned.owid_co2"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("x\n")
    assert answer("sources", "test", "cleaned.owid_co2")[0]["there"] == "1 files of 2 bytes in the drop folder"


def test_a_paused_source_is_left_alone_until_it_is_taken_up_again(source: Source) -> None:
    paused = said("sources", "pause", TABLE, "--why", "the server is being moved")
    assert f"{TABLE} is paused since" in paused.stdout
    alone = said("fetch", TABLE, "--now")
    assert alone.exit_code == 0 and "is left alone: paused" in alone.stderr and "the server is being moved" in alone.stderr
    assert land.receipts(source.lake) == []
    with pytest.raises(UserError, match=r"it is paused since .*\n  → `carbonlake sources resume cleaned.reading --why …`"):
        source.fetch()
    said("sources", "resume", TABLE, "--why", "it is back")
    assert len(source.fetch()) == 1
    decided = [(row["decision"], row["note"]) for row in sources.history(source.lake, TABLE)]
    assert decided == [("registered", ""), ("paused", "the server is being moved"), ("active", "it is back")]


def test_what_lies_in_the_drop_folder_of_a_paused_source_stays_there(source: Source, tmp_path: Path) -> None:
    file = tmp_path / "drop" / TABLE / "a.parquet"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"PAR1")
    said("sources", "pause", TABLE, "--why", "moved")
    assert f"1 files are left in {file.parent}: {TABLE} is paused" in said("land").stderr
    assert land.receipts(source.lake) == []
    said("land", str(file))  # who names a file means it
    assert [one.name for one in land.receipts(source.lake)] == ["a.parquet"]


def test_a_retired_source_takes_nothing_more_and_its_table_can_be_asked(source: Source, spark: Any, tmp_path: Path) -> None:
    source.fetch()
    assert source.built(spark, "id") == [(1,), (2,)]
    said("sources", "retire", TABLE, "--why", "the agreement has ended")
    file = tmp_path / "more.parquet"
    file.write_bytes(b"PAR1")
    told = error("land", str(file), "--source", TABLE)
    assert f"{TABLE} takes no more deliveries: it is retired" in told and f"`carbonlake sources resume {TABLE} --why …`" in told
    other = land.land(source.lake, file)[0].delivery_id
    assert "takes no more deliveries" in error("claim", str(other), TABLE)
    assert source.built(spark, "id") == [(1,), (2,)]
    assert one_of(answer("sources"))["state"] == "retired"


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (("pause", TABLE, "--why", " "), "a decision needs its reason", '--why "…"'),
        (("resume", TABLE, "--why", "x"), "it is active", "nothing is to be done"),
        (("pause", "business.emission", "--why", "x"), "business.emission is no source", "`carbonlake sources` lists them"),
        (("accept", "7", "--why", "x"), "nothing of delivery 7 differs", "`carbonlake sources reconcile` lists what does"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(source: Source, words: tuple[str, ...], what: str, remedy: str) -> None:
    told = error("sources", *words)
    assert what in told and remedy in told


def test_a_changed_contract_is_in_the_history_with_what_changed(source: Source) -> None:
    assert answer("sources", "register", TABLE) == [{"table": TABLE, "decision": "registered"}]
    assert answer("sources", "register", TABLE) == []
    source.declare(FETCH % ", every: 6h", write="replace")
    said("fetch", TABLE)
    row = sources.history(source.lake, TABLE)[-1]
    assert (row["decision"], row["note"]) == ("changed", "fetch.every: nothing → 6h")
    assert "meters.db" not in row["source"]  # names of connections, never what they hold


def test_lateness_of_a_source_that_is_paused_alarms_nobody(source: Source) -> None:
    later = datetime.now(UTC) + timedelta(days=9)
    source.declare(FETCH % "", write="replace")
    contract = source._folder / "schemas" / "cleaned" / "reading.yaml"
    contract.write_text(contract.read_text(encoding="utf-8").replace("owner: tests", "owner: tests\nfreshness: 2d"), "utf-8")
    from schemas import contracts

    contracts._load.cache_clear()
    source.fetch()
    assert freshness(source.lake, TABLE, later).startswith("stale")
    said("sources", "pause", TABLE, "--why", "moved")
    assert freshness(source.lake, TABLE, later).startswith("paused since")


def test_every_asking_is_kept_with_what_came_or_why_nothing_did(source: Source, tmp_path: Path) -> None:
    source.fetch()
    (again,) = source.fetch()
    assert not again.fresh
    (tmp_path / "meters.db").rename(tmp_path / "away.db")
    with pytest.raises(UserError, match="there is no such file"):
        source.fetch()
    head = source.lake.open("ops.fetch_log")
    assert head is not None
    rows = sorted(read_rows(head).to_pylist(), key=lambda row: row["started_at"])
    assert [(row["status"], row["deliveries"]) for row in rows] == [("fetched", 1), ("nothing", 0), ("failed", 0)]
    assert "there is no such file" in rows[-1]["reason"] and rows[0]["size_bytes"] > 0
    row = one_of(answer("sources"))
    assert row["health"] == "failing" and "there is no such file" in row["why"]


def test_a_source_is_asked_in_its_hours_alone_and_not_too_often(source: Source) -> None:
    source.declare(FETCH % ', window: "22:00-06:00"', write="replace", more="")
    night, noon = datetime(2026, 1, 1, 23, tzinfo=UTC), datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert not_now(source.lake, TABLE, night) == "" and not_now(source.lake, TABLE, night + timedelta(hours=6)) == ""
    assert not_now(source.lake, TABLE, noon) == (
        "its contract lets it be asked at 22:00-06:00 UTC, and it is 12:00 there; `--now` asks all the same")  # fmt: skip
    source.declare(FETCH % ", every: 6h", write="replace")
    assert len(answer("fetch", TABLE)) == 1
    again = said("fetch", TABLE)
    assert again.exit_code == 0 and "its contract lets it be asked once in 6h, so next at" in again.stderr
    assert len(answer("fetch", TABLE, "--now")) == 1


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (', window: "6-22"', "'6-22' are no hours; write them like 22:00-06:00"),
        (', window: "06:00-06:00"', "06:00-06:00 is no time at all; leave it out where every hour will do"),
        (", every: often", "'often' is no age; write it like 90m, 36h, 40d or 2w"),
    ],
)
def test_hours_that_are_none_are_refused(source: Source, more: str, told: str) -> None:
    source.declare(FETCH % more, write="replace")
    refused = error("sources")
    assert told in refused and "reading.yaml" in refused


def meters(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Return the lake of a project with a table of meters that files are brought for."""
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(folder / "mine", building.flows(["merge"]))))
    monkeypatch.setenv("CARBONLAKE_LAKE", str(folder / "lake"))
    return Lake(str(folder / "lake")).init()


FLOW = "cleaned.flow_merge"
ROWS = [("m", "2026-01-01", "1.5", "x"), ("n", "2026-01-01", "-2", "x"), ("o", "2026-01-01", "2.25", "x")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a delivery of three rows, one of which is set aside."""
    made = tmp_path / "merge" / "a.csv"
    made.parent.mkdir()
    made.write_text(building.csv(ROWS), encoding="utf-8")
    return made


def test_what_was_declared_and_came_agrees_rows_set_aside_included(
    file: Path, tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = meters(tmp_path, monkeypatch)
    said("land", str(file), "--source", FLOW, "--declares", "rows=3,sum.t=1.75")
    outcome = building.build(lake, spark, FLOW)[FLOW]
    assert (outcome.counts.written, outcome.counts.set_aside, outcome.warnings) == (2, 1, ())
    assert said("sources", "reconcile").exit_code == 0
    rows = answer("sources", "reconcile", FLOW, "--all")
    assert [(row["what"], row["declared"], row["found"], row["difference"]) for row in rows] == [
        ("rows", "3", "3", 0.0), ("sum.t", "1.75", "1.75", 0.0)]  # fmt: skip


def test_a_difference_is_told_loudly_and_loses_nothing_until_a_person_settles_it(
    file: Path, tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = meters(tmp_path, monkeypatch)
    (tmp_path / "merge" / "a.csv.declared.json").write_text('{"rows": 4, "sums": {"t": 1.750}}', encoding="utf-8")
    (row,) = answer("land", str(tmp_path / "merge"), "--source", FLOW)
    outcome = building.build(lake, spark, FLOW)[FLOW]
    assert outcome.status == "built" and outcome.counts.written == 2
    assert outcome.warnings == ("reconciled: delivery 1 (merge/a.csv): rows: 4 declared, 3 came, -1",)
    listed = said("--json", "sources", "reconcile")
    assert listed.exit_code == FAILED
    (differs,) = json.loads(listed.stdout)
    assert (differs["table"], differs["what"], differs["declared"], differs["found"], differs["difference"]) == (
        FLOW, "rows", "4", "3", -1.0)  # fmt: skip
    head = lake.open("ops.check")
    assert head is not None
    (check,) = read_rows(head, "rule = 'reconciled'").to_pylist()
    assert (check["passed"], check["failed"], check["rows"]) == (False, 1, 2)
    assert [one["health"] for one in answer("sources") if one["table"] == FLOW] == ["differs"]
    again = said("run", FLOW)
    assert again.exit_code == FAILED and "rows: 4 declared, 3 came" in again.stderr
    assert "`carbonlake sources accept <delivery> --why …`" in again.stderr
    said("sources", "accept", str(row["delivery"]), "--why", "the plant counted its header")
    assert said("sources", "reconcile").exit_code == 0 and said("run", FLOW).exit_code == 0
    assert sources.history(lake, FLOW)[-1]["note"] == "the plant counted its header"


def test_a_difference_ends_with_its_delivery(file: Path, tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = meters(tmp_path, monkeypatch)
    said("land", str(file), "--source", FLOW, "--declares", "rows=4")
    building.build(lake, spark, FLOW)
    assert said("sources", "reconcile").exit_code == FAILED
    land.withdraw(lake, 1, "sent again")
    assert said("sources", "reconcile").exit_code == 0


def test_a_sum_is_of_a_column_too_and_says_what_it_could_not_read(
    file: Path, tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = meters(tmp_path, monkeypatch)
    file.write_text(building.csv([*ROWS, ("p", "2026-01-01", "much", "x")]), encoding="utf-8")
    said("land", str(file), "--source", FLOW, "--declares", "sum.mass_t=1.75", "--declares", "sum.t=2,sum.u=1")
    building.build(lake, spark, FLOW)
    rows = {row["what"]: row for row in answer("sources", "reconcile", FLOW, "--all")}
    assert (rows["sum.mass_t"]["found"], rows["sum.mass_t"]["difference"]) == ("1.75", 0.0)
    assert (rows["sum.t"]["difference"], rows["sum.t"]["detail"]) == (-0.25, "1 values are no numbers")
    assert (rows["sum.u"]["found"], rows["sum.u"]["detail"]) == ("", "there is no column 'u' in it")


@pytest.mark.parametrize(
    ("declares", "what", "remedy"),
    [
        ("rows", "'rows' declares nothing", "write rows=10,sum.kwh=12.5"),
        ("lines=3", "'lines' is nothing that can be declared", "known: rows, sum.<column>, size_bytes, sha256"),
        ("rows=1.5", "'1.5' is no count", "write a whole number"),
        ("sum.t=much", "'much' is no number", "write digits with a point"),
        ("sha256=abc", "'abc' is no SHA-256", "64 hexadecimal digits"),
        ("size_bytes=1", "these are not the bytes that were sent: size_bytes is", "nothing was landed"),
        (f"sha256={'0' * 64}", "these are not the bytes that were sent: sha256 is", "have it sent again"),
    ],
)
def test_a_declaration_that_is_none_or_of_other_bytes_lands_nothing(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declares: str, what: str, remedy: str
) -> None:
    lake = meters(tmp_path, monkeypatch)
    told = error("land", str(file), "--source", FLOW, "--declares", declares)
    assert what in told and remedy in told
    assert land.receipts(lake) == []


def test_a_sum_beside_a_file_is_checked_and_is_no_delivery_of_its_own(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = meters(tmp_path, monkeypatch)
    beside = file.with_name("a.csv.sha256")
    beside.write_text(f"{'1' * 64}  a.csv\n")
    with pytest.raises(UserError, match="these are not the bytes that were sent: sha256"):
        land.land(lake, file.parent, FLOW)
    import hashlib

    beside.write_text(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  a.csv\n")
    assert [one.name for one in land.land(lake, file.parent, FLOW)] == ["merge/a.csv"]
    beside.with_name("a.csv.declared.json").write_text("{")
    with pytest.raises(UserError, match=r"this is no JSON: .*\n  → write"):
        land.land(lake, file.parent, FLOW)


def test_one_declaration_is_not_for_several_files(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meters(tmp_path, monkeypatch)
    file.with_name("b.csv").write_text("x")
    told = error("land", str(file.parent), "--declares", "rows=1")
    assert "2 files are landed, and one is declared" in told and "write a <file>.declared.json beside each" in told
    assert "name the file" in error("land", "--declares", "rows=1")


def test_every_key_and_row_of_a_database_is_compared_with_what_was_fetched(source: Source, spark: Any, tmp_path: Path) -> None:
    source.fetch()
    source.built(spark, "id")
    deep = ("sources", "reconcile", TABLE, "--deep")
    assert answer(*deep) == {"at source": 2, "fetched": 2, "in table": 2, "missing": 0, "extra": 0, "altered": 0, "rows": []}
    with sqlite3.connect(tmp_path / "meters.db") as database:
        database.execute("update reading set kwh = 9 where id = 1")
        database.execute("delete from reading where id = 2")
        database.execute("insert into reading values (3, 1)")
    database.close()
    found = said("--json", *deep)
    assert found.exit_code == FAILED and "fetch again, then compare again" in found.stderr
    told = json.loads(found.stdout)
    assert (told["missing"], told["extra"], told["altered"]) == (1, 1, 1)
    assert told["rows"] == [{"what": "missing", "key": "id=3", "differs": ""}, {"what": "extra", "key": "id=2", "differs": ""},
                            {"what": "altered", "key": "id=1", "differs": "kwh: 1.5 → 9"}]  # fmt: skip
    source.fetch()
    assert said(*deep).exit_code == 0


def test_what_was_deleted_there_and_is_flagged_here_is_no_difference(source: Source, spark: Any, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "meters.db") as database:
        database.execute("alter table reading add column at integer")
        database.execute("update reading set at = id")
    database.close()
    source.declare(FETCH % ", cursor: at, overlap: 1, deletes: compared", columns=COLUMNS + DELETED)
    source.fetch()
    with sqlite3.connect(tmp_path / "meters.db") as database:
        database.execute("delete from reading where id = 2")
        database.execute("insert into reading values (3, 7.5, 3)")
    database.close()
    assert len(source.fetch()) == 2
    source.built(spark, "id")
    told = answer("sources", "reconcile", TABLE, "--deep")
    assert (told["at source"], told["fetched"], told["in table"], told["rows"]) == (2, 2, 2, [])


def test_what_cannot_be_compared_row_by_row_says_why(source: Source) -> None:
    assert "name its table" in error("sources", "reconcile", "--deep")
    told = error("sources", "reconcile", "cleaned.owid_co2", "--deep")
    assert "its source is no database" in told and "leave out --deep" in told
    source.declare(FETCH % "", write="append")
    assert "`write: append` does not show the source as it is" in error("sources", "reconcile", TABLE, "--deep")
    source.declare(FETCH % "", write="replace", key="[]")
    told = error("sources", "reconcile", TABLE, "--deep")
    assert "without a key no row can be found again" in told and "declare `key`" in told
