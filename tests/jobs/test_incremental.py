"""Whatever comes in whatever order, tables built step by step equal a full rebuild, and a model of twenty lines."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jobs import land
from jobs.lake import Lake
from tests.jobs import building
from tests.jobs.building import WRITES

DAYS = ("2025-01-01", "2025-01-02", "2025-02-01", "2025-03-01")
Line = tuple[str, str, int, str]
Place = tuple[int, int]
line = st.tuples(st.sampled_from("mno"), st.sampled_from(DAYS), st.sampled_from([3, 12, -1, 4]), st.sampled_from("xy"))
content = st.lists(line, min_size=1, max_size=6)
step = st.tuples(
    st.sampled_from(["land", "land", "land", "again", "withdraw"]), st.sampled_from(["a", "b"]), st.integers(0, 2), st.booleans()
)
CHANCE = settings(
    max_examples=4, derandomize=True, deadline=None, database=None, phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@dataclass
class Model:
    """What the tables should hold: receipts by id, each with its name and lines, and those withdrawn."""

    write: str
    receipts: dict[int, tuple[str, list[Line]]] = field(default_factory=dict)

    def judge(self) -> tuple[dict[Place, Line], dict[Place, str]]:
        """Return the rows that stand and the rows that wait, by delivery and line."""
        newest = {name: number for number, (name, _) in self.receipts.items()}
        stands: dict[Place, Line] = {}
        waits: dict[Place, str] = {}
        for number, (name, lines) in self.receipts.items():
            if self.write == "replace" and newest[name] != number:
                continue
            rows = {(number, place): row for place, row in enumerate(lines, 2)}
            waits |= {place: "at_least_mass_t" for place, row in rows.items() if row[2] < 0}
            rows = {place: row for place, row in rows.items() if row[2] >= 0}
            if self.write != "append":
                values = defaultdict(set)
                for row in rows.values():
                    values[row[:2]].add(row)
                waits |= {place: "duplicate_key" for place, row in rows.items() if len(values[row[:2]]) > 1}
                rows = {row: place for place, row in reversed(rows.items()) if place not in waits}  # type: ignore[misc]
                rows = {place: row for row, place in rows.items()}  # type: ignore[misc]
            by = {"merge": slice(0, 2), "period": slice(1, 2)}.get(self.write, slice(0, 0))
            fresh = {row[by] for row in rows.values()} - {()}
            stands = {place: row for place, row in stands.items() if row[by] not in fresh} | rows
        return stands, waits

    def state(self) -> dict[str, Any]:
        """Return rows and quarantine of the three tables."""
        stands, waits = self.judge()
        sums: dict[str, list[Decimal]] = defaultdict(list)
        peaks: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for meter, day, mass, _ in stands.values():
            sums[day[:7]].append(Decimal(mass))
            peaks[meter, day[:7]] = max(peaks[meter, day[:7]], Decimal(mass))
        return {
            "rows": sorted((*row[:2], Decimal(row[2]), row[3], row[1][:7], *place) for place, row in stands.items()),
            "waits": sorted((*place, rule, dict(zip(("meter", "day", "t", "label"), map(str, self.at(place)), strict=True)))
                            for place, rule in waits.items()),
            "months": sorted((month, sum(masses), len(masses)) for month, masses in sums.items()),
            "peaks": sorted((*at, mass) for at, mass in peaks.items() if mass <= 10),
            "high": sorted("/".join(at) for at, mass in peaks.items() if mass > 10),
        }  # fmt: skip

    def at(self, place: Place) -> Line:
        return self.receipts[place[0]][1][place[1] - 2]


def state(lake: Lake, write: str) -> dict[str, Any]:
    """Return the same of the tables as they stand."""
    cleaned, month, peak = tables(write)
    waiting = [(d, int(w), rules, json.loads(raw)) for d, w, rules, raw in building.aside(lake, cleaned)]
    return {
        "rows": sorted((m, str(day), t, label, str(month)[:7], *place) for m, day, t, label, month, *place
                       in building.rows(lake, cleaned)),
        "waits": sorted((d, w, rules, {k: v for k, v in raw.items() if not k.startswith("_")}) for d, w, rules, raw in waiting),
        "months": sorted((str(month)[:7], t, n) for month, t, n in building.rows(lake, month)),
        "peaks": sorted((m, str(month)[:7], t) for m, month, t in building.rows(lake, peak)),
        "high": sorted(locator[:-3] for _, locator, _, _ in building.aside(lake, peak)),
    }  # fmt: skip


def tables(write: str) -> tuple[str, str, str]:
    return f"cleaned.flow_{write}", f"thematic.flow_{write}_month", f"thematic.flow_{write}_peak"


# Two tables, one below the other; only of the first does the partition pass through unchanged.
BOTH = """
description: Flow of two tables
owner: tests
inputs: {one: cleaned.flow_merge, other: cleaned.flow_period}
key: [which, meter, day]
partition_by: [month]
columns:
  which: {type: string, description: Table}
  meter: {type: string, description: Meter}
  day: {type: date, description: Day}
  mass_t: {type: "decimal(28,6)", unit: t, description: Mass}
  month: {type: date, description: Month}
balance: [mass_t]
"""
STACKED = '''"""Flow of two tables."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def transform(one: DataFrame, other: DataFrame) -> DataFrame:
    """Return the rows of both."""
    names = ["meter", "day", "mass_t"]
    first = one.select(F.lit("one").alias("which"), *names, "month")
    return first.unionByName(other.select(F.lit("other").alias("which"), *names, F.trunc("day", "month").alias("month")))
'''
# The other branch has a month of its own, which no column of an input tells.
MARKED = STACKED.replace('F.trunc("day", "month")', 'F.lit("2025-01-01").cast("date")')


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Lay the project over the shipped one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path_factory.mktemp("flows"), building.flows())))
        yield


MODES: dict[str, set[tuple[str, str]]] = defaultdict(set)


@pytest.mark.parametrize("write", WRITES)
def test_building_step_by_step_equals_a_full_rebuild(spark: Any, write: str) -> None:
    """Late, repeated, corrected, withdrawn, reverted and out of order; with builds in between or not."""

    @CHANCE
    @given(contents=st.lists(content, min_size=3, max_size=3), steps=st.lists(step, min_size=4, max_size=6))
    def holds(contents: list[list[Line]], steps: list[tuple[str, str, int, bool]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            lake, model = Lake(Path(folder) / "lake").init(), Model(write)
            for number, (what, name, which, built) in enumerate(steps):
                act(lake, model, what, name, contents[which])
                if built or not number:
                    demand(lake, model, spark)
            demand(lake, model, spark)
            building.build(lake, spark, f"{tables(write)[0]}+", force=True)
            assert state(lake, write) == model.state()

    holds()
    modes = {mode for table, mode in MODES[write] if table == tables(write)[0]}
    assert modes == {"replace": {"whole"}, "append": {"whole", "append"}}.get(write, {"whole", "partitions"})
    assert (tables(write)[2], "partitions") in MODES[write] or write == "replace"


def act(lake: Lake, model: Model, what: str, name: str, lines: list[Line]) -> None:
    """Land some lines (or what was landed last under the name) or withdraw the oldest receipt of a name."""
    cleaned = tables(model.write)[0]
    mine = [number for number, (other, _) in model.receipts.items() if other == name]
    if what == "withdraw" and mine:
        land.withdraw(lake, mine[0], "drawn")
        del model.receipts[mine[0]]
        return
    if model.write == "replace":  # files of two names that share a key are no table; see test_cleaned
        lines = [(name + meter, *rest) for meter, *rest in lines]
    lines = model.receipts[mine[-1]][1] if what == "again" and mine else lines
    number = building.deliver(lake, cleaned, f"{name}.csv", building.csv(lines))
    if number not in model.receipts:
        model.receipts[number] = (name, lines)


def demand(lake: Lake, model: Model, spark: Any) -> None:
    """Build what changed, and demand that the tables are what the model says."""
    for table, ended in building.build(lake, spark, f"{tables(model.write)[0]}+").items():
        assert ended.status in ("built", "skipped", "waiting"), ended.reason
        if ended.status == "built":
            MODES[model.write].add((table, ended.mode))
    assert state(lake, model.write) == model.state()


@pytest.mark.parametrize("transform", [STACKED, MARKED], ids=["by no partition", "by one of its own"])
def test_a_union_that_takes_rows_of_an_input_otherwise_is_made_whole(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transform: str
) -> None:
    stack = {"schemas/thematic/both.yaml": BOTH, "layers/thematic/both.py": transform}
    project = building.lay(tmp_path / "flows", building.flows(["merge", "period"]) | stack)
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(project))
    lake = Lake(tmp_path / "lake").init()
    lines: list[Line] = [("m", "2025-01-01", 3, "x"), ("m", "2025-02-01", 3, "x")]
    building.deliver(lake, "cleaned.flow_period", "a.csv", building.csv(lines))
    for delivery in (lines, [("m", "2025-02-01", 5, "x")]):
        building.deliver(lake, "cleaned.flow_merge", f"{len(delivery)}.csv", building.csv(delivery))
        ended = building.build(lake, spark, "+thematic.both")["thematic.both"]
        assert (ended.status, ended.mode) == ("built", "whole"), ended.reason
    assert [int(mass) for (mass,) in building.rows(lake, "thematic.both", "mass_t")] == [3, 3, 3, 5]
