"""What a stack is measured to give off, from readings of the hour to line items: the worked examples, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from layers.business.emission import transform as emission
from layers.business.unresolved import transform as unresolved
from layers.knowledge.factor_hour import transform as factor_hour
from tests.frames import Row, frame
from tests.models.golden import Golden, golden

HOUR = "2024-01-01T00:00:00Z"
OUTLET = {"outlet_id": "DA001", "subject_id": "outlet:DA001", "region_code": "110000"}


def _frames(spark: Any, reading: Row | None, hours: float = 1) -> list[Any]:
    readings = [{**OUTLET, "period_start": HOUR, "_delivery": 1, "_locator": 2, **reading}] if reading else []
    done = {"activity_id": "a", "subject_id": "outlet:DA001", "activity_code": "stack_operation", "date": "2024-01-01",
            "period_start": HOUR, "grain": "hour", "quantity": hours, "unit": "h", "data_grade": "measured"}  # fmt: skip
    subject = {"subject_id": "outlet:DA001", "subject_type": "facility", "region_code": "110000", "industry_code": "4411"}
    gwp = {"factor_id": "co2", "factor_set": "AR5", "role": "gwp", "gas": "CO2", "value": 1, "unit": "1"}
    by_hour = factor_hour(frame(spark, "cleaned.grid_intensity_hour", []), frame(spark, "cleaned.cems_hour", readings))
    return [frame(spark, "thematic.activity", [done]), frame(spark, "thematic.subject", [subject]),
            frame(spark, "knowledge.factor", [gwp]), by_hour]  # fmt: skip


def _tonnes(given: list[Any]) -> list[tuple[str, str, float]]:
    rows = emission(*given).select("method_id", "book", "emission_tco2e").collect()
    return [(row[0], row[1], float(row[2])) for row in rows]


@pytest.fixture
def examples(shared: Path) -> dict[str, Golden]:
    """Return the worked examples by id."""
    return {one.id: one for one in golden(shared)}


def test_hours_at_a_measured_concentration_and_flow_make_the_worked_example(spark: Any, examples: dict[str, Golden]) -> None:
    one = examples["A30"]
    given = _frames(spark, {"co2_percent": one.given["pct"], "flow_nm3_per_h": one.given["q"]}, one.given["h"])
    [(method, book, tonnes)] = _tonnes(given)
    assert (method, book) == ("cems_stack", "measured")
    one.judge({"t": tonnes})


def test_a_flow_follows_from_the_velocity_as_in_the_worked_example(spark: Any, examples: dict[str, Golden]) -> None:
    one = examples["A31"]
    names = {
        "a": "area_m2",
        "v": "velocity_m_per_s",
        "ts": "gas_celsius",
        "ba": "ambient_pa",
        "ps": "static_pa",
        "xsw": "moisture",
    }
    given = _frames(spark, {"co2_percent": 12, **{name: one.given[key] for key, name in names.items()}}, 1000)
    [(_, _, tonnes)] = _tonnes(given)
    one.judge({"q": tonnes / 1000 / (12 * 10 * 44.01 / 22.4) * 1e6})


def test_an_hour_without_a_reading_is_unresolved(spark: Any) -> None:
    given = _frames(spark, None)
    assert _tonnes(given) == []
    assert [tuple(row) for row in unresolved(*given).select("reason", "lacking", "method_id").collect()] == [
        ("no_factor", "co2_rate", "cems_stack")
    ]
