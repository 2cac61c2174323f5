"""What a comparison found: one row of the published table, with the runs it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.side import Run


@dataclass(frozen=True)
class Setting:
    """How to measure: where data and lakes lie, which share of the rows, how many repeats."""

    cache: Path
    scale: float
    repeats: int

    def rows(self, full: int) -> int:
        """Return the number of rows at this scale, at least a year of ten meters."""
        return max(87_600, int(full * self.scale))


@dataclass(frozen=True)
class Row:
    """One line of the table: `value` is compared with `goal` and `least`; smaller is better unless `more` is set."""

    work: str
    against: str
    value: float
    goal: float | None
    least: float
    unit: str = "×"
    more: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """Return `goal`, `least` or `missed`."""
        if self.goal is not None and self._meets(self.goal):
            return "goal"
        return "least" if self._meets(self.least) else "missed"

    def _meets(self, limit: float) -> bool:
        return self.value >= limit if self.more else self.value <= limit


@dataclass(frozen=True)
class Result:
    """The rows of one case and everything that was measured for them."""

    case: str
    rows: tuple[Row, ...]
    equal: str
    runs: dict[str, Any] = field(default_factory=dict)


def seconds(runs: Sequence[Run]) -> float:
    """Return the median seconds of whole processes."""
    return median(run.seconds for run in runs)


def said(runs: Sequence[Run], *names: str) -> float:
    """Return the median of what processes said of themselves, the named seconds added up."""
    return float(median(sum(run.says[name] for name in names) for run in runs))


def peak(runs: Sequence[Run]) -> float:
    """Return the largest memory of the runs, in GiB."""
    return max(run.peak for run in runs) / 2**30


def as_json(**sides: Sequence[Run]) -> dict[str, Any]:
    """Return the runs of each side."""
    return {name: [run.as_json() for run in runs] for name, runs in sides.items()}
