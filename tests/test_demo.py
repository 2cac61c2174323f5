"""The demo as a whole: its headline numbers, its balance, its events, its quarantine, and a trace to the cell."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs import reruns, trace
from jobs.lake import Lake
from jobs.query import sql
from jobs.session import Engine
from jobs.tracing import Step, Way
from schemas.contracts import contract, contracts
from schemas.errors import UserError
from schemas.rooms import SHIPPED
from tests import documents
from tests.lineage.test_events import DATA, _validate

Ask = Any
BUILT = [one for one in contracts().values() if one.source or one.inputs]


@pytest.fixture(scope="module")
def ask(demo_lake: Path) -> Ask:
    """Return what asks the lake of the demo in SQL: rows as dicts."""
    return lambda query: sql(Lake(str(demo_lake)), query).to_pylist()


def test_building_1_used_and_emitted_what_the_meters_and_the_grid_say(ask: Ask) -> None:
    (used,) = ask("select round(sum(electricity_kwh), 1) as kwh, count(*) as hours from cleaned.building_meter_hour "
                  "where subject_id = 'building:1'")  # fmt: skip
    (emitted,) = ask("select round(sum(emission_tco2e) * 1000, 1) as kg, sum(lines) as lines from business.emission_year "
                     "where subject_id = 'building:1' and book = 'hourly'")  # fmt: skip
    assert (float(used["kwh"]), used["hours"]) == (10583.4, 8760)
    assert (float(emitted["kg"]), emitted["lines"]) == (1718.7, 8760)


def test_the_second_edition_revises_21703_rows_of_the_first(ask: Ask) -> None:
    assert ask("select count(*) as rows from business.edition_change") == [{"rows": 21703}]


def test_enterprises_emit_what_the_demo_prints(ask: Ask) -> None:
    totals = ask("select year, round(sum(emission_tco2e), 1) as t from business.emission_year "
                 "where book = 'enterprise' group by year order by year")  # fmt: skip
    # 2024 is lower than by defaults alone: one plant measured its coal, another has an override of its heat factor.
    assert [(one["year"], float(one["t"])) for one in totals] == [(2023, 89161688.4), (2024, 90194017.6)]


def test_roll_ups_hold_what_the_line_items_hold(ask: Ask) -> None:
    sums = [ask(f"select book, sum(emission_tco2e) as t from business.{table} group by book order by book")
            for table in ("emission", "emission_month", "emission_year")]  # fmt: skip
    assert sums[0] == sums[1] == sums[2]


def test_every_activity_becomes_a_line_or_is_listed_as_unresolved(ask: Ask) -> None:
    (lost,) = ask("select count(*) as n from thematic.activity where activity_id not in (select activity_id from "
                  "business.emission union select activity_id from business.unresolved)")  # fmt: skip
    assert lost["n"] == 0


def test_every_balance_is_closed(ask: Ask) -> None:
    (seen,) = ask(
        "select count(*) as n, count(distinct table_name) as tables, count(*) filter (not closed) as open from ops.balance"
    )
    assert seen["open"] == 0
    assert seen["tables"] >= sum(bool(one.source or (one.inputs and one.balance)) for one in contracts().values()) > 20


def test_every_declared_check_ran(ask: Ask) -> None:
    ran = {(row["table_name"], row["rule"]) for row in ask("select table_name, rule from ops.check")}
    declared = {(one.table, rule.label) for one in BUILT for rule in one.rules}
    assert len(declared) > 60
    assert declared <= ran


def test_every_event_is_valid_openlineage(ask: Ask) -> None:
    schemas = {path.stem: json.loads(path.read_text()) for path in DATA.glob("*.json")}
    events = ask("select event_type, event from ops.event")
    for row in events:
        _validate(json.loads(row["event"]), schemas)
    kinds = [row["event_type"] for row in events]
    assert kinds.count("START") == kinds.count("COMPLETE") == len(BUILT)


def test_rows_made_wrong_wait_in_quarantine_with_the_expected_reason(demo_lake: Path, ask: Ask) -> None:
    from jobs import quarantine

    names = {row["delivery_id"]: row["name"] for row in ask("select delivery_id, name from raw.delivery")}
    tables = [name for name in contracts() if name.startswith("cleaned.enterprise")]
    waiting = {(names[row["delivery_id"]], row["locator"]): row["rules"]
               for table in tables for row in quarantine.listed(Lake(str(demo_lake)), table)}  # fmt: skip
    with (SHIPPED / "samples" / "wrong_rows.csv").open(encoding="utf-8") as file:
        made = [row for row in csv.DictReader(file) if row["outcome"] != "superseded"]
    for row in made:
        rules = waiting.pop((row["file"], row["line"]))
        assert (row["check"] or "malformed") in rules, row
    assert len(made) == 23
    assert waiting == {}


@pytest.mark.parametrize(("table", "key", "file", "place"), [
    ("business.emission_year", ["subject_id=building:1", "year=2017"], "meters/Building_1.csv", "line 8470"),
    ("business.emission", ["line_id=building_meter_hour|1|20170101T0800|electricity_purchased|purchased_electricity_hourly|GHG"],
     "gwp/gwp.csv", "line 4"),
    ("thematic.inventory", ["publisher=UNFCCC secretariat", "year=2014", "sector=total", "gas=CO2"],
     "profile/CHN_ghg_profile.xlsx", "Data_by_sector!F3"),
])  # fmt: skip
def test_a_figure_resolves_to_its_file_and_place(table: str, key: list[str], file: str, place: str, demo_lake: Path) -> None:
    words = ["carbonlake", "--json", "--lake", str(demo_lake), "trace", table, *key, "--width", "1"]
    told = documents.run(words, demo_lake.parent)
    assert told.returncode == 0, told.stderr
    cells = list(_cells(json.loads(told.stdout)))
    assert (file, place) in cells


KINDS = {"business.emission_rollup": "level, unresolved_rows > 0", "business.emission_structure": "kind",
         "business.emission_intensity": "denominator", "business.emission_input": "kind, chosen_by",
         "business.unresolved": "reason", "business.emission": "method_id", "thematic.activity": "source_table",
         "thematic.activity_overlap": "settled_by", "business.activity_rollup": "grain, level",
         "business.electricity_view": "view, region = 'outside'", "index.emission_cube": "book, dimension",
         "thematic.subject": "subject_type", "knowledge.factor": "source_table"}  # fmt: skip
COAL = "enterprise_fuel_month|91140000EXAMPLE022|2024-03-01|bituminous_coal|fuel_bituminous_coal|fuel_combustion|CO2"


@pytest.mark.parametrize(("table", "key"), [
    ("business.emission_rollup", {"grain": "year", "period": "2024-01-01", "level": "province", "member": "140000",
                                  "activity_code": "fuel_bituminous_coal", "gas": "CO2"}),
    ("business.emission_rollup", {"grain": "quarter", "period": "2024-01-01", "level": "enterprise",
                                  "member": "enterprise:91140000EXAMPLE022",
                                  "activity_code": "fuel_bituminous_coal", "gas": "CO2"}),
    ("business.emission", {"line_id": COAL}),
    ("business.emission_input", {"line_id": COAL, "role": "ncv"}),
])  # fmt: skip
def test_a_figure_ends_in_the_page_of_a_factor_and_in_a_cell_by_rows_that_add_up(
    table: str, key: dict[str, str], demo_lake: Path, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reruns, "parents", None)  # no transform is run again
    found = trace.trace(Lake(demo_lake), Engine("sail", spark), table, key, width=1000)
    steps = list(_steps(found))
    assert any(step.shown.get("page") and step.shown["source"] for step in steps if step.table == "knowledge.factor")
    assert {step.shown["file"] for step in steps if step.table == "delivery"} >= {"measured/2024.csv"}
    assert all(step.shown["place"] for step in steps if step.table == "delivery")
    sums = [step for step in steps if step.table in ("business.emission_rollup", "business.emission_month") and step.made_from]
    assert len(sums) == {"business.emission_rollup": 2}.get(table, 0)
    for step in sums:
        assert sum(one.shown["emission_tco2e"] for one in step.made_from) == step.shown["emission_tco2e"]


def test_every_kind_of_figure_says_itself_what_it_was_made_from(demo_lake: Path, spark: Any) -> None:
    way, lost = Way(Lake(demo_lake), Engine("sail", spark), 1), []
    for table in (*trace.HOPS, trace.LINES):
        kinds = f"qualify row_number() over (partition by {KINDS.get(table, '1')} order by {', '.join(contract(table).key)}) = 1"
        version = int(way.head(table).version())  # type: ignore[union-attr]
        for row in way.rows(f"select * from {way.view(table, version)} {kinds}"):
            made_from = trace.direct(way, contract(table), way.pinned(table, version), row)
            lost += [] if made_from else [(table, row)]
    assert lost == []


def test_rows_that_do_not_make_a_figure_are_not_told_for_it(demo_lake: Path, spark: Any) -> None:
    way = Way(Lake(demo_lake), Engine("sail", spark), 1)
    for table, beside in (("business.emission_month", "0.000001"), ("business.emission", "1")):
        version = int(way.head(table).version())  # type: ignore[union-attr]
        (row,) = way.rows(f"select * from {way.view(table, version)} where emission_tco2e > 1 limit 1")
        wrong = {**row, "emission_tco2e": row["emission_tco2e"] + Decimal(beside)}
        pinned = way.pinned(table, version)
        assert trace.direct(way, contract(table), pinned, row)
        assert trace.direct(way, contract(table), pinned, wrong) is None


def test_a_gap_rests_on_what_was_told_before_and_after_it(demo_lake: Path, spark: Any, ask: Ask) -> None:
    (gap,) = ask("select * from business.unresolved where reason = 'gap' order by activity_id limit 1")
    found = trace.trace(Lake(demo_lake), Engine("sail", spark), "business.unresolved", {"activity_id": gap["activity_id"]})
    assert sum(step.shown["quantity"] for step in found.made_from) == gap["quantity"] and len(found.made_from) == 2
    assert found.made_from[0].made_from[0].table.startswith("cleaned.")


def test_where_lineage_tells_no_rows_apart_none_is_followed_and_the_table_is_named(
    demo_lake: Path, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, key = "business.electricity_view", {"region": "370000", "year": "2023", "view": "consumption"}
    monkeypatch.setitem(trace.HOPS, table, lambda *_: None)  # as of a table that says nothing of itself
    found = trace.trace(Lake(demo_lake), Engine("sail", spark), table, key)
    months = [step for step in found.made_from if step.table == "business.emission_month"]
    assert months and all("none is followed; ask business.emission_month" in step.note for step in months)


def test_inputs_that_do_not_fit_the_code_any_more_are_told_of(
    demo_lake: Path, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, key = "business.electricity_view", {"region": "370000", "year": "2023", "view": "consumption"}
    monkeypatch.setitem(trace.HOPS, table, lambda *_: None)
    made = reruns.bound
    drop = lambda *given: lambda emission_month, **rest: made(*given)(emission_month.drop("scope"), **rest)  # noqa: E731
    monkeypatch.setattr(reruns, "bound", drop)
    with pytest.raises(UserError, match=f"(?s)do not fit the code of today.*run [+]{table}"):
        trace.trace(Lake(demo_lake), Engine("sail", spark), table, key)


def _steps(step: Step) -> Iterator[Step]:
    yield step
    for other in step.made_from:
        yield from _steps(other)


def _cells(step: dict[str, Any]) -> Any:
    if step["table"] == "delivery":
        yield step["row"]["file"], step["row"]["place"]
    for other in step["made_from"]:
        yield from _cells(other)


def test_a_second_run_finds_everything_up_to_date(demo_lake: Path, tmp_path: Path) -> None:
    shutil.copytree(demo_lake, tmp_path / "lake")
    again = documents.run(["carbonlake", "--json", "run"], tmp_path)
    assert again.returncode == 0, again.stderr
    statuses = {row["table"]: row["status"] for row in json.loads(again.stdout)}
    assert len(statuses) == len(BUILT)
    assert set(statuses.values()) == {"skipped"}
