"""The worked examples that a domain expert computed, and how a row of them is judged."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Golden:
    """One worked example: inputs, the expected figures, and how far off a result may be."""

    id: str
    function: str
    description: str
    given: dict[str, Any]
    expect: dict[str, Any]
    tolerance: str

    def judge(self, got: Mapping[str, Any]) -> float:
        """Return the worst difference as a share of the tolerance; raise AssertionError beyond it or if one lacks."""
        assert set(got) >= set(self.expect), f"{self.id}: {sorted(self.expect)} expected, got {sorted(got)}"
        return max(self._share(key, want, have) for key in self.expect
                   for want, have in zip(_list(self.expect[key]), _list(got[key]), strict=True))  # fmt: skip

    def _share(self, key: str, want: float, have: float) -> float:
        kind, limit = self.tolerance.split()
        allowed = float(limit) * (abs(want) if kind == "rel" else 1.0)
        assert abs(want - have) <= allowed, f"{self.id} {key}: expected {want}, got {have}, allowed ±{allowed}"
        return abs(want - have) / allowed


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def golden(shared: Path) -> list[Golden]:
    """Return the worked examples of accounting and factors."""
    with (shared / "domain/golden.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["topic"] in ("accounting", "factors")]
    return [Golden(r["id"], r["function"], r["description"], json.loads(r["inputs_json"]),
                   json.loads(r["expected_json"]), r["tolerance"]) for r in rows]  # fmt: skip
