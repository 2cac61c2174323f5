"""The level of the log: what a message promises to show is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import documents
from tests.jobs import building
from tests.jobs.building import csv

BROKEN = '''"""A transform with a defect."""


def transform(flow):
    """Divide by nothing."""
    return flow.limit(1 // 0)
'''


@pytest.mark.parametrize("level", ["debug", "warning"])
def test_the_trace_of_a_defect_is_shown_where_it_is_asked_for(tmp_path: Path, level: str) -> None:
    files = building.flows(["merge"]) | {"layers/thematic/flow_merge_month.py": BROKEN, "inbox/a.csv": csv([])}
    place = building.lay(tmp_path / "mine", files)
    command = ["env", f"CARBONLAKE_LOG_LEVEL={level}", "carbonlake", "--project", str(place)]
    documents.run([*command, "land", str(place / "inbox/a.csv"), "--source", "cleaned.flow_merge"], tmp_path)
    done = documents.run([*command, "run", "+thematic.flow_merge_month"], tmp_path)
    assert done.returncode == 1
    assert "CARBONLAKE_LOG_LEVEL=debug shows its trace" in done.stdout
    assert ("Traceback" in done.stderr and "flow.limit(1 // 0)" in done.stderr) == (level == "debug"), done.stderr
