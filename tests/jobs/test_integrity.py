"""What rests on bytes that no checksum guards is told wherever it is shown, also of tables that are made from such."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner, Result

from carbonlake.cli import app
from jobs import groups, integrity, land
from jobs.lake import Lake
from jobs.metrics import registry
from tests.jobs import building
from tests.jobs.building import csv, deliver

FLOW, MONTH = "cleaned.flow_merge", "thematic.flow_merge_month"
ASK = f"select count(*) as n from {MONTH}"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "mine", building.flows(["merge"]))))


def packed(lake: Lake, folder: Path, name: str, day: str) -> None:
    path = folder / name
    path.write_bytes(gzip.compress(csv([("a", day, 1, "x")]).encode()))
    land.land(lake, path, FLOW)


def ask(lake: Lake, *words: str, json_: bool = False) -> Result:
    given = ["--json"] if json_ else []
    found = CliRunner().invoke(app, ["--lake", str(lake.root), *given, *words])
    assert found.exit_code == 0, found.output
    return found


def test_a_table_that_is_made_from_unchecked_deliveries_says_so_with_every_answer(lake: Lake, spark: Any, tmp_path: Path) -> None:
    packed(lake, tmp_path, "a.csv.gz", "2026-01-01")
    building.build(lake, spark, f"{FLOW}+")
    assert ask(lake, "sql", ASK).stderr == "" and integrity.unchecked(lake, [FLOW, MONTH]) == {}
    deliver(lake, FLOW, "b.csv", csv([("a", "2026-02-01", 1, "x")]))
    building.build(lake, spark, f"{FLOW}+")
    for query in (ASK, f"from {FLOW}", f"with x as (from {MONTH}) from x"):
        assert ask(lake, "sql", query).stderr == "no checksum guards deliveries of cleaned.flow_merge (1 of 2)\n"
    found = ask(lake, "sql", ASK, json_=True)
    assert json.loads(found.stdout) == [{"n": 2}] and json.loads(found.stderr) == {"unchecked": {FLOW: "1 of 2"}}
    assert ask(lake, "sql", ASK, "--csv").stdout == "n\n2\n"
    assert json.loads(ask(lake, "show", MONTH, json_=True).stdout)["state"]["integrity"] == (
        "rests on unchecked deliveries of cleaned.flow_merge"
    )
    assert json.loads(ask(lake, "show", FLOW, json_=True).stdout)["state"]["integrity"] == "unchecked in 1 of 2 deliveries"
    shown = ask(lake, "status").stdout
    assert "1 deliveries as read are checked, 1 unchecked" in shown and f"unchecked in {FLOW}" in shown
    assert "2 tables are made from these" in shown
    told: CollectorRegistry = registry(lake)
    assert told.get_sample_value("carbonlake_unchecked_deliveries", {"table": FLOW}) == 1


def test_what_is_out_of_force_counts_no_more(lake: Lake, spark: Any, tmp_path: Path) -> None:
    deliver(lake, FLOW, "b.csv", csv([("a", "2026-02-01", 1, "x")]))
    packed(lake, tmp_path, "a.csv.gz", "2026-01-01")
    building.build(lake, spark, f"{FLOW}+")
    assert integrity.unchecked(lake, [MONTH]) == {FLOW: "1 of 2"}
    land.withdraw(lake, 1, "wrong")
    assert integrity.unchecked(lake, [MONTH]) == {} and integrity.said(lake, [FLOW]) == {FLOW: "checked"}


def test_a_refused_delivery_has_no_grade(lake: Lake, spark: Any) -> None:
    deliver(lake, FLOW, "b.csv", csv([("a", "2026-02-01", 1, "x")]))
    deliver(lake, FLOW, "c.csv", 'meter,day,t,label\n"a')
    building.build(lake, spark, FLOW)
    assert set(building.rows(lake, "ops.reading", "delivery_id", "integrity")) == {(1, "unchecked"), (2, None)}


def test_the_quality_report_has_the_grade_of_each_table(lake: Lake, spark: Any, tmp_path: Path) -> None:
    deliver(lake, FLOW, "b.csv", csv([("a", "2026-02-01", 1, "x")]))
    building.build(lake, spark, f"{FLOW}+")
    ask(lake, "quality", "report", "--folder", str(tmp_path / "pages"))
    page = (tmp_path / "pages/index.html").read_text(encoding="utf-8")
    assert "<td>unchecked</td>" in page and f"<td>rests on unchecked deliveries of {FLOW}</td>" in page


def test_small_deliveries_that_are_read_together_have_grades_of_their_own(lake: Lake, spark: Any) -> None:
    for number in range(groups.FEWEST):
        deliver(lake, FLOW, f"{number}.csv", csv([("a", f"2026-02-{number % 28 + 1:02}", number, "x")]))
    building.build(lake, spark, FLOW)
    assert integrity.said(lake, [FLOW]) == {FLOW: "unchecked"}
    assert integrity.unchecked(lake, [MONTH]) == {FLOW: f"{groups.FEWEST} of {groups.FEWEST}"}
