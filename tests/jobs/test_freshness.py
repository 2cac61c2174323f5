"""A table tells whether it is as fresh as its contract wants it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs import land
from jobs.freshness import freshness
from jobs.lake import Lake
from tests.jobs import building
from tests.jobs.building import csv, deliver

A, MONTH, PEAK = "cleaned.flow_merge", "thematic.flow_merge_month", "thematic.flow_merge_peak"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay a project whose tables, but one, are wanted every two days over the shipped one."""
    files = building.flows(["merge"])
    wanted = {f"schemas/{table.replace('.', '/')}.yaml" for table in (A, MONTH)}
    files = {name: text.replace("owner: tests", "owner: tests\nfreshness: 2d") if name in wanted else text
             for name, text in files.items()}  # fmt: skip
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "mine", files)))


def test_a_cleaned_table_is_as_fresh_as_its_newest_delivery_in_force(lake: Lake) -> None:
    now = datetime.now(UTC)
    assert freshness(lake, A, now) == "stale: nothing has come, wanted every 2d"
    number = deliver(lake, A, "a.csv", csv([("m", "2025-01-01", 2, "x")]))
    assert freshness(lake, A, now + timedelta(days=1, hours=23)).startswith("fresh: newest of ")
    assert freshness(lake, A, now + timedelta(days=2, hours=1)).startswith("stale: newest of ")
    land.withdraw(lake, number, "wrong")
    assert freshness(lake, A, now) == "stale: nothing has come, wanted every 2d"


def test_a_derived_table_is_as_fresh_as_its_build_and_no_one_asks_a_table_without_an_age(lake: Lake, spark: Any) -> None:
    deliver(lake, A, "a.csv", csv([("m", "2025-01-01", 2, "x")]))
    now = datetime.now(UTC)
    building.build(lake, spark, f"{A}+")
    assert freshness(lake, MONTH, now + timedelta(days=1)).startswith("fresh: newest of ")
    assert freshness(lake, MONTH, now + timedelta(days=3)).startswith("stale: newest of ")
    assert freshness(lake, PEAK, now + timedelta(days=3)) == ""
