"""The difference of two versions is told in rows by key, and in what it does to each balanced measure."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from jobs import commit, maintain
from jobs.diff import Effect, diff
from jobs.lake import Lake
from schemas.contracts import contract
from schemas.errors import UserError

TUBE = "cleaned.tube"
pytestmark = pytest.mark.usefixtures("project")


def put(lake: Lake, masses: dict[int, str | None], label: str = "x", delivery: int = 1) -> int:
    """Let the table hold these masses by number."""
    rows = pa.table({
        "number": pa.array(list(masses), pa.int64()), "part": pa.array(["a" if n % 2 else "b" for n in masses], pa.string()),
        "mass_t": pa.array([Decimal(m) if m else None for m in masses.values()], pa.decimal128(28, 6)),
        "label": pa.array([label] * len(masses), pa.string()), "_delivery": pa.array([delivery] * len(masses), pa.int64()),
    })  # fmt: skip
    return commit.replace_rows(lake, contract(TUBE), rows, f"r{random.random()}")


def test_rows_are_told_apart_by_key_and_their_effect_on_a_measure_adds_up(lake: Lake) -> None:
    put(lake, {1: "1", 2: "2", 3: "3", 4: None})
    put(lake, {1: "1", 2: "2.5", 5: "7", 4: "1"})
    found = diff(lake, TUBE)
    assert (found.versions, found.added, found.removed, found.changed) == ((1, 2), 1, 1, 2)
    (effect,) = found.effects
    assert effect == Effect("mass_t", "t", Decimal(6), Decimal("11.5"), Decimal(7), Decimal(-3), Decimal("1.5"))
    assert effect.after - effect.before == effect.added + effect.removed + effect.changed
    shown = {row["number"]: (row["_change"], row["mass_t before"], row["mass_t after"]) for row in found.rows.to_pylist()}
    assert shown[2] == ("changed", Decimal(2), Decimal("2.5")) and shown[3] == ("removed", Decimal(3), None)


def test_the_same_values_from_another_delivery_are_no_difference(lake: Lake) -> None:
    put(lake, {1: "1"}, delivery=1)
    put(lake, {1: "1"}, delivery=2)
    found = diff(lake, TUBE)
    assert (found.added, found.removed, found.changed) == (0, 0, 0)


def test_a_compaction_is_no_difference(lake: Lake) -> None:
    for number in range(9):
        rows = pa.table({"number": [number], "part": ["a"]})
        commit.append_rows(lake, contract(TUBE), rows, "r")
    assert maintain.compact(lake, TUBE) == (9, 1)
    found = diff(lake, TUBE)
    assert (found.added, found.removed, found.changed, found.rows.num_rows) == (0, 0, 0, 0)


@pytest.mark.parametrize("seed", range(3))
def test_any_two_versions_differ_as_their_rows_do(lake: Lake, seed: int) -> None:
    pick = random.Random(seed)
    before, after = ({n: str(pick.randint(1, 3)) for n in pick.sample(range(12), 8)} for _ in range(2))
    put(lake, before)
    put(lake, after)
    found = diff(lake, TUBE, 1, 2)
    both = before.keys() & after.keys()
    assert (found.added, found.removed) == (len(after.keys() - both), len(before.keys() - both))
    assert found.changed == sum(before[n] != after[n] for n in both)
    assert found.effects[0].after == sum(map(int, after.values()))


def test_without_a_key_rows_come_and_go_as_often_as_they_occur(lake: Lake, project: Path) -> None:
    (project / "pump.yaml").write_text((project / "tube.yaml").read_text().replace("key: [number]", ""))
    contracts_without_key = contract("cleaned.pump")
    assert contracts_without_key.key == ()
    for number, masses in enumerate((["1", "1", "2"], ["1", "2", "2", "3"])):
        rows = pa.table({
            "number": [7] * len(masses), "part": ["a"] * len(masses),
            "mass_t": pa.array(map(Decimal, masses), pa.decimal128(28, 6)),
        })  # fmt: skip
        commit.replace_rows(lake, contracts_without_key, rows, f"run {number}")
    found = diff(lake, "cleaned.pump")
    assert (found.added, found.removed, found.changed) == (2, 1, 0)
    (effect,) = found.effects
    assert (effect.before, effect.after, effect.added, effect.removed) == (4, 8, 5, -1)


def test_a_version_that_is_not_there_is_named(lake: Lake) -> None:
    put(lake, {1: "1"})
    with pytest.raises(UserError, match="no version 7"):
        diff(lake, TUBE, 0, 7)


def test_the_first_version_has_nothing_before_it(lake: Lake) -> None:
    lake.create(contract(TUBE))
    with pytest.raises(UserError, match="no earlier version"):
        diff(lake, TUBE)
