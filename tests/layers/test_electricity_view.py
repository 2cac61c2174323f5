"""Electricity where it is generated and where it is used: both views are of the same things, and the transfer closes them."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from layers.business.electricity_view import transform as electricity_view
from layers.business.emission import transform as emission
from layers.business.unresolved import transform as unresolved
from schemas.contracts import contract
from tests.frames import Row, frame, rows
from tests.layers.months import month_of

PLACES = {"plant": ("150000", "4411"), "works": ("110105", "3110"), "shop": ("110106", "5211"), "abroad": ("FRA", "5211")}
FACTOR = Decimal("0.5")  # t/MWh, in China alone
DONE = [
    ("plant", "electricity_generated", 900, "MWh"), ("plant", "electricity_purchased", 5000, "kWh"),
    ("works", "electricity_generated", 70, "MWh"), ("works", "electricity_purchased", 300, "MWh"),
    ("works", "electricity_exported", 20, "MWh"), ("shop", "electricity_purchased", 100000, "kWh"),
    ("abroad", "electricity_purchased", 800, "MWh"), ("works", "electricity_purchased", 40, "GJ_typo"),
]  # fmt: skip


@pytest.fixture(scope="module")
def made(spark: Any) -> list[dict[str, Any]]:
    """A plant that sells, a works with a plant of its own, a shop, and someone of whose grid nobody knows the factor."""
    gwp: Row = {"factor_id": "co2", "factor_set": "AR5", "role": "gwp", "gas": "CO2", "value": 1, "unit": "1"}
    grid: Row = {"factor_id": "grid", "factor_set": "grid_average", "role": "ef", "region_code": "CHN", "gas": "CO2",
                 "value": float(FACTOR), "unit": "tCO2/MWh", "valid_from": "2024-01-01", "valid_to": "2024-12-31"}  # fmt: skip
    done = [{"activity_id": f"a{n}", "subject_id": who, "period_start": "2024-02-01T00:00:00Z", "date": "2024-02-01",
             "grain": "month", "activity_code": code, "quantity": quantity, "unit": unit, "data_grade": "measured"}
            for n, (who, code, quantity, unit) in enumerate(DONE)]  # fmt: skip
    activity = frame(spark, "thematic.activity", done)
    subject = frame(spark, "thematic.subject", [{"subject_id": who, "subject_type": "enterprise", "region_code": region,
                                                 "industry_code": code} for who, (region, code) in PLACES.items()])  # fmt: skip
    given = (activity, subject, frame(spark, "knowledge.factor", [gwp, grid]), frame(spark, "knowledge.factor_hour", []))
    month = month_of(emission(*given), subject)
    return rows(electricity_view(month, unresolved(*given), activity, subject), contract("business.electricity_view"))


@pytest.mark.parametrize("measure", ["emission_tco2e", "electricity_kwh"])
def test_territory_and_transfer_are_consumption_and_transfers_are_none_in_all(made: list[dict[str, Any]], measure: str) -> None:
    found: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for row in made:
        found[row["region"]][row["view"]] = row[measure]
    assert {"150000", "110000", "outside"} <= set(found)
    for region, views in found.items():
        assert views["territorial"] + views["transfer"] == views["consumption"], region
    assert sum(views["transfer"] for views in found.values()) == 0
    assert sum(views["territorial"] for views in found.values()) == sum(views["consumption"] for views in found.values()) > 0


def test_what_is_used_is_what_was_counted_at_the_factor_of_the_grid(made: list[dict[str, Any]]) -> None:
    used = {row["region"]: (row["electricity_kwh"], row["emission_tco2e"]) for row in made if row["view"] == "consumption"}
    assert used["110000"] == (380000, 190)  # what the works sold is not used there, and its own plant is no power plant
    assert all(tonnes == kwh / 1000 * FACTOR for kwh, tonnes in used.values())


def test_only_power_plants_generate_and_electricity_without_a_factor_is_told_and_not_used(made: list[dict[str, Any]]) -> None:
    found = {(row["region"], row["view"]): row for row in made}
    assert found["150000", "territorial"]["electricity_kwh"] == 900000
    assert found["110000", "territorial"]["electricity_kwh"] == 0
    left = [row for row in made if row["region"] not in ("150000", "110000", "outside") and row["view"] == "consumption"]
    assert [(row["electricity_kwh"], row["unresolved_rows"]) for row in left] == [(0, 1)]


def test_the_electricity_of_a_nation_is_held_in_kilowatt_hours(spark: Any) -> None:
    subject = frame(spark, "thematic.subject", [{"subject_id": "plant", "region_code": "150000", "industry_code": "4411"}])
    done = [{"activity_id": str(n), "subject_id": "plant", "date": "2024-01-01", "activity_code": "electricity_generated",
             "quantity": quantity, "unit": unit} for n, quantity, unit in ((1, 1.2e12, "kWh"), (2, 1.2e9, "MWh"))]  # fmt: skip
    none = (frame(spark, name, []) for name in ("business.emission_month", "business.unresolved"))
    made = electricity_view(*none, frame(spark, "thematic.activity", done), subject)
    found = {(row["region"], row["view"]): row["electricity_kwh"] for row in rows(made, contract("business.electricity_view"))}
    assert found["150000", "territorial"] == Decimal("2.4e12")
