"""A unit that stands in each row: converted exactly, and a row whose unit nobody knows waits with a reason."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from jobs import corrections
from jobs.lake import Lake
from jobs.row_units import factors
from schemas.contracts import contract
from schemas.errors import UserError
from tests.jobs import building
from tests.jobs.building import deliver

TABLE = "cleaned.purchase"
PURCHASE = """
description: Fuel bought, each row in its own unit
owner: tests
source: {zone: purchases, path: "*.csv", format: csv, publisher: us, licence: CC0-1.0}
key: [id]
columns:
  id: {type: bigint, description: Id}
  mass_t: {type: "decimal(28,6)", unit: t, description: Mass, from: 数量, unit_from: {column: 单位, names: {车: 32t}}}
balance: [mass_t]
"""
HEAD = "id,数量,单位\n"


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Lay the project over the shipped one."""
    folder = building.lay(tmp_path_factory.mktemp("purchases"), {"schemas/cleaned/purchase.yaml": PURCHASE})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARBONLAKE_PROJECT", str(folder))
        yield


def test_each_value_is_converted_from_the_unit_of_its_row(lake: Lake, spark: Any) -> None:
    deliver(lake, TABLE, "a.csv", HEAD + "1,1.5,吨\n2,250,kg\n3,0.02,万吨\n4,2,车\n5,,\n6,3, t \n")
    ended = building.build(lake, spark, TABLE)[TABLE]
    assert (ended.status, ended.counts.written, ended.counts.set_aside) == ("built", 6, 0), ended.reason
    assert building.rows(lake, TABLE, "id", "mass_t") == [
        (1, Decimal("1.500000")), (2, Decimal("0.250000")), (3, Decimal("200.000000")), (4, Decimal("64.000000")),
        (5, None), (6, Decimal("3.000000")),
    ]  # fmt: skip


def test_a_row_whose_unit_is_unknown_or_of_another_kind_waits_with_its_text(lake: Lake, spark: Any) -> None:
    deliver(lake, TABLE, "a.csv", HEAD + "1,1,吨\n2,2,斛\n3,3,kWh\n4,4,\n5,x,吨\n")
    assert building.build(lake, spark, TABLE)[TABLE].status == "built"
    waits = {locator: (rules, json.loads(raw).get("单位")) for _, locator, rules, raw in building.aside(lake, TABLE)}
    assert waits == {"3": ("unit_mass_t", "斛"), "4": ("unit_mass_t", "kWh"), "5": ("unit_mass_t", None),
                     "6": ("type_mass_t", "吨")}  # fmt: skip
    assert building.rows(lake, TABLE, "id") == [(1,)]


def test_a_unit_can_be_mended_like_any_value(lake: Lake, spark: Any) -> None:
    deliver(lake, TABLE, "a.csv", HEAD + "1,1,吨\n2,2000,斤？\n")
    building.build(lake, spark, TABLE)
    corrections.decide(lake, TABLE, (1, "3"), "fix", {"单位": "kg"}, "me", "asked")
    assert building.build(lake, spark, TABLE)[TABLE].status == "built"
    assert building.rows(lake, TABLE, "id", "mass_t") == [(1, Decimal("1.000000")), (2, Decimal("2.000000"))]


def test_a_delivery_without_the_header_of_units_sets_every_value_aside(lake: Lake, spark: Any) -> None:
    deliver(lake, TABLE, "a.csv", "id,数量\n1,5\n2,\n")
    building.build(lake, spark, TABLE)
    assert [(at, rules) for _, at, rules, _ in building.aside(lake, TABLE)] == [("2", "unit_mass_t")]


def test_a_column_of_something_else_is_no_column_of_units() -> None:
    with pytest.raises(UserError, match=r"300 different units in '单位', 200 at most(.|\n)*name the header that holds the unit"):
        factors(contract(TABLE), "mass_t", [f"meter {n}" for n in range(300)])
