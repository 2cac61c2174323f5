"""One delivery built twice: its rows written at once, and made by the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs import direct, land, quarantine
from jobs.lake import Lake
from jobs.outcome import Outcome
from tests.jobs import building


def both_ways(folder: Path, delivery: Path, table: str, spark: Any) -> tuple[Lake, Lake, Outcome]:
    """Build one lake at once and one by the engine; both count and warn alike."""
    lakes = []
    for name, swift in (("at_once", True), ("by_engine", False)):
        lake = Lake(folder / name).init()
        land.land(lake, delivery, table)
        with pytest.MonkeyPatch.context() as way:
            if not swift:
                way.setattr(direct, "plain", lambda contract: False)
            outcome = building.build(lake, spark, table)[table]
        assert outcome.status == "built", outcome.reason
        lakes.append((lake, outcome))
    (one, first), (other, second) = lakes
    assert first.counts == second.counts and first.warnings == second.warnings
    return one, other, first


def waiting(lake: Lake, table: str) -> list[tuple[Any, ...]]:
    """Return the rows in quarantine: place, rules, raw text."""
    return sorted((row["locator"], row["rules"], row["raw"]) for row in quarantine.listed(lake, table))
