"""A month can be made anew: its partition of tables made from others, and nothing else."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobs import derived
from jobs.lake import Lake
from jobs.relation import table_files
from schemas.contracts import contract
from tests.jobs import building

CLEANED, MONTHS = "cleaned.flow_merge", "thematic.flow_merge_month"
READINGS = [("m", "2025-01-01", 1, "x"), ("m", "2025-02-01", 2, "x")]


@pytest.fixture
def built(tmp_path: Path, lake: Lake, spark: Any, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Return a lake with two months, built."""
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "flows", building.flows(["merge"]))))
    building.deliver(lake, CLEANED, "a.csv", building.csv(READINGS))
    assert {one.status for one in building.build(lake, spark, f"{CLEANED}+").values()} == {"built"}
    return lake


def files(lake: Lake) -> dict[str, str]:
    """Return month → file."""
    head = lake.open(MONTHS)
    assert head
    return {file.partition["month"]: file.path for file in table_files(head)}


def test_only_the_partition_of_the_month_is_made_anew(built: Lake, spark: Any) -> None:
    before, rows = files(built), building.state(built, [CLEANED, MONTHS])
    ended = building.build(built, spark, f"{CLEANED}+", month="2025-01")
    assert (ended[CLEANED].status, ended[MONTHS].status, ended[MONTHS].mode) == ("skipped", "built", "partitions")
    assert ended[MONTHS].reason == "2025-01 again" and ended[MONTHS].counts.written == 1
    after = files(built)
    assert after["2025-01-01"] != before["2025-01-01"] and after["2025-02-01"] == before["2025-02-01"]
    assert building.state(built, [CLEANED, MONTHS]) == rows


def test_what_changed_in_other_months_is_built_as_well(built: Lake, spark: Any) -> None:
    building.deliver(built, CLEANED, "b.csv", building.csv([("m", "2025-02-02", 4, "y")]))
    ended = building.build(built, spark, f"{CLEANED}+", month="2025-01")
    assert ended[MONTHS].mode == "partitions" and ended[MONTHS].counts.written == 2
    assert [(str(month), days) for month, days in building.rows(built, MONTHS, "month", "days")] == [
        ("2025-01-01", 1), ("2025-02-01", 2)]  # fmt: skip


def test_a_month_that_nothing_was_delivered_for_stays_empty(built: Lake, spark: Any) -> None:
    before = building.state(built, [MONTHS])
    assert building.build(built, spark, MONTHS, month="2024-12")[MONTHS].status == "built"
    assert building.state(built, [MONTHS]) == before


@pytest.mark.parametrize(("by", "type_", "value"), [("month", "date", {"2025-01-01"}), ("month", "string", {"2025-01"}),
                                                    ("period", "date", set())])  # fmt: skip
def test_the_partition_of_a_month_is_written_in_the_type_of_its_column(by: str, type_: str, value: set[str], built: Lake) -> None:
    one = contract(MONTHS)
    column = one.columns["month"].model_copy(update={"type": type_})
    changed = one.model_copy(update={"partition_by": (by,), "columns": {**one.columns, "month": column}})
    assert derived._month(SimpleNamespace(month="2025-01", contract=changed)) == value  # type: ignore[arg-type]
