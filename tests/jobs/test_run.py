"""A run builds what it is asked for, inputs first, only what changed, and says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer import Exit
from typer.testing import CliRunner

from carbonlake.building import finish
from carbonlake.cli import app
from carbonlake.world import FAILED, SOME_WAITING, World
from jobs import query
from jobs.lake import Lake
from jobs.outcome import NO_DELIVERY, Outcome
from jobs.run import run
from jobs.session import Engine
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


NAMED = "thematic.flow_named"
# Integers of this size the embedded engine may not multiply.
PRODUCT = '''"""Rows times a number."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def transform(flow: DataFrame) -> DataFrame:
    """Return one row a month."""
    return flow.groupBy("month").agg((F.count("*") * F.sum(F.length("label")) * F.lit(20000)).alias("days"))
'''


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Lay the project over the shipped one."""
    files = building.flows(["merge", "append"])
    files |= {"schemas/business/flow_both.yaml": SUM, "layers/business/flow_both.py": ADDED}
    files["schemas/cleaned/flow_append.yaml"] = files["schemas/cleaned/flow_append.yaml"].replace("zone: flows", "zone: others")
    named = (
        files["schemas/thematic/flow_merge_month.yaml"].replace("key:", "engine: spark\nkey:").replace("balance: [mass_t]", "")
    )
    without = [line for line in named.splitlines() if "mass_t" not in line]
    files |= {"schemas/thematic/flow_named.yaml": "\n".join(without), "layers/thematic/flow_named.py": PRODUCT}
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
    assert set(graph.select([f"{A}+", B])) == {A, B, MONTH, PEAK, BOTH, NAMED}
    assert graph.select(["source:others"]) == (B,)
    assert mine("layer:cleaned") == {A, B} and mine("layer:business") == {BOTH}
    assert {table.split(".")[0] for table in graph.select(["layer:thematic"])} == {"thematic"}
    assert mine() == {A, B, MONTH, PEAK, BOTH, "thematic.flow_append_month", "thematic.flow_append_peak", NAMED}
    for selected in (graph.select([f"+{BOTH}"]), graph.select([])):
        assert all(selected.index(up) < selected.index(t) for t in selected for up in graph.upstream(t) if up in selected)


@pytest.mark.parametrize("term", ["layer:none", "source:none", "colour:red"])
def test_a_term_that_names_nothing_is_refused(term: str) -> None:
    with pytest.raises(UserError, match=f"'{term}' names no table"):
        graph.select([term])


@pytest.mark.parametrize("term", ["layer:ops", "raw.delivery"])
def test_a_term_that_names_only_records_is_refused_and_does_not_run_nothing(term: str) -> None:
    with pytest.raises(UserError, match=f"'{term}' names only what is recorded as it happens"):
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


def test_a_table_that_names_an_engine_is_made_on_that_one_which_is_opened_only_when_needed(tmp_path: Path, spark: Any) -> None:
    lake, asked = Lake(tmp_path / "lake").init(), []

    @contextmanager
    def opened(name: str, kind: str = "") -> Iterator[Engine]:
        asked.append(name)
        yield Engine(kind or name, spark)

    deliver(lake, A, "1.csv", csv([("m", "2025-01-01", 2, "x")]))
    fenced = run(lake, Engine("sail", spark), [f"+{NAMED}"], opened=partial(opened, kind="sail"))
    assert "`engine: spark` in the contract" in fenced[-1].reason
    ended = [run(lake, Engine("sail", spark), [NAMED, PEAK], opened=opened) for _ in range(2)]
    assert [{one.status for one in outcomes} for outcomes in ended] == [{"built"}, {"skipped"}]
    assert asked == ["spark", "spark"]
    engines = query.sql(lake, "select table_name, engine from ops.run where status = 'built'").to_pylist()
    assert {row["table_name"]: row["engine"] for row in engines} == {A: "sail", PEAK: "sail", NAMED: "spark"}


def test_a_table_whose_engine_is_not_to_be_had_fails_alone(lake: Lake, spark: Any) -> None:
    def opened(name: str) -> Any:
        raise UserError("Apache Spark needs Java 17 or newer, and there is none", where=f"engine {name}")

    deliver(lake, A, "1.csv", csv([("m", "2025-01-01", 2, "x")]))
    ended = {one.table: one for one in run(lake, Engine("sail", spark), [f"+{NAMED}", PEAK], opened=opened)}
    assert {table: one.status for table, one in ended.items()} == {A: "built", PEAK: "built", NAMED: "failed"}
    assert ended[NAMED].reason.startswith("engine spark: Apache Spark needs Java 17")


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
