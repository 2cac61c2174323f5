"""Many small deliveries are read together, and nobody sees it: rows, quarantine, balance and trace are those of each alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs import corrections, groups, land, trace
from jobs.deliveries import reading
from jobs.lake import Lake
from jobs.session import Engine
from schemas.errors import UserError
from tests.jobs import building
from tests.jobs.building import csv, deliver

TABLE = "cleaned.flow_merge"
JAN, FEB = "2025-01-05", "2025-02-05"
FILES = {
    "a.csv": csv([("a", JAN, 1, "x"), ("a", FEB, "much", "x")]),
    "b.csv": csv([("b", JAN, 2, "x"), ("b", FEB, 3, "x"), ("b", JAN)]),
    "c.csv": csv([("c", JAN, 4, '"x, y"')]),
    "bad.csv": bytes(50),
    "d.csv": csv([(JAN, "d", 5, "y")], head="day,meter,t,label"),
    "a2.csv": csv([("a", JAN, 6, "z")]),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path_factory.mktemp("flows"), building.flows(["merge"]))))
        yield


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "FEWEST", 2)


def _land(lake: Lake) -> None:
    for name, content in FILES.items():
        deliver(lake, TABLE, name, content)


def _build(lake: Lake, spark: Any, **options: Any) -> Any:
    return building.build(lake, spark, TABLE, **options)[TABLE]


def _together(lake: Lake) -> list[Path]:
    return sorted(lake.table_read_folder(TABLE).glob(f"{groups.PREFIX}*"))


def test_deliveries_read_together_make_the_table_that_each_alone_makes(
    lake: Lake, tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _land(lake)
    together = _build(lake, spark)
    assert len(_together(lake)) == 2  # by their headers
    monkeypatch.setattr(groups, "FEWEST", 99)
    other = Lake(tmp_path / "other").init()
    _land(other)
    alone = _build(other, spark)
    assert not _together(other)
    assert building.state(lake, [TABLE]) == building.state(other, [TABLE])
    assert together.counts == alone.counts and together.warnings == alone.warnings
    assert "delivery 4 (bad.csv) refused" in together.warnings[0]
    readings = [building.rows(one, "ops.reading", "delivery_id", "status", "rows", "rejected", "reason", "note")
                for one in (lake, other)]  # fmt: skip
    assert readings[0] == readings[1] and len(readings[0]) == len(FILES)


def test_one_of_a_group_is_withdrawn_or_sent_again_and_the_others_are_not_read_anew(lake: Lake, spark: Any) -> None:
    _land(lake)
    _build(lake, spark)
    before = _together(lake)
    land.withdraw(lake, 2, "wrong meter")
    assert _build(lake, spark).status == "built"
    assert {row[0] for row in building.rows(lake, TABLE, "meter")} == {"a", "c", "d"}
    assert {row[0] for row in building.aside(lake, TABLE)} == {1}
    deliver(lake, TABLE, "c.csv", csv([("c", JAN, 40, "x")]))
    _build(lake, spark)
    assert ("c", 40) in building.rows(lake, TABLE, "meter", "mass_t") and _together(lake) == before
    fresh = [row for row in building.rows(lake, "ops.reading", "delivery_id") if row[0] == 7]
    assert len(fresh) == 1


def test_a_row_of_a_group_is_corrected_and_traced_by_its_delivery_and_line(lake: Lake, spark: Any) -> None:
    _land(lake)
    _build(lake, spark)
    corrections.decide(lake, TABLE, (1, "3"), "release", {"t": "9"}, "ann", "typing error")
    with pytest.raises(Exception, match="row 3:3 is not there"):
        corrections.decide(lake, TABLE, (3, "3"), "release", {"t": "9"}, "ann", "line 3 is another delivery's")
    _build(lake, spark)
    assert ("a", 9) in building.rows(lake, TABLE, "meter", "mass_t")
    found = trace.trace(lake, Engine("sail", spark), TABLE, {"meter": "c", "day": JAN})
    assert '"file": "c.csv"' in repr(found).replace("'", '"') and "x, y" in repr(found)


def test_a_reading_that_is_lost_is_made_again_for_the_one_that_is_asked_for(lake: Lake, spark: Any) -> None:
    _land(lake)
    _build(lake, spark)
    first = reading(lake, TABLE, 1)
    assert first.name.startswith(groups.PREFIX) and reading(lake, TABLE, 3) == first
    first.rename(first.with_name("lost"))
    assert reading(lake, TABLE, 1).name == "00000001"


def test_an_outdated_group_is_put_away(lake: Lake, spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _land(lake)
    _build(lake, spark)
    old = _together(lake)
    monkeypatch.setattr("jobs.deliveries.reader", lambda format: "another reader")
    _build(lake, spark, force=True)
    assert len(_together(lake)) == len(old) and not set(_together(lake)) & set(old)
    assert not (lake.folder / "_staging").exists() or not list((lake.folder / "_staging").iterdir())


@pytest.mark.parametrize("fewest", [2, 99])
def test_what_was_refused_is_tried_again_by_a_forced_build(
    lake: Lake, spark: Any, monkeypatch: pytest.MonkeyPatch, fewest: int
) -> None:
    _land(lake)
    with monkeypatch.context() as broken:
        broken.setattr("jobs.deliveries.read_many", lambda format, requests: [_refusal()] * len(requests))
        broken.setattr(groups, "FEWEST", 99)
        assert len(_build(lake, spark).warnings) == len(FILES)
    monkeypatch.setattr(groups, "FEWEST", fewest)
    assert len(_build(lake, spark, force=True).warnings) == 1
    assert len(building.rows(lake, TABLE)) == 5


def _refusal() -> UserError:
    return UserError("the reader crashed", remedy="again")
