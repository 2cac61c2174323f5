"""Intensity of who makes a product: scopes 1 and 2 together only where a book holds both."""

from __future__ import annotations

from typing import Any

from layers.business.emission_intensity import transform as emission_intensity
from schemas.contracts import contract
from tests.frames import frame, rows

WORKS = {"grain": "year", "period": "2023-01-01", "level": "enterprise", "member": "enterprise:1"}
LINES = [("enterprise", 1, 900), ("enterprise", 2, 100), ("enterprise_market", 2, 80), ("measured", 1, 890)]


def test_a_book_that_holds_one_scope_has_no_intensity_of_both(spark: Any) -> None:
    sums = [{**WORKS, "book": book, "scope": scope, "emission_tco2e": tonnes, "lines": 1, "unresolved_rows": 0}
            for book, scope, tonnes in LINES]  # fmt: skip
    open_ = {**WORKS, "book": "enterprise_market", "scope": 0, "lines": 0, "unresolved_rows": 1}
    made = emission_intensity(
        frame(spark, "business.emission_rollup", [*sums, open_]),
        frame(spark, "business.activity_rollup", [{**WORKS, "activity_code": "clinker_output", "unit": "t", "quantity": 10}]),
        frame(spark, "cleaned.region_indicator", []),
        frame(spark, "cleaned.owid_co2", []),
    )
    found = {(row["book"], row["scopes"]): row["intensity"] for row in rows(made, contract("business.emission_intensity"))}
    assert found.pop(("enterprise_market", "0")) is None
    assert found == {("enterprise", "1"): 90.0, ("enterprise", "2"): 10.0, ("enterprise", "1+2"): 100.0,
                     ("enterprise_market", "2"): 8.0, ("measured", "1"): 89.0}  # fmt: skip
