"""A method that a user places in a project is applied beside the shipped one, without code, each in its book."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from layers.business.emission import transform
from schemas.rooms import SHIPPED
from tests import documents
from tests.frames import frame


def test_the_method_of_the_document_stands_beside_ours(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = [one for one in documents.blocks(SHIPPED / "docs/methods.md") if one.file]
    placed = tmp_path / str(block.file)
    placed.parent.mkdir(parents=True)
    placed.write_text(block.text, encoding="utf-8")
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(tmp_path / "my-project"))
    day = {"period_start": "2024-01-01T00:00:00Z", "date": "2024-01-01", "grain": "month", "data_grade": "measured"}
    lines = transform(
        frame(spark, "thematic.activity", [{**day, "activity_id": "a", "subject_id": "e", "activity_code": "clinker_output",
                                            "quantity": 1000, "unit": "t"}]),
        frame(spark, "thematic.subject", [{"subject_id": "e", "subject_type": "enterprise", "industry_code": "3011",
                                           "valid_from": "1900-01-01", "latest": True}]),
        frame(spark, "knowledge.factor", [
            {"factor_id": "gwp", "factor_set": "AR5", "role": "gwp", "gas": "CO2", "value": 1, "unit": "1"},
            {"factor_id": "ours", "factor_set": "process_水泥", "role": "ef", "activity_code": "clinker_output", "gas": "CO2",
             "value": 0.535, "unit": "tCO2/t"}]),
        frame(spark, "knowledge.factor_hour", []),
    )  # fmt: skip
    found = {(row["book"], row["method_id"]): (float(row["emission_tco2e"]), row["defaulted"]) for row in lines.collect()}
    assert found == {
        ("enterprise", "cement_clinker"): (535.0, False),
        ("my_province", "clinker_province"): (538.0, True),
    }
