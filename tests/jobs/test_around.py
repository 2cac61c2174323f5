"""What a delivery says of itself beside its rows: units that must be those of the contract, and what is kept of the rest."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from jobs.lake import Lake
from tests.jobs import building
from tests.jobs.building import deliver

TABLE = "cleaned.used"
USED = """
description: Electricity of meters, with a row of units below the header
owner: tests
source:
  zone: used
  path: "*.csv"
  format: csv
  publisher: us
  licence: CC0-1.0
  options: {units_row: true, footer: "^合计"}
key: [meter]
columns:
  meter: {type: string, description: Meter, from: 表号}
  use_kwh: {type: "decimal(28,6)", unit: kWh, description: Use, from: 用电量, unit_from: 万千瓦时}
  heat_gj: {type: "decimal(28,6)", unit: GJ, description: Heat, from: 热}
balance: [use_kwh, heat_gj]
"""


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Lay the project over the shipped one."""
    folder = building.lay(tmp_path_factory.mktemp("used"), {"schemas/cleaned/used.yaml": USED})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARBONLAKE_PROJECT", str(folder))
        yield


@pytest.mark.parametrize("units", [",万千瓦时,GJ", ",(万kWh),吉焦", ",10MWh,"])
def test_units_that_are_those_of_the_contract_pass(lake: Lake, spark: Any, units: str) -> None:
    deliver(lake, TABLE, "a.csv", f"表号,用电量,热\n{units}\na,1.5,2\n合计,1.5,2\n")
    outcome = building.build(lake, spark, TABLE)[TABLE]
    assert (outcome.status, outcome.counts.came_in) == ("built", 1), outcome.reason
    assert building.rows(lake, TABLE, "meter", "use_kwh", "heat_gj") == [("a", Decimal(15000), Decimal(2))]
    ((note,),) = building.rows(lake, "ops.reading", "note")
    told = json.loads(note)
    assert told["footer"] == {"lines": 1, "first": 4, "text": ["合计,1.5,2"]} and "用电量" in told["units"]


@pytest.mark.parametrize(("units", "said"), [(",千瓦时,GJ", "'用电量' is in 千瓦时"), (",万千瓦时,百分之", "'热' is in 百分之")])
def test_units_that_are_others_than_the_contract_says_make_the_table_wait(lake: Lake, spark: Any, units: str, said: str) -> None:
    deliver(lake, TABLE, "a.csv", f"表号,用电量,热\n{units}\na,1.5,2\n")
    outcome = building.build(lake, spark, TABLE)[TABLE]
    assert outcome.status == "failed" and said in outcome.reason and "declare `unit_from: " in outcome.reason
    assert "cleaned/used.yaml, delivery 1 (a.csv)" in outcome.reason and building.rows(lake, TABLE) == []
