"""The factor library is found in both languages, compared in one unit, and a new version is weighed before it is accepted."""

from __future__ import annotations

import csv
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jobs import factors, land
from jobs.factor_impact import impact
from jobs.factors import Wanted
from jobs.lake import Lake
from jobs.query import sql
from jobs.run import run
from jobs.session import Engine
from schemas.contracts import contract
from schemas.errors import UserError
from schemas.rooms import SHIPPED

GRID = SHIPPED / "samples/deliveries/factors/grid/grid_factors.csv"


@pytest.fixture(scope="module")
def lake(demo_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Return a copy of the demo's lake."""
    target = tmp_path_factory.mktemp("factors") / "lake"
    shutil.copytree(demo_lake, target)
    return Lake(target)


def _found(lake: Lake, *words: str, **given: Any) -> set[str]:
    return {row["factor_id"] for row in factors.search(lake, Wanted(words, **given))}


def test_words_of_either_language_find_the_same_factor(lake: Lake) -> None:
    carbon = (("role", "cc"),)
    assert _found(lake, "柴油", exact=carbon) == _found(lake, "Diesel", exact=carbon)
    assert "IPCC2006|柴油|fuel_diesel|cc|CO2" in _found(lake, "柴油", "ipcc", exact=carbon)
    assert _found(lake, "柴油", "nothing of this name") == set()


def test_what_was_in_force_and_what_was_known_are_two_questions(lake: Lake) -> None:
    of_2023 = "grid|average|province|110000|2023"
    asked = (("region_code", "110000"), ("library", "MEE"))
    assert _found(lake, exact=asked, on=date(2023, 6, 30)) == {of_2023}
    assert _found(lake, exact=asked, on=date(2023, 6, 30), known=date(2025, 12, 30)) == set()
    assert _found(lake, exact=asked, on=date(2023, 6, 30), known=date(2025, 12, 31)) == {of_2023}


def test_sets_are_compared_in_one_unit(lake: Lake) -> None:
    rows = factors.compare(lake, Wanted(("fuel_bituminous_coal",), (("role", "cc"),)))
    assert [(row["factor_set"], round(row["times"], 6)) for row in rows] == [
        ("ETS_SECTOR", 1), ("IPCC2006", 1.117851), ("NDRC_GENERAL", 1.134315)]  # fmt: skip


def test_a_factor_is_followed_through_the_years(lake: Lake) -> None:
    rows = factors.history(lake, Wanted((), (("region_code", "CHN"), ("factor_set", "grid_average"), ("library", "MEE"))))
    years = {row["valid_from"].year: (row["value"], row["change_percent"]) for row in rows}
    # The announcement of the factors of 2022 says that the nation's fell by 3.6 %.
    assert (years[2022][0], round(years[2022][1], 1)) == (0.5366, -3.6)


def test_what_is_exported_lands_again_as_it_was(lake: Lake, spark: Any, tmp_path: Path) -> None:
    assert factors.export(lake, Wanted((), (("library", "IPCC2006"), ("factor_set", "IPCC2006"))), tmp_path / "mine.csv") > 90
    other = Lake(tmp_path / "lake").init()
    land.land(other, tmp_path / "mine.csv", "cleaned.library_factor")
    (outcome,) = run(other, Engine("sail", spark), ["cleaned.library_factor"])
    assert (outcome.status, outcome.counts.set_aside) == ("built", 0)
    names = ", ".join(name for name, one in contract("cleaned.library_factor").columns.items() if not one.derive)
    asked = f"select {names} from cleaned.library_factor where factor_set = 'IPCC2006' order by all"
    assert sql(other, asked).to_pylist() == sql(lake, asked).to_pylist()
    with pytest.raises(UserError, match="nobody knows how to write"):
        factors.export(lake, Wanted(), tmp_path / "mine.doc")


def test_a_new_version_is_weighed_to_the_tonne_that_accepting_it_then_moves(lake: Lake, spark: Any, tmp_path: Path) -> None:
    with GRID.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    changed = [row | {"value": str(round(float(row["value"]) * 1.1, 6))} if row["kind"] == "average" else row for row in rows]
    new = tmp_path / "grid" / GRID.name
    new.parent.mkdir()
    with new.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(changed)
    asked = "select book, year, sum(emission_tco2e) as t from business.emission_year group by book, year order by book, year"
    before, head = sql(lake, asked).to_pylist(), lake.open("knowledge.factor")
    assert head is not None
    engine = Engine("sail", spark)
    told = impact(lake, engine, lambda name: _opened(engine), str(new), "cleaned.grid_factor", first=3)
    assert sql(lake, asked).to_pylist() == before
    assert told["factors"] == {"new": 0, "gone": 0, "changed": sum(row["kind"] == "average" for row in rows)}
    assert told["unresolved"]["before"] == told["unresolved"]["after"]
    moved = {(one["book"], one["year"]): one for one in told["totals"]}
    assert moved and all(one["difference"] > 0 for one in moved.values())
    assert len(told["lines"]) == 3
    land.land(lake, new, "cleaned.grid_factor")
    run(lake, engine, ["cleaned.grid_factor+"])
    now = {(one["book"], one["year"]): one["t"] for one in sql(lake, asked).to_pylist()}
    assert {key: one["after"] for key, one in moved.items()} == {key: now[key] for key in moved}
    assert [one for one in before if (one["book"], one["year"]) not in moved] == [
        one for one in sql(lake, asked).to_pylist() if (one["book"], one["year"]) not in moved]  # fmt: skip
    back = impact(lake, engine, lambda name: _opened(engine), f"knowledge.factor@{head.version()}", "", first=3)
    assert {(one["book"], one["year"]): one["after"] for one in back["totals"]} == {
        (one["book"], one["year"]): one["t"] for one in before if (one["book"], one["year"]) in moved}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "source", "what"),
    [("no/such.csv", "", "no such file"), ("business.emission@0", "", "no factor is made from"),
     ("knowledge.factor@99", "", "99")],
)  # fmt: skip
def test_what_cannot_be_weighed_is_refused(lake: Lake, spark: Any, given: str, source: str, what: str) -> None:
    engine = Engine("sail", spark)
    with pytest.raises(UserError, match=what):
        impact(lake, engine, lambda name: _opened(engine), given, source)


def _opened(engine: Engine) -> Any:
    from contextlib import nullcontext

    return nullcontext(engine)
