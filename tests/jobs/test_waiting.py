"""What is built before its inputs waits for them; a source for which nothing ever came is an empty table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs.lake import Lake
from tests.jobs import building

FLOW, MONTHS, GROUND = "cleaned.flow_merge", "thematic.flow_merge_month", "cleaned.meter"
METER = """
description: Meters
owner: tests
source: {zone: meters, path: "*.csv", format: csv, publisher: us, licence: CC0-1.0}
key: [meter]
columns:
  meter: {type: string, description: Meter}
"""
LOOKED_UP = "  - {rule: reference, columns: [meter], table: cleaned.meter, else: warn}\nbalance"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay a project over the shipped one whose flow looks its meters up in another source."""
    files = building.flows(["merge"])
    files["schemas/cleaned/flow_merge.yaml"] = files["schemas/cleaned/flow_merge.yaml"].replace("balance", LOOKED_UP)
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "p", files | {"schemas/cleaned/meter.yaml": METER})))


def test_a_table_waits_for_an_input_that_has_deliveries_but_was_never_built(lake: Lake, spark: Any) -> None:
    building.deliver(lake, FLOW, "a.csv", building.csv([("m", "2025-01-01", 1, "x")]))
    (ended,) = building.build(lake, spark, MONTHS).values()
    assert ended.status == "waiting" and f"its input {FLOW} was never built" in ended.reason and f"+{MONTHS}" in ended.reason
    assert not ended.usable and not building.rows(lake, MONTHS)


def test_a_table_is_made_from_nothing_where_nothing_ever_came(lake: Lake, spark: Any) -> None:
    assert building.build(lake, spark, MONTHS)[MONTHS].status == "built"
    assert building.rows(lake, MONTHS) == []


def test_a_source_that_is_only_looked_into_need_not_have_come(lake: Lake, spark: Any) -> None:
    building.deliver(lake, FLOW, "a.csv", building.csv([("m", "2025-01-01", 1, "x")]))
    ended = building.build(lake, spark, FLOW)[FLOW]
    assert ended.status == "built" and any("reference" in warning for warning in ended.warnings)
    assert lake.open(GROUND) is not None
