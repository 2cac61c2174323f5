"""The worked examples that methods cover, from their YAML through the engine; and the examples of every method."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from layers.business.emission import transform
from models.method import Method, methods
from tests.frames import Row, frame
from tests.models.golden import Golden, golden

Numbers = dict[str, Any]
Case = tuple[list[Row], list[Row]]  # activities, and the factors of the set that their method names


def _activity(code: str, quantity: float, unit: str) -> Row:
    return {"activity_code": code, "quantity": quantity, "unit": unit}


def _factor(set_: str, code: str | None, role: str, value: float, unit: str) -> Row:
    return {"factor_set": set_, "activity_code": code, "role": role, "value": value, "unit": unit}


def _fuel(code: str, unit: str) -> Callable[[Numbers], Case]:
    units = {"ncv": f"GJ/{unit}", "cc": "tC/GJ", "of": "1"}
    return lambda g: (
        [_activity(code, g["fc"], unit)],
        [_factor("NDRC_GENERAL", code, role, g[role], units[role]) for role in units],
    )


def _electricity(g: Numbers) -> Case:
    bought = [_activity("electricity_purchased", g["mwh"] * 1000, "kWh")]
    green = [_activity("electricity_green", g["green_mwh"] * 1000, "kWh")]
    return bought + green, [_factor("grid_average", None, "ef", g["ef"], "tCO2/MWh")]


def _steel(g: Numbers) -> Case:
    factors = {"limestone": 0.44, "dolomite": 0.471, "electrode": 3.663, "pig_iron": 0.172}
    codes = {name: f"{name}_consumed" for name in factors}
    used = [_activity(code, g[name], "t") for name, code in codes.items()]
    made = [_activity("crude_steel_output", g["crude_steel_out"], "t")]
    library = [_factor("process_钢铁", code, "ef", factors[name], "tCO2/t") for name, code in codes.items()]
    return used + made, [*library, _factor("process_钢铁", "crude_steel_output", "ef", 0.037, "tCO2/t")]


def _one(code: str, quantity: str, unit: str, set_: str, per: str) -> Callable[[Numbers], Case]:
    return lambda g: ([_activity(code, g[quantity], unit)], [_factor(set_, code, "ef", g["ef"], per)])


CASES: dict[str, Callable[[Numbers], Case]] = {
    "A01": _fuel("fuel_bituminous_coal", "t"),
    "A02": _fuel("fuel_natural_gas", "1e4Nm3"),
    "A03": _fuel("fuel_diesel", "t"),
    "A08": _electricity,
    "A09": _one("heat_purchased", "gj", "GJ", "process_通用", "tCO2/GJ"),
    "A12": _one("desulphurisation_limestone", "t", "t", "process_发电", "tCO2/t"),
    "A18": _steel,
}


def test_methods_meet_the_worked_examples_through_the_engine(
    spark: Any, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = [one for one in golden(shared) if one.id in CASES]
    assert [one.id for one in examples] == sorted(CASES)
    sums = _through_the_engine(spark, examples)
    shares = [one.judge({"tCO2": sums[one.id]}) for one in examples]
    with capsys.disabled():
        print("\nworked examples, by method through the engine")
        for one, share in zip(examples, shares, strict=True):
            print(f"  {one.id}  {one.function:<22} {share:>8.1%} of {one.tolerance:<9} {sums[one.id]} tCO2")


def _through_the_engine(spark: Any, examples: list[Golden]) -> dict[str, float]:
    """Account all examples in one run, each as a subject of its own, and return its sum."""
    day = {"period_start": "2024-01-01T00:00:00Z", "date": "2024-01-01", "grain": "month", "data_grade": "measured"}
    activities, factors = (
        [],
        [{"factor_id": "co2", "factor_set": "AR5", "role": "gwp", "gas": "CO2", "value": 1, "unit": "1"}],
    )
    for one in examples:
        done, library = CASES[one.id](one.given)
        activities += [{**row, **day, "activity_id": f"{one.id} {row['activity_code']}", "subject_id": one.id} for row in done]
        factors += [{**row, "factor_id": f"{one.id} {row['activity_code']} {row['role']}", "gas": "CO2"} for row in library]
    lines = transform(
        frame(spark, "thematic.activity", activities),
        frame(spark, "thematic.subject", [{"subject_id": one.id, "subject_type": "enterprise"} for one in examples]),
        frame(spark, "knowledge.factor", factors),
        frame(spark, "knowledge.factor_hour", []),
    )
    sums = lines.groupBy("subject_id").sum("emission_tco2e").collect()
    return {row[0]: float(row[1]) for row in sums}


@pytest.mark.parametrize("method", methods().values(), ids=list(methods()))
def test_the_examples_of_a_method_come_true(method: Method) -> None:
    assert method.examples, f"{method.file} shows no example"
    for one in method.examples:
        assert method.mass(one.given) == pytest.approx(one.expect, rel=one.tolerance), f"{method.id} {one.id}"
