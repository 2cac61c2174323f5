"""What tests of jobs share: an empty lake."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Return a new lake, in a folder whose name has a blank and Chinese in it."""
    return Lake(tmp_path / "lake 湖").init()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay a project of two cleaned tables over the shipped one: `cleaned.tube` (zone tubes) and `cleaned.pump`."""
    folder = tmp_path / "project" / "schemas" / "cleaned"
    folder.mkdir(parents=True)
    (folder / "tube.yaml").write_text(TUBE)
    (folder / "pump.yaml").write_text(TUBE.replace("zone: tubes, path: flow/*.csv", "zone: pumps, path: '*.csv'"))
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(tmp_path / "project"))
    return folder


TUBE = """
description: Flow through tubes
owner: tests
source: {zone: tubes, path: flow/*.csv, format: csv, publisher: Tube office, licence: CC-BY-4.0}
key: [number]
partition_by: [part]
columns:
  number: {type: bigint, description: Number}
  part: {type: string, description: Part}
  mass_t: {type: "decimal(28,6)", unit: t, description: Mass}
  label: {type: string, description: Label}
balance: [mass_t]
retention: 1h
"""
