"""Our lineage of a build beside what OpenLineage's own listener in Apache Spark says of the same: inputs, columns, origins."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.apache import DELTA
from jobs.lake import Lake
from jobs.run import run
from jobs.session import engine
from lineage.events import run_uuid

pytestmark = pytest.mark.spark
LISTENER = "io.openlineage:openlineage-spark_2.13:1.53.0"
TABLES = ("cleaned.gwp", "knowledge.factor", "thematic.activity", "business.emission", "business.emission_month")
# What a build may write beside the columns of its contract: the bit mask of the rules, the verdict, where a row came from.
BESIDE = {"_rules", "_verdict", "_delivery", "_locator"}
Events = dict[str, Any]
Places = dict[str, set[tuple[str, str]]]


@pytest.fixture(scope="module")
def told(demo_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Events, Events]]]:
    """Return for each table what we and what the listener said when its build was complete."""
    folder = tmp_path_factory.mktemp("listener")
    shutil.copytree(demo_lake, folder / "lake")
    settings = {
        "spark.jars.packages": f"{DELTA},{LISTENER}",
        "spark.extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
        "spark.openlineage.transport.type": "file",
        "spark.openlineage.transport.location": str(folder / "events.jsonl"),
        # In a session with Delta the listener takes every adaptive plan for one of Delta's own, and says nothing.
        "spark.sql.adaptive.enabled": "false",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m",
    }
    with engine("spark", "2g", settings) as opened:
        ended = run(Lake(folder / "lake"), opened, TABLES, force=True, workers=1)
        assert {one.table: one.status for one in ended} == dict.fromkeys(TABLES, "built"), [one.reason for one in ended]
        theirs = _awaited(folder, {run_uuid(one.run_id) for one in ended})
    ours = {event["run"]["runId"]: event for event in _complete(folder / "lake" / "_lineage" / "events.jsonl")}
    yield {ours[run_id]["job"]["name"]: (ours[run_id], event) for run_id, event in theirs.items()}


def _complete(path: Path) -> list[Events]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [event for event in map(json.loads, lines) if event["eventType"] == "COMPLETE" and event["outputs"]]


def _awaited(folder: Path, wanted: set[str]) -> dict[str, Events]:
    """Return what the listener wrote of each run of ours, known by the staging folder; it speaks when Spark has time."""
    until = time.monotonic() + 120
    while True:
        found = {run_uuid(_staging(event)): event for event in _complete(folder / "events.jsonl")}
        if wanted <= found.keys() or time.monotonic() > until:
            return {run_id: found[run_id] for run_id in wanted}
        time.sleep(0.5)


def _staging(event: Events) -> str:
    """Return the run whose staging folder an event of the listener speaks of."""
    return str(event["outputs"][0]["name"]).split("/_staging/")[1].split("/")[0]


def _table(path: str) -> str:
    """Return our name for a path that the listener saw."""
    inside = path.split("/lake/")[1]
    if read := re.match(r"_read/\w+/(\w+)/", inside):
        return f"deliveries.{read[1]}"
    return inside.replace("/", ".")


def _columns(event: Events) -> set[str]:
    return {field["name"] for field in event["outputs"][0]["facets"]["schema"]["fields"]}


def _origins(event: Events, kind: str, theirs: bool = False) -> Places:
    """Return column → (table, column) of what it is made from, directly or by a condition."""
    fields = event["outputs"][0]["facets"]["columnLineage"]["fields"]
    return {
        column: {(_table(one["name"]) if theirs else one["name"], one["field"]) for one in origin["inputFields"]
                 if any(step["type"] == kind for step in one["transformations"])}
        for column, origin in fields.items()
    }  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_both_name_the_same_inputs(told: dict[str, tuple[Events, Events]], table: str) -> None:
    ours, theirs = told[table]
    assert {one["name"] for one in ours["inputs"]} == {_table(one["name"] + "/").rstrip(".") for one in theirs["inputs"]}


@pytest.mark.parametrize("table", TABLES)
def test_both_name_the_same_columns(told: dict[str, tuple[Events, Events]], table: str) -> None:
    ours, theirs = told[table]
    assert _columns(theirs) - BESIDE == _columns(ours)
    assert "_rules" in _columns(theirs)


@pytest.mark.parametrize("table", TABLES)
def test_a_column_comes_from_the_same_columns(told: dict[str, tuple[Events, Events]], table: str) -> None:
    """Each origin that we call direct the listener calls so, too; what it has beside these we call a condition."""
    ours, theirs = told[table]
    direct, by_condition, seen = _origins(ours, "DIRECT"), _origins(ours, "INDIRECT"), _origins(theirs, "DIRECT", theirs=True)
    names = sorted(_columns(ours))
    assert {name: direct.get(name, set()) - seen.get(name, set()) for name in names} == {name: set() for name in names}
    more = {name: seen.get(name, set()) - direct.get(name, set()) - by_condition.get(name, set()) for name in names}
    assert more == {name: set() for name in names}
    equal = sum(direct.get(name, set()) == seen.get(name, set()) for name in names)
    assert equal > len(names) / 2  # the two asserts above judge; this one sees to it that most columns are told alike
    print(f"{table}: {equal} of {len(names)} columns have the same direct origins, the others a condition more")
