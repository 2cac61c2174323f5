"""`carbonlake publish` on a real Trino: what is shown, what is taken away, what is left alone, several at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs import objects, query
from jobs.lake import Lake
from jobs.publish import Published, analyze, publish
from jobs.saved import name_in_trino, saved
from schemas.contracts import contracts
from schemas.rooms import VARIABLE
from tests.stack.shown import Shown

GONE = "business.gone"
VIEW = "-- title: Books\n-- title_zh: 口径\n-- view: yes\nselect distinct book from business.emission_year\n"


def _names(shown: Shown) -> set[str]:
    """Return what a whole publish shows, as Trino names it."""
    known = contracts()
    return {name_in_trino(name) for name in query.tables(shown.lake) if name.removeprefix(f"{query.QUARANTINE}.") in known}


def _forget(shown: Shown, name: str) -> None:
    schema, table = name.split(".")
    shown.ask(f"call system.unregister_table('{schema}', '{table}')")


def test_every_table_is_shown_and_read_and_a_second_time_nothing_is_new(shown: Shown) -> None:
    expected = _names(shown)
    found = {f"{row[0]}.{row[1]}" for row in shown.ask("select table_schema, table_name from information_schema.tables").rows}
    assert expected <= found
    assert {"raw.delivery", "ops.run", "quarantine_cleaned.enterprise", "business.emission_year"} <= expected
    again = publish(shown.at, shown.lake)
    assert set(again.healthy) == expected
    assert set(again.views) == {f"views.{one.name}" for one in saved().values() if one.view}
    assert again == Published(views=again.views, healthy=again.healthy)


def test_tables_columns_and_units_are_described(shown: Shown) -> None:
    said = shown.ask("select column_name, comment from information_schema.columns"
                     " where table_schema = 'business' and table_name = 'emission_year'")  # fmt: skip
    contract = contracts()["business.emission_year"]
    assert dict(said.rows) == {
        name: f"{column.description} [{column.unit}]" if column.unit else column.description
        for name, column in contract.columns.items()
    }
    tables = shown.ask("select table_name, comment from system.metadata.table_comments where catalog_name = 'lake'"
                       " and schema_name = 'business'")  # fmt: skip
    assert dict(tables.rows)["emission_year"] == contract.description


def test_the_words_of_a_table_made_earlier_are_brought_in_line(shown: Shown) -> None:
    head = shown.lake.open("cleaned.standard_coal")
    assert head is not None
    head.alter.set_column_metadata("coefficient", {"comment": "Old words"})
    assert publish(shown.at, shown.lake, ["cleaned.standard_coal"]).described == ["cleaned.standard_coal"]
    said = shown.ask("show columns from cleaned.standard_coal")
    assert "Old words" not in {row[3] for row in said.rows}


def test_views_ask_with_the_rights_of_who_asks_and_are_described(shown: Shown) -> None:
    made = str(shown.ask("show create view views.emission_of_books").rows[0][0])
    assert "SECURITY INVOKER" in made and "各核算口径历年排放" in made
    assert shown.ask("select count(*) from views.emission_of_books").rows[0][0] > 0


def test_several_may_publish_at_once(shown: Shown) -> None:
    for name in _names(shown):
        _forget(shown, name)
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: publish(shown.at, shown.lake), range(3)))
    assert [one.problems for one in done] == [{}, {}, {}]
    registered = [name for one in done for name in one.registered]
    assert sorted(registered) == sorted(_names(shown))


def test_what_no_contract_names_is_taken_away_and_what_others_made_is_left(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = shown.lake.open("cleaned.gwp")
    assert head is not None
    elsewhere = shown.lake.place("others", "theirs")
    for place in (shown.lake.table_path(GONE), elsewhere):
        shown.lake.create_path(place, head.schema().to_arrow())
    shown.ask(f"call system.register_table('business', 'theirs', '{elsewhere}')")
    shown.ask("create view views.theirs as select 1 as x")
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "books.sql").write_text(VIEW, encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert "views.books" in publish(shown.at, shown.lake).views
    monkeypatch.delenv(VARIABLE)
    shown.ask(f"call system.register_table('business', 'gone', '{shown.lake.table_path(GONE)}')")
    try:
        done = publish(shown.at, shown.lake)
        assert sorted(done.taken_away) == [GONE, "views.books"] and not done.problems
        left = {row[0] for row in shown.ask("select table_name from information_schema.tables").rows}
        assert "theirs" in left and not {"gone", "books"} & left
        assert shown.lake.open(GONE) is not None
    finally:
        _forget(shown, "business.theirs")
        shown.ask("drop view views.theirs")


def test_a_table_whose_files_are_gone_is_named_though_its_rows_can_be_counted(shown: Shown) -> None:
    head = shown.lake.open("cleaned.process_factor")
    assert head is not None
    (file,) = head.file_uris()
    bucket, _, name = file.removeprefix("s3://").partition("/")
    client = objects.client(shown.lake.storage_options)
    kept = client.get_object(bucket, name).read()
    client.remove_object(bucket, name)
    try:
        assert shown.ask("select count(*) from cleaned.process_factor").rows[0][0] > 0
        done = publish(shown.at, shown.lake)
        assert list(done.problems) == ["cleaned.process_factor"]
        assert set(done.healthy) == _names(shown) - {"cleaned.process_factor"}
    finally:
        (folder := Path(str(shown.lake.work))).mkdir(exist_ok=True)
        (folder / "kept").write_bytes(kept)
        client.fput_object(bucket, name, str(folder / "kept"))


def test_a_name_that_is_taken_by_another_lake_is_not_taken_over_unasked(shown: Shown, tmp_path: Path) -> None:
    other = Lake(shown.lake.place("other"), shown.lake.storage_options, tmp_path)
    other.init()
    other.create(contracts()["cleaned.gwp"])
    refused = publish(shown.at, other, ["cleaned.gwp"])
    assert list(refused.problems) == ["cleaned.gwp"] and "--replace" in refused.problems["cleaned.gwp"]
    assert publish(shown.at, other, ["cleaned.gwp"], replace=True).registered == ["cleaned.gwp"]
    assert shown.ask("select count(gas) from cleaned.gwp").rows == [(0,)]
    assert publish(shown.at, shown.lake, ["cleaned.gwp"], replace=True).registered == ["cleaned.gwp"]


def test_statistics_are_there_once_gathered(shown: Shown) -> None:
    assert analyze(shown.at, ["cleaned.gwp", "cleaned.never_made"]) == ["cleaned.gwp"]
    kinds = {row[0]: row[2] for row in shown.ask("show stats for cleaned.gwp").rows}
    assert kinds["gas"] and kinds["gas"] > 1


def test_builds_and_maintenance_tell_trino_by_themselves(shown: Shown, tmp_path: Path) -> None:
    _forget(shown, "cleaned.gwp")
    built = shown.said(tmp_path, "build", "cleaned.gwp", "--force")
    assert built.returncode == 0 and not built.stderr, built.stderr
    assert shown.ask("select count(gas) from cleaned.gwp").rows[0][0] > 0
    kept = shown.said(tmp_path, "maintain", "cleaned.gwp")
    assert kept.returncode == 0 and "Trino has statistics of 1 tables" in kept.stdout, kept.stdout + kept.stderr


def test_a_trino_that_is_away_makes_no_build_fail(shown: Shown, tmp_path: Path) -> None:
    built = shown.said(tmp_path, "build", "cleaned.gwp", "--force", trino="https://carbonlake@127.0.0.1:1/lake")
    assert built.returncode == 0 and "no Trino answers here" in built.stderr, built.stdout + built.stderr


def test_the_command_tells_what_it_did(shown: Shown, tmp_path: Path) -> None:
    done = shown.said(tmp_path, "--json", "publish", "cleaned.gwp")
    assert done.returncode == 0 and "cleaned.gwp" in json.loads(done.stdout)["healthy"]
    unknown = shown.said(tmp_path, "publish", "cleaned.gwpp")
    assert unknown.returncode == 1 and "cleaned.gwp" in unknown.stderr
