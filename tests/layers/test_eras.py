"""Days between which no factor and no method begins or ends are one era."""

from __future__ import annotations

from datetime import date
from typing import Any

from layers.business._eras import eras
from tests.frames import frame

DAYS = ("2024-12-31", "2025-01-01", "2025-06-29", "2025-06-30", "2025-07-31")


def test_an_era_begins_with_a_factor_and_on_the_day_after_its_last(spark: Any) -> None:
    activity = frame(spark, "thematic.activity", [{"activity_id": day, "date": day} for day in DAYS])
    half = {"factor_id": "half", "valid_from": "2025-01-01", "valid_to": "2025-06-29"}
    factor = frame(spark, "knowledge.factor", [half, {"factor_id": "always", "valid_to": "9999-12-31"}])
    found = {str(row["e_date"]): row["era"] for row in eras(activity, factor).collect()}
    assert set(found) == set(DAYS)
    assert found["2024-12-31"] < date(2025, 1, 1)
    assert found["2025-01-01"] == found["2025-06-29"] == date(2025, 1, 1)
    assert found["2025-06-30"] == found["2025-07-31"] == date(2025, 6, 30)
