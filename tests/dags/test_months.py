"""Months are first-class where a source comes once a month and is partitioned so; who knows no months is started outright."""

from __future__ import annotations

from pathlib import Path

import pytest

from dags import commands
from dags.months import by_month
from dags.plan import Plan, Task, plans
from schemas.rooms import VARIABLE
from tests.jobs import building

FLOW = "cleaned.flow_merge"
MEASURED = "activity:\n  electricity_purchased: {quantity: mass_t, subject: meter, start: day, grain: day}\n"


def lay(folder: Path, patch: pytest.MonkeyPatch, schedule: str, more: str = "") -> dict[str, Plan]:
    """Lay a project of one source with two tables made from it over the shipped one, and return the DAGs by table."""
    files = building.flows(["merge"])
    name = "schemas/cleaned/flow_merge.yaml"
    files[name] = files[name].replace("CC0-1.0}", f"CC0-1.0, schedule: {schedule}}}") + more
    patch.setenv(VARIABLE, str(building.lay(folder, files)))
    return {table: one for one in by_month(plans()) for table in one.tables}


@pytest.mark.parametrize("schedule", ["monthly", '"30 6 5 * *"'])
def test_a_monthly_source_and_what_is_made_from_it_alone_run_by_month(
    schedule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = lay(tmp_path, monkeypatch, schedule)
    assert found[FLOW].keyed and found["thematic.flow_merge_month"].keyed and found["thematic.flow_merge_peak"].keyed
    assert found[FLOW].starts == ()
    assert sum(one.keyed for one in {one.name: one for one in found.values()}.values()) == 3


@pytest.mark.parametrize("schedule", ["manual", "daily", "quarterly", '"0 3 1,15 * *"'])
def test_other_cadences_do_not(schedule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any(one.keyed for one in lay(tmp_path, monkeypatch, schedule).values())


def test_who_waits_for_tables_without_months_too_is_started_by_the_months(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = lay(tmp_path, monkeypatch, "monthly", MEASURED)
    cube = found["index.emission_cube"]
    assert FLOW in cube.waits_for and not cube.keyed
    assert found[FLOW].starts == (cube.name,)


def test_no_shipped_table_is_partitioned_by_month_so_that_no_shipped_dag_is() -> None:
    assert not any(one.keyed or one.starts for one in by_month(plans()))


def test_a_month_narrows_what_is_landed_in_a_backfill_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = lay(tmp_path, monkeypatch, "monthly")
    chosen = commands.choices(found[FLOW])
    assert chosen["LAND"] == "{{ params.month or (dag_run.partition_key if dag_run.run_type == 'backfill' else '') or 'all' }}"
    assert chosen["MONTH"] == "{{ params.month or dag_run.partition_key or '' }}"
    assert commands.choices(found["cleaned.owid_co2"]) == {**chosen, "MONTH": "", "LAND": "all"}
    assert commands.choices(found["thematic.flow_merge_month"])["LAND"] == ""


def test_what_a_person_chose_never_stands_in_the_text_of_a_command() -> None:
    task = Task("business.a", "business", ("business.a", "business.b"), (), ())
    text = commands.run(task)
    assert "{{" not in text and text.startswith("carbonlake run business.a business.b ${FORCE:+--force}")
    assert "carbonlake show business.b" in text and "file://" in text and text.endswith("exit $ended")
