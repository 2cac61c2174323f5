"""Telling others what happened: START, COMPLETE and FAIL of every build."""

from __future__ import annotations

from jobs.cleaned import Made
from jobs.lake import Lake
from jobs.ops import Ops
from jobs.outcome import Job, Outcome
from lineage.columns import Lineage
from schemas.contract import Contract


def started(job: Job, ops: Ops) -> None:
    """Tell that a build began."""


def lineage(job: Job, made: Made, found: Lineage | None, ops: Ops) -> None:
    """Keep which columns came from which."""


def tell(lake: Lake, contract: Contract, outcome: Outcome, ops: Ops, engine: str) -> None:
    """Tell how a build ended."""
