"""A restatement calculates anew beside what is published, which stays as it is to the byte."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobs import links, maintain, query, release, variants
from jobs.compare import Side, compare, side
from jobs.figure import figure, known_on
from jobs.lake import Lake
from jobs.restate import INPUTS, dependent, restate
from jobs.run import run
from jobs.session import Engine
from jobs.trace import trace
from models.variant import Variant
from schemas.errors import UserError
from tests.ledgers import GRID, GWP, SUBJECT, ledger, put

NEWER = {**GRID, "factor_id": "newer", "value": 0.6, "known_from": "2025-06-01"}
AR6 = Variant(gwp_set="AR6")


def bytes_of(lake: Lake) -> dict[str, str]:
    """Return the digest of every file of a lake, its restatements and what is under way excepted."""
    return {str(path.relative_to(lake.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in lake.folder.rglob("*")
            if path.is_file() and path.relative_to(lake.folder).parts[0] not in ("_variants", "_staging")}  # fmt: skip


def lines(lake: Lake, table: str = "business.emission") -> list[tuple[Any, ...]]:
    found = query.sql(lake, f"select * from {table} order by all").to_pylist()
    return [(row["mass_t"], row["emission_tco2e"], row["gwp_set"]) for row in found]


def test_only_what_depends_on_a_variant_is_built() -> None:
    found = dependent()
    assert {"business.emission", INPUTS, "business.unresolved", "business.emission_year"} <= set(found)
    assert not [table for table in found if table.split(".")[0] in ("cleaned", "thematic", "knowledge")]


def test_another_set_is_calculated_beside_what_is_published(lake: Lake, spark: Any) -> None:
    ledger(lake, spark, also=[INPUTS])
    put(lake, "knowledge.factor", [*GWP[:1], {**GWP[1], "value": 3}, *GWP[2:], GRID])
    before, told = bytes_of(lake), lines(lake)
    ended = restate(lake, Engine("sail", spark), "ar6", AR6)
    assert bytes_of(lake) == before and lines(lake) == told == [(Decimal("0.5"), Decimal("0.5"), "AR5")]
    assert INPUTS not in [one.table for one in ended] and {one.status for one in ended} == {"built"}
    there = variants.opened(lake, "ar6")
    assert lines(there) == [(Decimal("0.5"), Decimal("1.5"), "AR6")]
    shared = list(there.folder.joinpath("thematic").rglob("*.parquet"))
    assert shared and all(path.stat().st_nlink > 1 for path in shared)
    assert [row["gwp"] for row in compare(lake, "now", "ar6").rows] == [1]


def test_a_restated_figure_is_traced_to_its_factors_without_their_table(lake: Lake, spark: Any) -> None:
    ledger(lake, spark)
    restate(lake, Engine("sail", spark), "ar6", AR6)
    found = trace(variants.opened(lake, "ar6"), Engine("sail", spark), "business.emission", {"activity_id": "a1"})
    assert {step.shown["factor_id"] for step in found.made_from if step.table == "knowledge.factor"} == {"grid", "CO2-AR6"}


def test_factors_of_a_version_and_of_a_day_give_the_figures_of_then(lake: Lake, spark: Any) -> None:
    ledger(lake, spark)
    release.create(lake, "first")
    ledger(lake, spark, factor=[NEWER])
    assert lines(lake)[0][1] == Decimal("0.6")
    restate(lake, Engine("sail", spark), "then", factors=1)
    assert lines(variants.opened(lake, "then"))[0][1] == Decimal("0.5")
    (row,) = compare(lake, "first", "now").rows
    assert (row["factor"], row["change"]) == (Decimal("0.1"), Decimal("0.1"))
    (row,) = compare(lake, "first", "then").rows
    assert row["change"] == 0


def test_a_figure_as_published_as_known_and_as_of_now_stands_side_by_side(lake: Lake, spark: Any) -> None:
    ledger(lake, spark)
    release.create(lake, "first")
    ledger(lake, spark, [{"quantity": 2000}], [GRID, NEWER])
    engine = Engine("sail", spark)
    sides = [side(lake, "first"), known_on(lake, engine, date(2024, 6, 1)), Side("now", lake)]
    rows = figure(lake, "business.emission_year", {"year": "2024"}, sides)
    assert [(row["state"], row["book"], row["emission_tco2e"]) for row in rows] == [
        ("first", "enterprise", Decimal("0.5")), ("known on 2024-06-01", "enterprise", Decimal(1)),
        ("now", "enterprise", Decimal("1.2"))]  # fmt: skip
    made = variants.restated(lake, "known-2024-06-01").made_at
    known_on(lake, engine, date(2024, 6, 1))
    assert variants.restated(lake, "known-2024-06-01").made_at == made
    ledger(lake, spark, [{"quantity": 4000}], [GRID, NEWER])
    (row,) = figure(lake, "business.emission_year", {"book": "enterprise"}, [known_on(lake, engine, date(2024, 6, 1))])
    assert row["emission_tco2e"] == 2


def test_a_figure_adds_up_within_what_its_contract_says_and_no_further(lake: Lake) -> None:
    one = {"book": "enterprise", "grain": "year", "period": "2024-01-01", "level": "total", "member": "all", "scope": 1,
           "category": "fuel", "activity_code": "coal", "gas": "CO2", "mass_t": 2, "emission_tco2e": 2, "lines": 1,
           "fallback_lines": 0, "coarser_lines": 0, "unresolved_rows": 0}  # fmt: skip
    put(lake, "business.emission_rollup", [one | {"level": level, "grain": grain} for level in ("total", "nation")
                                           for grain in ("year", "month")])  # fmt: skip
    rows = figure(lake, "business.emission_rollup", {"grain": "year"}, [Side("now", lake)])
    assert [(row["level"], row["emission_tco2e"]) for row in rows] == [("nation", 2), ("total", 2)]
    put(lake, "thematic.activity", [{"activity_id": str(n), "quantity": n, "unit": unit} for n, unit in ((1, "t"), (2, "kWh"))])
    rows = figure(lake, "thematic.activity", {}, [Side("now", lake)])
    assert [(row["unit"], row["quantity"]) for row in rows] == [("kWh", 2), ("t", 1)]
    year = {"book": "enterprise", "year": 2024, "subject_id": "s", "subject_from": "1900-01-01", "scope": 1, "category": "fuel",
            "mass_t": 1, "lines": 1, "fallback_lines": 0}  # fmt: skip
    put(lake, "business.emission_year", [year | {"gas": gas, "emission_tco2e": t} for gas, t in (("CO2", 1), ("CH4", 28))])
    (row,) = figure(lake, "business.emission_year", {}, [Side("now", lake)])
    assert row["emission_tco2e"] == 29 and "mass_t" not in row
    (row,) = figure(lake, "business.emission_year", {"gas": "CH4"}, [Side("now", lake)])
    assert row["mass_t"] == 1
    (row,) = figure(lake, "business.emission_year", {"year": "2023"}, [Side("now", lake)])
    assert row == {"state": "now", "book": None, "rows": 0, **dict.fromkeys(("emission_tco2e", "lines", "unrated_tco2e"))}
    open_ = {
        "activity_id": "a",
        "method_id": "",
        "reason": "no_method",
        "subject_id": "s",
        "activity_code": "coal",
        "quantity": 1,
    }
    put(lake, "business.unresolved", [open_ | {"date": f"{year}-01-01"} for year in (2023, 2024, 2024)])
    (row,) = figure(lake, "business.emission_year", {"year": "2024", "subject_id": "s"}, [Side("now", lake)])
    assert (row["emission_tco2e"], row["unresolved_activities"]) == (29, 2)
    (row,) = figure(lake, "business.emission_year", {"subject_id": "other"}, [Side("now", lake)])
    assert (row["emission_tco2e"], row["unresolved_activities"]) == (None, 0)


def test_what_was_known_on_a_day_is_calculated_again_by_other_methods_and_never_instead_of_ones_own(
    lake: Lake, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    ledger(lake, spark)
    engine, day = Engine("sail", spark), date(2024, 6, 1)
    known_on(lake, engine, day)
    made = variants.restated(lake, "known-2024-06-01")
    monkeypatch.setattr("jobs.derived.recipe", lambda contract: "another")
    assert all(one.usable for one in run(lake, engine, ["business.emission"]))
    assert variants.behind(lake, made) == ["business.emission"]
    known_on(lake, engine, day)
    assert variants.behind(lake, variants.restated(lake, "known-2024-06-01")) == []
    variants.drop(lake, "known-2024-06-01")
    restate(lake, engine, "known-2024-06-01", AR6)
    with pytest.raises(UserError, match="there is a restatement 'known-2024-06-01' already"):
        known_on(lake, engine, day)
    assert variants.restated(lake, "known-2024-06-01").variant == AR6


def test_a_release_is_not_asked_of_a_restatement_whose_versions_are_others(lake: Lake, spark: Any) -> None:
    ledger(lake, spark)
    release.create(lake, "first")
    restate(lake, Engine("sail", spark), "ar6", AR6)
    there = variants.opened(lake, "ar6")
    for ask in (release.versions, release.create, side):
        with pytest.raises(
            UserError, match=r"not of the restatement 'ar6'(.|\n)*leave --variant out; `carbonlake compare first ar6`"
        ):
            ask(there, "first")
    assert release.pinned(there) == {} and maintain.maintain(there)
    with pytest.raises(UserError, match="'now' is what stands now"):
        release.create(lake, "now")


def test_a_restatement_is_listed_told_behind_and_dropped(lake: Lake, spark: Any) -> None:
    ledger(lake, spark)
    restate(lake, Engine("sail", spark), "ar6", AR6)
    (one,) = variants.listed(lake)
    assert (one.name, one.variant, variants.behind(lake, one)) == ("ar6", AR6, [])
    put(lake, "thematic.activity", [])
    assert variants.behind(lake, one) == ["thematic.activity"]
    variants.drop(lake, "ar6")
    assert variants.listed(lake) == [] and not variants.folder(lake, "ar6").exists()


def test_a_copy_of_a_table_that_is_written_meanwhile_holds_every_file_that_it_names(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    put(lake, "thematic.subject", [SUBJECT])

    def walk(top: Path) -> Iterator[Any]:
        for found in os.walk(top):
            yield found
            if found[0] == str(top) and top.name == "subject":
                put(lake, "thematic.subject", [{**SUBJECT, "name": "later"}])

    monkeypatch.setattr("jobs.links.os", SimpleNamespace(walk=walk))
    links.table(lake, ("thematic", "subject"), tmp_path / "copy" / "thematic" / "subject")
    found = query.sql(Lake(tmp_path / "copy").init(), "select name from thematic.subject").to_pylist()
    assert found == [{"name": "S"}] and lake.open("thematic.subject").version() == 2  # type: ignore[union-attr]


def test_what_cannot_be_restated_says_what_to_do_and_leaves_nothing(lake: Lake, spark: Any) -> None:
    engine = Engine("sail", spark)
    with pytest.raises(UserError, match=r"nothing is published yet(.|\n)*carbonlake run"):
        restate(lake, engine, "ar6", AR6)
    ledger(lake, spark)
    with pytest.raises(UserError, match=r"no GWP set 'AR9'(.|\n)*sets: AR5, AR6"):
        restate(lake, engine, "ar9", Variant(gwp_set="AR9"))
    with pytest.raises(UserError, match=r"knowledge.factor has no version 99(.|\n)*carbonlake history"):
        restate(lake, engine, "then", factors=99)
    with pytest.raises(UserError, match=r"this is what is published(.|\n)*--gwp"):
        restate(lake, engine, "same")
    with pytest.raises(UserError, match=r"no restatement 'ar6'(.|\n)*carbonlake restate"):
        variants.opened(lake, "ar6")
    assert variants.listed(lake) == [] and not list(lake.folder.glob("_staging/*"))
    restate(lake, engine, "ar6", AR6)
    with pytest.raises(UserError, match=r"a restatement 'ar6' already(.|\n)*carbonlake variant drop ar6"):
        restate(lake, engine, "ar6", AR6)
