"""Inventories against each other and against ours: what differs is told with the first cause that a rule can show."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from layers.business._statements import PROVINCES
from layers.business.inventory_comparison import transform
from schemas.contracts import contract
from tests.frames import frame, rows

Found = dict[tuple[str, str, int], dict[str, Any]]
FIRM = {"publisher": "firm", "edition": "report", "sector": "scope_1", "fuel": "all", "gas": "CO2", "year": 2024}
CEADS = {"publisher": "CEADs", "edition": "2013", "sector": "total", "fuel": "all", "gas": "CO2"}
COAL = {"activity_code": "fuel_coal", "scope": 1, "gas": "CO2", "book": "enterprise", "grain": "year", "level": "enterprise",
        "category": "fuel", "lines": 1, "unresolved_rows": 0}  # fmt: skip
MT = 10**6


def _region(code: str, mt: str, year: int, **more: Any) -> dict[str, Any]:
    return {
        **CEADS,
        "subject_id": f"region:{code}",
        "region_code": code,
        "emission_tco2e": Decimal(mt) * MT,
        "year": year,
        **more,
    }


def _inventory() -> list[dict[str, Any]]:
    reports = [
        ("rounded", {"emission_tco2e": 1000, "shown_to_t": 1}),
        ("kilotonnes", {"emission_tco2e": "1.0004", "shown_to_t": "0.0001"}),
        ("fiscal", {"emission_tco2e": 990, "period_from": "2024-04-01", "period_to": "2025-03-31"}),
        ("calendar", {"emission_tco2e": 990, "period_from": "2024-01-01", "period_to": "2024-12-31"}),
        ("carbon", {"emission_tco2e": "272.8364"}),
        ("agrees", {"emission_tco2e": "1000.4"}),
        ("unresolved", {"emission_tco2e": 1200}),
        ("once", {"emission_tco2e": 950, "fuel": "fuel_coal"}),
        ("twice", {"emission_tco2e": 950, "fuel": "fuel_coal"}),
        ("twice", {"emission_tco2e": 950, "fuel": "fuel_coal", "edition": "report, again"}),
        ("gases", {"emission_tco2e": 950, "fuel": "fuel_coal"}),
        ("gases", {"emission_tco2e": 950, "fuel": "fuel_coal", "gas": "GHG"}),
        ("methane", {"emission_tco2e": 1200}),
        ("nothing", {"emission_tco2e": 1200, "boundary": "all of the group"}),
    ]
    found = [{**FIRM, "subject_id": f"enterprise:{name}", "publisher": name, **more} for name, more in reports]
    there = [code for code in PROVINCES if code != "540000"]
    found += [_region(code, "286.6233333", 2010) for code in there] + [_region("CHN", "7904.5", 2010)]
    found += [_region(code, "299", 2011) for code in there] + [_region("CHN", "8975", 2011)]
    found += [_region(code, "200", 2012) for code in there] + [_region("CHN", "9000", 2012)]
    found += [_region(code, "200", 2013) for code in there[:2]] + [_region("CHN", "300", 2013)]
    for year, more in ((2014, {"sector": "2.A"}), (2015, {"fuel": "Process"}), (2016, {"gas": "CH4"})):
        found += [_region(code, "200", year, **more) for code in there] + [_region("CHN", "5900", year, **more)]
    steel = {"sector": "steel", "part_of": "total", "shown_to_t": 1}
    for year, coal, gas in ((1997, "70", "30.000001"), (1998, "70", "31")):
        found += [_region("110000", "100", year, shown_to_t=1), _region("110000", "60", year, **steel),
                  _region("110000", "40", year, **{**steel, "sector": "paper"}),
                  _region("110000", coal, year, fuel="coal", shown_to_t=1),
                  _region("110000", gas, year, fuel="gas", shown_to_t=1)]  # fmt: skip
    return found


def _ours() -> list[dict[str, Any]]:
    names = ("rounded", "kilotonnes", "fiscal", "calendar", "carbon", "agrees", "unresolved", "once", "twice", "gases",
             "methane")  # fmt: skip
    lines = [{**COAL, "member": f"enterprise:{name}", "period": "2024-01-01", "emission_tco2e": "1000.4"} for name in names]
    open_ = {**COAL, "member": "enterprise:unresolved", "period": "2024-01-01", "category": "unresolved", "activity_code": "lime"}
    none = {**open_, "scope": 0, "gas": "GHG", "emission_tco2e": None, "lines": 0, "unresolved_rows": 3}
    other = [{**none, "member": "enterprise:nothing"}, {**none, "member": "enterprise:methane", "scope": 1, "gas": "CH4"}]
    return [*lines, none, *other]


@pytest.fixture(scope="module")
def found(spark: Any) -> Found:
    """Return the rows of one comparison of everything, by subject, kind and year."""
    made = transform(frame(spark, "thematic.inventory", _inventory()), frame(spark, "business.emission_rollup", _ours()))
    return {(row["subject_id"], row["kind"], row["year"]): row for row in rows(made, contract("business.inventory_comparison"))}


@pytest.mark.parametrize(("name", "cause", "evidence"), [
    ("rounded", "rounding", "within the digits shown, together to 0.5 t"),
    ("kilotonnes", "unit", "one is the other times 1000"),
    ("carbon", "unit", "one is the other times 44/12, carbon for CO2"),
    ("fiscal", "time", "2024-04-01 to 2025-03-31 against calendar year"),
    ("calendar", "unexplained", "no rule fits"),
    ("unresolved", "missing", "the second lacks 3 unresolved rows, of how many tonnes nobody knows"),
    ("once", "unexplained", "no rule fits"),
    ("twice", "unexplained", "no rule fits"),
    ("gases", "unexplained", "no rule fits"),
    ("methane", "unexplained", "no rule fits"),
    ("nothing", "missing", "the second lacks 3 unresolved rows, of how many tonnes nobody knows"),
])  # fmt: skip
def test_a_report_differs_from_ours_by_a_cause_with_its_evidence(name: str, cause: str, evidence: str, found: Found) -> None:
    row = found[f"enterprise:{name}", "ours", 2024]
    assert (row["cause"], row["evidence"], row["b_publisher"]) == (cause, evidence, "Carbonlake")


def test_a_part_that_the_smaller_side_states_is_not_what_it_lacks(spark: Any) -> None:
    def cause(*stated: dict[str, Any]) -> str:
        firm = [
            {**FIRM, "publisher": name, "subject_id": "enterprise:1", **more} for name, more in zip("XXYY", stated, strict=False)
        ]
        made = transform(frame(spark, "thematic.inventory", firm), frame(spark, "business.emission_rollup", []))
        return next(row["cause"] for row in made.where("kind = 'publishers' and fuel = 'all'").collect())

    large = ({"emission_tco2e": 1400}, {"emission_tco2e": 400, "fuel": "fuel_coal"}, {"emission_tco2e": 1000})
    assert cause(*large) == "missing"
    assert cause(*large, {"emission_tco2e": 300, "fuel": "fuel_coal"}) == "unexplained"


def test_what_could_not_be_computed_at_all_has_a_row_and_no_difference(found: Found) -> None:
    row = found["enterprise:nothing", "ours", 2024]
    assert (row["b_emission_tco2e"], row["difference_tco2e"], row["also"]) == (None, None, None)


def test_energy_statistics_explain_nearly_all_provinces_and_energy_alone(found: Found) -> None:
    assert {found["region:CHN", "parts", year]["cause"] for year in (2013, 2014, 2015, 2016)} == {"unexplained"}


def test_a_report_that_agrees_with_ours_gives_no_row(found: Found) -> None:
    assert not [key for key in found if key[0] == "enterprise:agrees"]


def test_provinces_exceed_the_nation_and_the_one_that_is_not_there_does_not_explain_it(found: Found) -> None:
    # CEADs, million tonnes; the workbooks themselves may not be redistributed.
    row = found["region:CHN", "parts", 2010]
    assert row["b_basis"] == "sum of 30 provinces"
    assert round(row["difference_tco2e"] / MT, 1) == Decimal("694.2")
    assert round(row["difference_percent"], 1) == Decimal("8.8")
    assert row["cause"] == "statistical"
    assert row["evidence"].endswith("; 540000 would widen it")


def test_a_province_that_is_not_there_explains_only_what_it_could_hold(found: Found) -> None:
    small, large = found["region:CHN", "parts", 2011], found["region:CHN", "parts", 2012]
    assert (small["cause"], small["evidence"], small["also"]) == ("missing", "the second lacks 540000", "statistical")
    assert (large["cause"], large["also"]) == ("statistical", None)


def test_a_total_is_held_against_its_parts(found: Found) -> None:
    kinds = {key[1:]: row for key, row in found.items() if key[0] == "region:110000"}
    assert set(kinds) == {("fuels", 1998)}
    assert kinds["fuels", 1998]["difference_tco2e"] == MT
    assert kinds["fuels", 1998]["cause"] == "unexplained"
