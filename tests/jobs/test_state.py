"""How a lake stands is told from the lake: what is due and why, what failed, what is old, and what is set aside."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from jobs import land, maintain, quarantine, upkeep
from jobs.lake import Lake, process
from jobs.state import BUILDING, EMPTY, FAILED, FRESH, RECORD, STALE, WAITING, Table, look
from schemas import graph
from schemas.errors import UserError
from tests import documents
from tests.jobs import building
from tests.jobs.building import csv, deliver

FLOW, MONTH, PEAK = "cleaned.flow_merge", "thematic.flow_merge_month", "thematic.flow_merge_peak"
NOW = datetime.now(UTC)
BUILT = len(graph.built())  # by the shipped contracts alone


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = building.flows(["merge"])
    files["schemas/cleaned/flow_merge.yaml"] += "freshness: 2h\n"
    place = building.lay(tmp_path / "mine", files)
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(place))
    return place


def seen(lake: Lake, now: datetime | None = None) -> dict[str, Table]:
    return {one.name: one for one in look(lake, now or datetime.now(UTC)).tables if "flow_" in one.name or one.state == RECORD}


def told(lake: Lake, now: datetime | None = None) -> dict[str, tuple[str, str]]:
    return {name.split("flow_merge")[-1]: (one.state, one.why) for name, one in seen(lake, now).items() if one.state != RECORD}


def test_a_table_goes_from_no_delivery_to_waiting_to_up_to_date(lake: Lake, spark: Any) -> None:
    assert told(lake)[""] == (EMPTY, "no delivery has come yet")
    assert told(lake)["_month"] == (WAITING, f"never built; its input {FLOW} is not there")
    deliver(lake, FLOW, "a.csv", csv([("a", "2026-01-01", 1, "x"), ("b", "2026-01-01", "ten", "x")]))
    assert told(lake)[""] == (WAITING, "never built")
    building.build(lake, spark, f"{FLOW}+")
    assert set(told(lake).values()) == {(FRESH, "")}
    deliver(lake, FLOW, "b.csv", csv([("a", "2026-02-01", 1, "x")]))
    assert told(lake) == {"": (WAITING, "1 new delivery"), "_month": (FRESH, ""), "_peak": (FRESH, "")}
    building.build(lake, spark, FLOW)
    assert told(lake)["_month"] == told(lake)["_peak"] == (WAITING, f"{FLOW} changed")
    assert {name for name, one in seen(lake).items() if one.due} == {MONTH, PEAK}


def test_what_waits_by_this_is_what_the_next_run_builds(lake: Lake, spark: Any, project: Path) -> None:
    deliver(lake, FLOW, "a.csv", csv([("a", "2026-01-01", 1, "x"), ("b", "2026-01-01", "ten", "x")]))
    building.build(lake, spark, f"{FLOW}+")

    def changed() -> Iterator[str]:
        land.withdraw(lake, deliver(lake, FLOW, "b.csv", csv([("a", "2026-02-01", 1, "x")])), "no")
        yield "a delivery came and went"
        file = project / "layers/thematic/flow_merge_month.py"
        file.write_text(file.read_text().replace("one row a group", "a row a group"))
        yield "a transform changed"
        maintain.maintain(lake)
        yield "compaction moved rows"
        (row,) = quarantine.listed(lake, FLOW)
        place = f"{row['delivery_id']}:{row['locator']}"
        ours = ["carbonlake", "--project", str(project), "--lake", str(lake.root)]
        documents.run([*ours, "quarantine", "discard", FLOW, place, "--note", "no"], project)
        yield "a person decided"

    expected = []
    for _ in changed():
        due = {name for name, one in seen(lake).items() if one.due}
        built = {name for name, one in building.build(lake, spark, f"{FLOW}+").items() if one.status == "built"}
        assert due <= built
        assert {name for name in built if name in due or FLOW not in due} == due
        expected.append(due)
    assert expected == [set(), {MONTH}, set(), {FLOW}]


def test_a_failure_stays_until_the_table_is_built(lake: Lake, spark: Any) -> None:
    number = deliver(lake, FLOW, "a.csv", "meter,day\na,2026-01-01\n")
    building.build(lake, spark, FLOW)
    state, why = told(lake)[""]
    assert (state, "drifted" in why, seen(lake)[FLOW].due) == (FAILED, True, True)
    land.withdraw(lake, number, "wrong")
    deliver(lake, FLOW, "a.csv", csv([("a", "2026-01-01", 1, "x")]))
    building.build(lake, spark, FLOW)
    assert told(lake)[""] == (FRESH, "")


def test_a_table_is_stale_by_its_newest_delivery(lake: Lake, spark: Any) -> None:
    deliver(lake, FLOW, "a.csv", csv([("a", "2026-01-01", 1, "x")]))
    building.build(lake, spark, f"{FLOW}+")
    later = datetime.now(UTC) + timedelta(hours=3)
    assert told(lake, later)[""] == (STALE, "wanted every 2h")
    one = seen(lake, later)[FLOW]
    assert one.limit == 7200
    assert one.age == pytest.approx(3 * 3600, abs=60)
    assert seen(lake, later)[MONTH].age is None


def test_a_table_under_way_is_told_while_its_process_lives(lake: Lake, spark: Any) -> None:
    deliver(lake, FLOW, "a.csv", csv([("a", "2026-01-01", 1, "x")]))
    folder = lake.staging("20260101T000000-run", FLOW)
    assert told(lake)[""][0] == BUILDING
    (folder / "_run.json").write_text(json.dumps({**process(), "started": 1.0, "table": FLOW}))
    assert told(lake)[""][0] == WAITING


def test_figures_are_those_of_the_files_and_of_the_quarantine(lake: Lake, spark: Any) -> None:
    rows = [("a", f"2026-0{month}-01", 1, "x") for month in (1, 2, 3)] + [("b", "2026-01-01", -5, "x"), ("c", "no", 1, "x")]
    deliver(lake, FLOW, "a.csv", csv(rows))
    building.build(lake, spark, f"{FLOW}+")
    one = seen(lake)[FLOW]
    files = [path for path in Path(lake.table_path(FLOW)).rglob("*.parquet") if "_delta_log" not in path.parts]
    assert (one.rows, one.files, one.small_files, one.quarantined) == (3, 3, 3, 2)
    assert one.size_bytes == sum(path.stat().st_size for path in files)
    assert one.version == DeltaTable(lake.table_path(FLOW)).version()
    state = look(lake, datetime.now(UTC))
    assert (state.deliveries, state.delivered_bytes) == (1, len(csv(rows)))
    assert state.past.newest[FLOW]["rows_in"] == 5
    assert {"at_least_mass_t": 1}.items() <= {
        row["rule"]: row["failed"] for row in state.past.checks if not row["passed"]
    }.items()


def test_maintenance_is_on_record(lake: Lake, spark: Any) -> None:
    assert look(lake, NOW).past.maintenance["tended_at"] is None
    deliver(lake, FLOW, "a.csv", csv([("a", "2026-01-01", 1, "x")]))
    building.build(lake, spark, FLOW)
    done = maintain.maintain(lake)
    upkeep.record(lake, done)
    found = look(lake, datetime.now(UTC)).past.maintenance
    assert datetime.now(UTC) - found["tended_at"] < timedelta(minutes=5)
    assert found["seconds"] == pytest.approx(sum(work.seconds for work in done))


def test_where_no_lake_is_a_message_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no lake here"):
        look(Lake(tmp_path / "none"), NOW)


def test_the_demo_is_up_to_date_and_says_what_it_set_aside(
    demo_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CARBONLAKE_PROJECT")
    shutil.copytree(demo_lake, tmp_path / "lake")
    done = documents.run(["carbonlake", "status", "--json"], tmp_path)
    found = json.loads(done.stdout)
    assert (found["states"]["up to date"], sum(found["states"].values())) == (BUILT, BUILT)
    assert found["quarantined"] == sum(one["quarantined"] for one in found["tables"]) == 207
    assert found["recent"]["built"] == BUILT
    assert found["recent"]["emission_kgco2"] == pytest.approx(found["recent"]["energy_kwh"] * 0.5306)
    shown = documents.run(["carbonlake", "status"], tmp_path).stdout
    for part in (
        "Tables 表",
        f"{BUILT}: {BUILT} up to date",
        "Quarantine 隔离区",
        "207 rows",
        "an estimate",
        "never: `carbonlake maintain`",
    ):
        assert part in shown
    assert len(shown.splitlines()) < 40
