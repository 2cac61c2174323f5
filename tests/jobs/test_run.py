"""A run builds what it is asked for, inputs first, only what changed, and says so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer import Exit
from typer.testing import CliRunner

from carbonlake.building import finish
from carbonlake.cli import app
from carbonlake.world import FAILED, SOME_WAITING, World
from jobs.lake import Lake
from jobs.outcome import NO_DELIVERY, Outcome
from schemas import graph
from schemas.errors import UserError
from tests.jobs import building
from tests.jobs.building import csv, deliver

A, B = "cleaned.flow_merge", "cleaned.flow_append"
MONTH, PEAK, BOTH = "thematic.flow_merge_month", "thematic.flow_merge_peak", "business.flow_both"
SUM = """
description: Flow of both ways of writing
owner: tests
inputs: {month: thematic.flow_merge_month, other: cleaned.flow_append}
key: [month]
columns:
  month: {type: date, description: Month}
  mass_t: {type: "decimal(28,6)", unit: t, description: Mass}
balance: [mass_t]
"""
ADDED = '''"""Flow of two tables by month."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def transform(month: DataFrame, other: DataFrame) -> DataFrame:
    """Return one row a month."""
    every = month.select("month", "mass_t").unionByName(other.select("month", "mass_t"))
    return every.groupBy("month").agg(F.sum("mass_t").alias("mass_t"))
'''


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Lay the project over the shipped one."""
    files = building.flows(["merge", "append"])
    files |= {"schemas/business/flow_both.yaml": SUM, "layers/business/flow_both.py": ADDED}
    files["schemas/cleaned/flow_append.yaml"] = files["schemas/cleaned/flow_append.yaml"].replace("zone: flows", "zone: others")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path_factory.mktemp("flows"), files)))
        yield


def mine(*terms: str) -> set[str]:
    return {table for table in graph.select(terms) if "flow_" in table}


def test_terms_select_tables_with_what_is_above_or_below() -> None:
    assert graph.select([MONTH]) == (MONTH,)
    assert set(graph.select([f"+{MONTH}"])) == {A, MONTH}
    assert set(graph.select([f"{MONTH}+"])) == {MONTH, BOTH}
    assert set(graph.select([f"+{MONTH}+"])) == {A, MONTH, BOTH}
    assert set(graph.select([f"+{BOTH}"])) == {A, B, MONTH, BOTH}
    assert set(graph.select([f"{A}+", B])) == {A, B, MONTH, PEAK, BOTH}
    assert graph.select(["source:others"]) == (B,)
    assert mine("layer:cleaned") == {A, B} and mine("layer:business") == {BOTH}
    assert {table.split(".")[0] for table in graph.select(["layer:thematic"])} == {"thematic"}
    assert mine() == {A, B, MONTH, PEAK, BOTH, "thematic.flow_append_month", "thematic.flow_append_peak"}
    for selected in (graph.select([f"+{BOTH}"]), graph.select([])):
        assert all(selected.index(up) < selected.index(t) for t in selected for up in graph.upstream(t) if up in selected)


@pytest.mark.parametrize("term", ["layer:none", "source:none", "colour:red"])
def test_a_term_that_names_nothing_is_refused(term: str) -> None:
    with pytest.raises(UserError, match=f"'{term}' names no table"):
        graph.select([term])


def test_a_misspelt_table_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no table 'cleaned.flow_merg'(.|\n)*did you mean cleaned.flow_merge"):
        graph.select(["+cleaned.flow_merg"])


def statuses(lake: Lake, spark: Any, *terms: str, **options: Any) -> dict[str, str]:
    return {table: one.status for table, one in building.build(lake, spark, *terms, **options).items()}


def test_a_second_run_skips_everything_and_only_what_changed_is_built(lake: Lake, spark: Any) -> None:
    every = f"+{BOTH}"
    for table in (A, B):
        deliver(lake, table, "1.csv", csv([("m", "2025-01-01", 2, "x")]))
    assert list(statuses(lake, spark, every)) == [*graph.select([every])]
    versions = {table: lake.open(table).version() for table in (A, B, MONTH, BOTH)}  # type: ignore[union-attr]
    again = building.build(lake, spark, every)
    assert {one.status for one in again.values()} == {"skipped"}
    assert {one.reason for one in again.values()} == {"nothing changed"}
    assert {table: lake.open(table).version() for table in versions} == versions  # type: ignore[union-attr]
    deliver(lake, B, "2.csv", csv([("m", "2025-01-01", 3, "x")]))
    ended = building.build(lake, spark, every)
    assert {table: one.status for table, one in ended.items()} == {A: "skipped", MONTH: "skipped", B: "built", BOTH: "built"}
    assert ended[BOTH].reason == f"{B} changed"
    assert [int(mass) for (mass,) in building.rows(lake, BOTH, "mass_t")] == [7]
    assert set(statuses(lake, spark, every, force=True).values()) == {"built"}


def test_a_delivery_that_changes_no_row_below_builds_nothing_below(lake: Lake, spark: Any) -> None:
    deliver(lake, A, "1.csv", csv([("m", "2025-01-01", 2, "x")]))
    statuses(lake, spark, f"+{MONTH}")
    deliver(lake, A, "2.csv", csv([("bad", "2025-01-01", -2, "x")]))
    assert statuses(lake, spark, f"+{MONTH}") == {A: "built", MONTH: "skipped"}
    assert len(building.aside(lake, A)) == 1


def test_a_failed_input_lets_its_followers_wait_and_the_rest_goes_on(lake: Lake, spark: Any) -> None:
    deliver(lake, A, "1.csv", csv([("m", "2025-01-01", "x")], "meter,day,label"))
    deliver(lake, B, "1.csv", csv([("m", "2025-01-01", 3, "x")]))
    ended = building.build(lake, spark, f"+{BOTH}")
    assert {table: one.status for table, one in ended.items()} == {A: "failed", MONTH: "waiting", B: "built", BOTH: "waiting"}
    assert ended[MONTH].reason == f"its input {A} was not built"
    with pytest.raises(Exit) as left:
        finish(World(as_json=True), list(ended.values()))
    assert left.value.exit_code == FAILED


def test_a_source_without_a_delivery_is_an_empty_table(lake: Lake, spark: Any) -> None:
    deliver(lake, B, "1.csv", csv([("m", "2025-01-01", 3, "x")]))
    ended = building.build(lake, spark, f"+{BOTH}")
    assert (ended[A].status, ended[A].reason, ended[BOTH].status) == ("waiting", NO_DELIVERY, "built")
    assert [int(mass) for (mass,) in building.rows(lake, BOTH, "mass_t")] == [3]
    with pytest.raises(Exit) as left:
        finish(World(as_json=True), list(ended.values()), named={A})
    assert left.value.exit_code == SOME_WAITING


def test_the_command_tells_machines_and_people_what_was_skipped(lake: Lake, spark: Any, capsys: Any) -> None:
    deliver(lake, A, "1.csv", csv([("m", "2025-01-01", 2, "x")]))
    statuses(lake, spark, f"+{MONTH}")
    done = CliRunner().invoke(app, ["--lake", str(lake.root), "--json", "run", f"+{MONTH}"])
    assert done.exit_code == 0, done.output
    told = {row["table"]: row for row in json.loads(done.output)}
    assert {(row["status"], row["reason"]) for row in told.values()} == {("skipped", "nothing changed")}
    assert set(told) == {A, MONTH}
    finish(World(), [Outcome(table, "r", "skipped", "nothing changed") for table in (A, MONTH)])
    said = capsys.readouterr().out
    assert said.startswith("2 tables") and "up to date: skipped" in said
