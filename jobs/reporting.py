"""The quality report: what the checks of the newest build of each table found, as pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jobs import integrity, query
from jobs.commit import last_commit
from jobs.lake import Lake
from quality.audit import Verdict
from schemas.contracts import contracts
from schemas.errors import UserError


def write_report(lake: Lake, folder: str | Path) -> Path:
    """Write the pages into a folder and return the one to open. Raise UserError where nothing was built yet."""
    if lake.open("ops.check") is None:
        raise UserError("nothing was built yet", where=str(lake.root), remedy="carbonlake run")
    # Great Expectations costs seconds and 300 MB to import: only here, never in a build.
    from quality.report import Judged, write

    runs = _runs(lake)
    listed = ", ".join(f"'{run}'" for run in runs) or "''"
    found = query.sql(
        lake,
        f"""
        select c.*, r.started_at from ops.check c join ops.run r using (run_id) where run_id in ({listed})""",
    ).to_pylist()
    tables: dict[str, Judged] = {}
    said = integrity.said(lake, list(runs.values()))
    for run, table in sorted(runs.items(), key=lambda item: item[1]):
        rows = [row for row in found if row["run_id"] == run]
        if rows:
            verdicts = [Verdict(*(row[name] for name in ("rule", "kind", "outcome", "failed", "rows", "passed", "detail")))
                        for row in rows]  # fmt: skip
            tables[table] = Judged(contracts()[table], verdicts, run, rows[0]["started_at"], said[table])
    return write(list(tables.values()), Path(folder), outliers(lake))


def outliers(lake: Lake, table: str | None = None) -> list[dict[str, Any]]:
    """Return the values that stood out in the newest build of each table, or of one, the furthest of each rule first."""
    runs = {run: name for run, name in _runs(lake).items() if table in (None, name)}
    if not runs or lake.open("ops.outlier") is None:
        return []
    listed = ", ".join(f"'{run}'" for run in runs)
    found: list[dict[str, Any]] = query.sql(
        lake,
        f"""
        select table_name as "table", rule, "row", value, usual, score from ops.outlier where run_id in ({listed})
        order by table_name, rule, score desc, "row" """,
    ).to_pylist()
    return found


def _runs(lake: Lake) -> dict[str, str]:
    """Return run → table of the build that each table shows."""
    found = {}
    for table in contracts():
        head = lake.open(table)
        run = last_commit(head).get("run") if head else None
        if run:
            found[str(run)] = table
    return found
