"""What a scheduler is to do follows the contracts: every table in one DAG, every task after what it is made from."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from dags import plan
from dags.plan import plans
from schemas import graph
from schemas.errors import UserError
from schemas.rooms import VARIABLE

SOURCE = """description: Readings
owner: us
source: {{zone: pumps, path: "*.csv", format: csv, publisher: us, licence: CC0-1.0, schedule: {schedule}, timezone: {timezone}}}
key: [id]
columns:
  id: {{type: string, description: Number, from: id}}
"""
RUNS = """description: Runs by day
owner: us
inputs: [ops.run]
key: [day]
columns:
  day: {type: date, description: Day}
"""


@pytest.fixture
def pumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of cleaned contracts of a project of one's own."""
    folder = tmp_path / "schemas" / "cleaned"
    folder.mkdir(parents=True)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return folder


def test_every_table_that_is_built_belongs_to_exactly_one_dag() -> None:
    times = Counter(table for one in plans() for table in one.tables)
    assert set(times) == set(graph.built())
    assert set(times.values()) == {1}
    assert len({one.name for one in plans()}) == len(plans())


def test_a_table_of_anothers_deliveries_comes_after_it_and_lands_nothing(pumps: Path) -> None:
    (pumps / "pump.yaml").write_text(SOURCE.format(schedule="daily", timezone="UTC"), encoding="utf-8")
    second = re.sub(r"source: .*", "source: {{of: cleaned.pump, format: csv}}", SOURCE)
    (pumps / "a_second.yaml").write_text(second.format(), encoding="utf-8")
    (one,) = [one for one in plans() if "cleaned.pump" in one.tables]
    assert one.lands == ("cleaned.pump",)
    assert {task.name: task.after for task in one.tasks} == {"cleaned.pump": (), "cleaned.a_second": ("cleaned.pump",)}


def test_every_input_is_built_before_or_starts_the_dag() -> None:
    for one in plans():
        task_of = {table: task for task in one.tasks for table in task.tables}
        for table, task in task_of.items():
            for source in graph.upstream(table):
                if source in task_of:
                    assert task_of[source] is task or task_of[source].name in task.after, f"{table} of {one.name} reads {source}"
                else:
                    # A record of what people said tells nobody that it has grown: the next start reads it.
                    recorded = source.split(".")[0] in ("ops", "raw")
                    assert recorded or source in one.waits_for or one.lands, f"{table} of {one.name} reads {source}"
                assert source in task.reads or source in task.tables


def test_a_source_is_started_by_its_clock_and_a_table_made_from_others_by_them() -> None:
    by_table = {table: one for one in plans() for table in one.tables}
    monthly = by_table["cleaned.enterprise_fuel_month"]
    assert (monthly.name, monthly.cron, monthly.timezone) == ("carbonlake_enterprises_monthly", "0 3 1 * *", "Asia/Shanghai")
    assert by_table["cleaned.enterprise"].cron == ""
    cube = by_table["index.emission_cube"]
    assert cube.cron == "" and "cleaned.building_meter_hour" in cube.waits_for and not cube.lands
    assert by_table["business.emission"] is cube


def test_tables_of_a_layer_share_a_task_where_they_are_made_from_others() -> None:
    cube = next(one for one in plans() if "index.emission_cube" in one.tables)
    layers = [task.layer for task in cube.tasks]
    assert layers == ["knowledge", "thematic", "business", "index"] and set(cube.tasks[2].tables) >= {
        "business.emission", "business.emission_month", "business.emission_year", "business.unresolved"}  # fmt: skip


def test_a_cadence_may_be_cron_and_two_time_zones_are_two_dags(pumps: Path) -> None:
    (pumps / "pump_a.yaml").write_text(SOURCE.format(schedule='"30 6 * * *"', timezone="Asia/Shanghai"))
    (pumps / "pump_b.yaml").write_text(SOURCE.format(schedule='"30 6 * * *"', timezone="Europe/Berlin"))
    found = {one.name: (one.cron, one.timezone) for one in plans() if "pumps" in one.name}
    assert found == {
        "carbonlake_pumps_cron_30_6_x_x_x": ("30 6 * * *", "Asia/Shanghai"),
        "carbonlake_pumps_cron_30_6_x_x_x_Europe.per.Berlin": ("30 6 * * *", "Europe/Berlin"),
    }


def test_cadences_and_time_zones_that_look_alike_have_names_of_their_own(pumps: Path) -> None:
    alike = [('"0 1-5 * * *"', "UTC"), ('"0 1,5 * * *"', "UTC"), ("daily", "Etc/GMT+8"), ("daily", "Etc/GMT-8")]
    for number, (schedule, timezone) in enumerate(alike):
        (pumps / f"pump_{number}.yaml").write_text(SOURCE.format(schedule=schedule, timezone=timezone))
    found = plans()
    assert len({one.name for one in found if "pumps" in one.name}) == len(alike)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", one.name) for one in found)


def test_two_dags_of_one_name_are_refused_with_both_files(pumps: Path) -> None:
    source = SOURCE.format(schedule="daily", timezone="Asia/Shanghai").replace("zone: pumps", "zone: business_pumps")
    (pumps / "pump_a.yaml").write_text(source)
    (pumps.parent / "business").mkdir()
    (pumps.parent / "business" / "pumps_daily.yaml").write_text(RUNS)
    with pytest.raises(UserError, match=r"pump_a.yaml, .*pumps_daily.yaml.*named carbonlake_business_pumps_daily"):
        plans()


def test_a_source_that_waits_does_not_hide_another_that_is_new(pumps: Path) -> None:
    (pumps / "pump_a.yaml").write_text(SOURCE.format(schedule="daily", timezone="UTC"))
    looked_up = "rules:\n  - {rule: reference, column: id, table: cleaned.pump_a}\n"
    (pumps / "pump_b.yaml").write_text(SOURCE.format(schedule="daily", timezone="UTC") + looked_up)
    (one,) = (one for one in plans() if "pumps" in one.name)
    assert [(task.tables, task.after) for task in one.tasks] == [
        (("cleaned.pump_a",), ()), (("cleaned.pump_b",), ("cleaned.pump_a",))]  # fmt: skip


def test_a_table_of_records_alone_is_started_by_the_clock(pumps: Path) -> None:
    (pumps.parent / "business").mkdir()
    (pumps.parent / "business" / "run_count.yaml").write_text(RUNS)
    (one,) = (one for one in plans() if "business.run_count" in one.tables)
    assert (one.cron, one.waits_for) == ("0 1 * * *", ())


def test_a_cadence_that_nobody_knows_names_file_and_remedy(pumps: Path) -> None:
    (pumps / "pump_a.yaml").write_text(SOURCE.format(schedule="fortnightly", timezone="UTC"))
    with pytest.raises(UserError, match=r"pump_a.yaml.*'fortnightly' is no cadence\n.*monthly"):
        plans()


def test_layers_that_would_wait_for_each_other_fall_apart_into_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    made_from = {"knowledge.a": (), "thematic.b": ("knowledge.a",), "knowledge.c": ("knowledge.a", "thematic.b")}
    monkeypatch.setattr(plan.graph, "upstream", made_from.__getitem__)
    tasks = plan._tasks(list(made_from))
    assert [task.tables for task in tasks] == [("knowledge.a",), ("thematic.b",), ("knowledge.c",)]
    assert tasks[2].after == ("knowledge.a", "thematic.b")


def test_a_run_must_end_before_the_first_of_its_tables_is_stale(pumps: Path) -> None:
    (pumps / "pump_a.yaml").write_text(SOURCE.format(schedule="daily", timezone="UTC") + "freshness: 3d\n")
    (pumps / "pump_b.yaml").write_text(SOURCE.format(schedule="daily", timezone="UTC") + "freshness: 36h\n")
    (pumps / "pump_c.yaml").write_text(SOURCE.format(schedule="hourly", timezone="UTC"))
    within = {one.name: one.within for one in plans() if "pumps" in one.name}
    assert within == {"carbonlake_pumps_daily_UTC": timedelta(hours=36), "carbonlake_pumps_hourly_UTC": None}


def test_a_source_that_is_paused_has_no_task_and_its_neighbours_go_on(pumps: Path) -> None:
    for name in ("pump_a", "pump_b"):
        (pumps / f"{name}.yaml").write_text(SOURCE.format(schedule="daily", timezone="UTC"))
    found = {one.name: one for one in plans(["cleaned.pump_a"])}
    assert found["carbonlake_pumps_daily_UTC"].tables == found["carbonlake_pumps_daily_UTC"].lands == ("cleaned.pump_b",)
    (cube,) = (one for one in plans(["cleaned.enterprise"]) if "index.emission_cube" in one.tables)
    assert "cleaned.enterprise" in cube.waits_for  # a person may still build it


@pytest.mark.parametrize("table", ["thematic.activity", "cleaned.pump_z"])
def test_only_a_source_can_be_paused(table: str) -> None:
    with pytest.raises(UserError, match=r"is no source|no table"):
        plans([table])
