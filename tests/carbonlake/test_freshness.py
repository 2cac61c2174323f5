"""`carbonlake freshness` tells a scheduler by its exit code that a table is older than its contract wants it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from carbonlake.cli import app
from jobs import land
from jobs.lake import Lake

TABLE = "cleaned.owid_co2"  # wanted every 400 days


@pytest.mark.parametrize(("days", "code", "state"), [(1, 0, "fresh: newest of"), (500, 1, "stale: newest of")])
def test_a_stale_table_ends_with_one_and_a_source_that_nobody_uses_does_not(
    days: int, code: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(land, "_now", lambda: datetime.now(UTC) - timedelta(days=days))
    monkeypatch.setenv("CARBONLAKE_LAKE", str(tmp_path / "lake"))
    (tmp_path / "a.csv").write_text("country,year\nChina,2020\n")
    land.land(Lake(tmp_path / "lake").init(), tmp_path / "a.csv", TABLE)
    done = CliRunner().invoke(app, ["--json", "freshness"])
    found = {row["table"]: row["state"] for row in json.loads(done.stdout)}
    assert found.pop(TABLE).startswith(state) and done.exit_code == code
    assert found and all(other.startswith("stale: nothing has come") for other in found.values())
