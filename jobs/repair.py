"""What killed runs left untold: the next run takes their strays away and writes down how they ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs import maintain, telling
from jobs.deltalog import commit_of, find_run
from jobs.lake import Lake, alive
from jobs.ops import Ops
from jobs.outcome import Counts, Job, Outcome, began
from schemas.contracts import contracts

DIED = "its process ended in mid-build; nothing was published"
PUBLISHED = "was published, and its process ended before it could say so"


def mend(lake: Lake, ops: Ops, engine: str) -> None:
    """Sweep what dead runs left, and give each build among them its row in ops.run."""
    for run, table in maintain.swept(lake):
        if table not in contracts() or ops.knows(run):
            continue
        head = lake.open(table)
        version = find_run(head, run) if head else None
        if head and version is not None:
            ops.outcome(_published(table, {**commit_of(head, version), "version": version}), engine)
            continue
        died = Outcome(table, run, "failed", DIED, started_at=began(run))
        ops.outcome(died, engine)
        telling.ended(lake, contracts()[table], died, ops, engine)


def untold(job: Job, ops: Ops) -> Outcome | None:
    """Return the build that made a table what it is, where it was killed before ops.run knew of it."""
    run, process = job.note.get("run"), job.note.get("process")
    # The dead have written all they will: what is read after that is the last word.
    if not run or (process and alive(process)) or ops.knows(run):
        return None
    return _published(job.contract.table, job.note)


def _published(table: str, note: Mapping[str, Any]) -> Outcome:
    counts = Counts(**note.get("counts", {}))
    return Outcome(table, note["run"], "repaired", PUBLISHED, note.get("mode", "whole"), counts, version=note["version"],
                   started_at=began(note["run"]), note=dict(note))  # fmt: skip
