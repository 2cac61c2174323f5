"""What stands out in a build is kept beside the table, listed, and shown on a page."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from carbonlake.cli import app
from jobs.lake import Lake
from jobs.reporting import outliers, write_report
from tests.jobs import building


def test_what_stands_out_is_kept_listed_and_shown_on_a_page(
    lake: Lake, spark: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = building.FLOW % {"write": "merge", "key": "meter, day", "period": ""}
    rule = "  - {rule: rate_of_change, column: mass_t, limit: 0.5, by: [meter], columns: [day]}\n"
    files = {"schemas/cleaned/flow_merge.yaml": text.replace("rules:\n", f"rules:\n{rule}")}
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "p", files)))
    table = "cleaned.flow_merge"
    building.deliver(lake, table, "a.csv", building.csv([("m", "2025-01-01", 1, "x"), ("m", "2025-01-02", 9, "x")]))
    ended = building.build(lake, spark, table)[table]
    assert (ended.status, ended.counts.written) == ("built", 2)
    assert ended.warnings == ("rate_of_change_mass_t: 1 values of mass_t stand out, e.g. 9 after 1 at meter=m, day=2025-01-02",)
    kept = {"table": table, "rule": "rate_of_change_mass_t", "row": "meter=m, day=2025-01-02", "value": 9.0, "usual": 1.0,
            "score": 8.0}  # fmt: skip
    assert outliers(lake) == outliers(lake, table) == [kept]
    told = CliRunner().invoke(app, ["--lake", str(lake.root), "--json", "quality", "outliers", table])
    assert told.exit_code == 0 and "meter=m, day=2025-01-02" in told.output
    first = write_report(lake, tmp_path / "pages")
    assert 'href="outliers.html"' in first.read_text(encoding="utf-8")
    assert "meter=m, day=2025-01-02" in (first.parent / "outliers.html").read_text(encoding="utf-8")
    building.deliver(lake, table, "b.csv", building.csv([("m", "2025-01-02", 1.2, "x")]))
    building.build(lake, spark, table)
    assert outliers(lake) == [], "what was corrected stands out no more"
