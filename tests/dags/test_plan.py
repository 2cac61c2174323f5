"""What a scheduler is to do follows the contracts: every table in one DAG, every task after what it is made from."""

from __future__ import annotations

from collections import Counter
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


def test_every_input_is_built_before_or_starts_the_dag() -> None:
    for one in plans():
        task_of = {table: task for task in one.tasks for table in task.tables}
        for table, task in task_of.items():
            for source in graph.upstream(table):
                inside = source in task_of and (task_of[source] is task or task_of[source].name in task.after)
                assert inside or source in one.waits_for or one.lands, f"{table} of {one.name} reads {source}"
                assert source in task.reads or source in task.tables


def test_a_source_is_started_by_its_clock_and_a_table_made_from_others_by_them() -> None:
    by_table = {table: one for one in plans() for table in one.tables}
    monthly = by_table["cleaned.enterprise_fuel_month"]
    assert (monthly.name, monthly.cron, monthly.timezone) == ("carbonlake_enterprises_monthly", "0 3 1 * *", "Asia/Shanghai")
    assert by_table["cleaned.enterprise"].cron == ""
    cube = by_table["index.emission_cube"]
    assert cube.cron == "" and "cleaned.building_meter_hour" in cube.waits_for and not cube.lands
    assert by_table["business.emission"] is cube


def test_tables_of_a_layer_that_hang_together_share_a_task() -> None:
    cube = next(one for one in plans() if "index.emission_cube" in one.tables)
    assert ("business.emission", "business.emission_month", "business.emission_year") in {task.tables for task in cube.tasks}


def test_a_cadence_may_be_cron_and_two_time_zones_are_two_dags(pumps: Path) -> None:
    (pumps / "pump_a.yaml").write_text(SOURCE.format(schedule='"30 6 * * *"', timezone="Asia/Shanghai"))
    (pumps / "pump_b.yaml").write_text(SOURCE.format(schedule='"30 6 * * *"', timezone="Europe/Berlin"))
    found = {one.name: (one.cron, one.timezone) for one in plans() if "pumps" in one.name}
    assert found == {
        "carbonlake_pumps_cron_30-6------": ("30 6 * * *", "Asia/Shanghai"),
        "carbonlake_pumps_cron_30-6------_Europe-Berlin": ("30 6 * * *", "Europe/Berlin"),
    }


def test_a_cadence_that_nobody_knows_names_file_and_remedy(pumps: Path) -> None:
    (pumps / "pump_a.yaml").write_text(SOURCE.format(schedule="fortnightly", timezone="UTC"))
    with pytest.raises(UserError, match=r"pump_a.yaml.*'fortnightly' is no cadence\n.*monthly"):
        plans()


def test_groups_that_would_wait_for_each_other_fall_apart_into_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    made_from = {"knowledge.a": (), "thematic.b": ("knowledge.a",), "knowledge.c": ("knowledge.a", "thematic.b")}
    monkeypatch.setattr(plan.graph, "upstream", made_from.__getitem__)
    tasks = plan._tasks(list(made_from))
    assert [task.tables for task in tasks] == [("knowledge.a",), ("thematic.b",), ("knowledge.c",)]
    assert tasks[2].after == ("knowledge.a", "thematic.b")
