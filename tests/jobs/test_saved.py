"""Saved queries: each is whole, runs on the embedded engine, and says in DuckDB's SQL what it says in Trino's."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs import query
from jobs.lake import Lake
from jobs.saved import for_duckdb, for_trino, named, saved
from schemas.errors import UserError
from schemas.rooms import VARIABLE


def test_there_are_enough_and_each_has_both_titles() -> None:
    known = saved()
    assert len(known) >= 40
    assert all(one.title.isascii() and not one.title_zh.isascii() for one in known.values())
    assert len({one.title for one in known.values()}) == len(known)


@pytest.mark.parametrize("name", sorted(saved()))
def test_a_saved_query_finds_rows_in_the_demo(name: str, demo_lake: Path) -> None:
    assert query.sql(Lake(demo_lake), named(name).for_duckdb()).num_rows


def test_no_saved_query_adds_the_emissions_of_books_up() -> None:
    adding = [one for one in saved().values() if "sum(emission_tco2e)" in one.sql or "sum(l.emission_tco2e)" in one.sql]
    assert len(adding) >= 8
    assert not [one.name for one in adding if "book" not in one.sql]


def test_a_saved_query_with_emissions_says_how_many_activities_have_no_line() -> None:
    """The lines of one enterprise alone are no total."""
    rolled = {"index.emission_cube", "business.electricity_view"}
    shown = {name for name, one in saved().items() if "emission_tco2e" in one.sql and {
        table for table in one.tables_in_trino() if table.startswith("business.emission") or table in rolled}}  # fmt: skip
    assert len(shown) >= 20
    assert {name for name in shown if "unresolved" not in saved()[name].sql} == {"line_and_its_inputs"}


def test_views_are_plain_queries_over_the_newest_versions() -> None:
    views = [one for one in saved().values() if one.view]
    assert len(views) >= 5
    assert not [one.name for one in views if " as of " in one.sql]


def test_a_table_at_a_version_is_another_name_for_the_embedded_engine() -> None:
    text = "select * from cleaned.gwp for version as of 3 g join quarantine_cleaned.enterprise q on true"
    assert '"gwp@3" AS g' in for_duckdb(text)
    assert "quarantine.cleaned.enterprise AS q" in for_duckdb(text)
    moment = "select * from cleaned.gwp for timestamp as of timestamp '2026-01-31 23:59:59.999 UTC'"
    assert '"gwp@2026-01-31T23:59:59,999"' in for_duckdb(moment)
    with pytest.raises(UserError, match="not an instant"):
        for_duckdb("select * from cleaned.gwp for timestamp as of current_timestamp")


def test_names_of_the_lake_are_those_of_trino_with_a_version() -> None:
    text = "with a as (select * from quarantine.cleaned.enterprise) select * from a join cleaned.gwp g on true"
    found = for_trino(text, "version as of 2")
    assert "quarantine_cleaned.enterprise FOR VERSION AS OF 2" in found
    assert "cleaned.gwp FOR VERSION AS OF 2" in found
    assert "FROM a JOIN" in found


def test_tables_are_read_at_their_own_versions(demo_lake: Path) -> None:
    text = 'select (select count(*) from cleaned."gwp@0") as a, (select count(*) from cleaned."gwp@1") as b'
    (row,) = query.sql(Lake(demo_lake), text).to_pylist()
    assert row["a"] == 0 and row["b"] > 0


def test_a_project_adds_its_own_and_hides_a_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "mine.sql").write_text("-- title: Mine\n-- title_zh: 我的\nselect 1;\n", encoding="utf-8")
    (tmp_path / "queries" / "balances.sql").write_text("-- title: B\n-- title_zh: 乙\n-- view: yes\nselect 2\n", encoding="utf-8")
    before = len(saved())
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert len(saved()) == before + 1
    assert named("mine").sql == "select 1" and not named("mine").view
    assert named("balances").view and named("balances").title_zh == "乙"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.sql", "select 1", "title and title_zh"),
        ("a.sql", "-- title: A\nselect 1", "title_zh"),
        ("a.sql", "-- title: A\n-- title_zh: 甲\n", "holds one"),
        ("A-b.sql", "-- title: A\n-- title_zh: 甲\nselect 1", "small letters"),
    ],
)
def test_a_file_that_is_no_saved_query_is_named(
    name: str, text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(UserError) as caught:
        saved()
    assert says in str(caught.value) and f"queries/{name}" in str(caught.value)


def test_a_name_that_is_near_is_offered() -> None:
    with pytest.raises(UserError, match="did you mean"):
        named("emission_of_book")
