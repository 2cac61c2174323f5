"""What a build of one table was: the words its parts speak to each other in."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
from deltalake import DeltaTable

from jobs.commit import last_commit
from jobs.decisions import Decisions, decisions
from jobs.lake import Lake
from jobs.session import Engine
from schemas.contract import Contract
from schemas.migrations import changes

if TYPE_CHECKING:
    from jobs.energy import Use

Mode = Literal["whole", "partitions", "append"]
NO_DELIVERY = "no delivery has come yet"


@dataclass(frozen=True)
class Counts:
    """Rows of one build; they balance: came_in = written + set_aside + superseded."""

    came_in: int = 0
    written: int = 0
    set_aside: int = 0
    superseded: int = 0


@dataclass(frozen=True)
class Outcome:
    """How the build of a table ended."""

    table: str
    run_id: str
    status: Literal["built", "skipped", "failed", "waiting", "repaired"]
    reason: str = ""
    mode: Mode = "whole"
    counts: Counts = field(default_factory=Counts)
    seconds: float = 0.0
    version: int | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    note: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    use: Use | None = None
    kgco2: float | None = None

    @property
    def usable(self) -> bool:
        """Whether tables can be made from it; a source without a delivery is an empty table."""
        return self.status in ("built", "skipped", "repaired") or self.reason == NO_DELIVERY

    def after(self, seconds: float, use: Use) -> Outcome:
        """Return the outcome with the time it took, and what it used."""
        return replace(self, seconds=seconds, use=use)

    def priced(self, kgco2_per_kwh: float | None) -> Outcome:
        """Return the outcome with the CO2 of its energy, where that is known."""
        if self.use is None or kgco2_per_kwh is None:
            return self
        return replace(self, kgco2=self.use.kwh * kgco2_per_kwh)


@dataclass(frozen=True)
class Job:
    """One build of one table: what it works on, the version it rests on, and the note of the last build.

    `serving` gives the engine, which need not be opened for a table that has not changed. A `month`, e.g. 2026-01, is
    made anew where the table is made from others and partitioned by it.
    """

    lake: Lake
    serving: Callable[[], Engine]
    contract: Contract
    run_id: str
    head: DeltaTable
    note: dict[str, Any]
    recipe: str
    force: bool = False
    month: str = ""

    @property
    def engine(self) -> Engine:
        """The engine that makes the table."""
        return self.serving()

    @cached_property
    def decided(self) -> Decisions:
        """What people decided about rows of the table, read once: a build rests on one state of it."""
        return decisions(self.lake, self.contract.table)

    @cached_property
    def inputs(self) -> dict[str, DeltaTable]:
        """Handles on the inputs' versions of this build, kept for who reads them again."""
        return {}

    @property
    def version(self) -> int:
        """The version of the table that this build rests on."""
        return int(self.head.version())

    @property
    def staging(self) -> Path:
        """The folder that only this build writes to."""
        return self.lake.staging(self.run_id, self.contract.table)

    @property
    def same_recipe(self) -> bool:
        """Whether the way of making the table is as it was at the last build."""
        return not self.force and self.note.get("recipe") == self.recipe


def new_run() -> str:
    """Return the id of a new run, sortable by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def began(run_id: str) -> datetime:
    """Return when a run began, to the second."""
    return datetime.strptime(run_id[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def start(lake: Lake, serving: Callable[[], Engine], contract: Contract, recipe: str, force: bool, month: str = "") -> Job:
    """Open a build: make the table if it is not there, pin its version and read the last note.

    Raise UserError where the contract differs from what is published in a way that no migration declares.
    """
    head = lake.create(contract)
    # An added column is free. What is declared comes with the whole rebuild that a changed contract means anyway: the
    # commit that replaces the rows replaces the schema.
    changes(contract, pa.schema(head.schema().to_arrow()))
    return Job(lake, serving, contract, new_run(), head, last_commit(head), recipe, force, month)


def digest(numbers: Sequence[int]) -> str:
    """Return a short digest of delivery ids in order."""
    return hashlib.sha256(",".join(map(str, numbers)).encode()).hexdigest()[:16]
