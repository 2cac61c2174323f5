"""The worked examples of accounting and factors, from the YAML of methods through the engine; every method's examples."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import functions as F

from layers.business.emission import transform
from models import formulas as f
from models import steam, uncertainty
from models.method import Method, methods
from models.variant import Variant
from tests.frames import Row, frame
from tests.models.cases import CASES, MEASURED, Case
from tests.models.golden import Golden, golden

DAY = {"period_start": "2024-01-01T00:00:00Z", "date": "2024-01-01", "grain": "month", "data_grade": "measured"}
OF_OTHER_SETS = {"A17": "AR5"}  # the others give warming potentials of SAR, or none
# What is no emission: computed by the formula over columns of the engine, or over plain numbers where it looks up a table.
COLUMNS = ("A31", "A33", "A36")
PLAIN = ("A11", "A32")
SWITCH = "A35"
Results = dict[str, dict[str, Any]]


def test_methods_meet_every_worked_example_through_the_engine(
    spark: Any, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = {one.id: one for one in golden(shared)}
    assert set(examples) == {*CASES, *COLUMNS, *PLAIN}
    got = _by_methods(spark, examples, shared) | _by_columns(spark, examples, shared) | _by_numbers(examples)
    shares = {id_: one.judge(got[id_]) for id_, one in examples.items()}
    with capsys.disabled():
        print("\nworked examples: id, by what, expected, got, difference as share of the tolerance")
        for id_, one in examples.items():
            way = "columns" if id_ in COLUMNS else "numbers" if id_ in PLAIN else "methods"
            told = {name: got[id_][name] for name in one.expect}
            print(f"  {id_}  {way:<8} {one.function:<22} {one.expect}  {told}  {shares[id_]:.1%} of {one.tolerance}")


def _by_methods(spark: Any, examples: dict[str, Golden], shared: Path) -> Results:
    """Account all examples, each as a subject of its own, under the warming potentials that it gives."""
    cases = {id_: build(examples[id_].given) for id_, build in CASES.items()}
    frames = _frames(spark, cases, _potentials(shared))
    sums = {name: _sums(frames, Variant(gwp_set=name)) for name in ("SAR", "AR4", "AR5", "AR6")}
    got = {id_: cases[id_].of_sum(sums[OF_OTHER_SETS.get(id_, "SAR")][id_]) for id_ in CASES}
    return got | {SWITCH: {name: found[SWITCH] for name, found in sums.items()}}


def _sums(frames: list[Any], variant: Variant) -> dict[str, float]:
    lines = transform(*frames, variant)
    return {row[0]: float(row[1]) for row in lines.groupBy("subject_id").agg(F.sum("emission_tco2e")).collect()}


def _frames(spark: Any, cases: dict[str, Case], potentials: list[Row]) -> list[Any]:
    activity = [{**DAY, "activity_id": f"{id_} {code}", "subject_id": id_, "activity_code": code, "quantity": quantity,
                 "unit": unit} for id_, one in cases.items() for code, quantity, unit in one.done]  # fmt: skip
    subject = [{"subject_id": id_, "subject_type": "enterprise", "valid_from": "1900-01-01", "latest": True,
                "industry_code": one.industry or "4610"} for id_, one in cases.items()]  # fmt: skip
    library = [row for id_, one in cases.items() for row in _library(id_, one)]
    rows: dict[str, list[Row]] = {"thematic.activity": activity, "thematic.subject": subject,
                                  "knowledge.factor": [*potentials, *library], "knowledge.factor_hour": []}  # fmt: skip
    return [frame(spark, table, given) for table, given in rows.items()]


def _library(id_: str, case: Case) -> list[Row]:
    """The factors of one example, for its subject alone, so that examples don't take each other's."""
    return [{"factor_id": f"{id_} {code} {role} {gas}", "subject_id": id_, "activity_code": code, "role": role, "value": value,
             "unit": unit, "factor_set": set_, "gas": gas, "kind": MEASURED if set_ == MEASURED else "default"}
            for code, role, value, unit, set_, gas in case.factors]  # fmt: skip


def _potentials(shared: Path) -> list[Row]:
    sets = ("SAR", "AR4", "AR5", "AR6")
    return [{"factor_id": f"{set_} {row['gas']}", "factor_set": set_, "role": "gwp", "gas": row["gas"], "kind": "default",
             "value": float(row[f"{set_}_100"]), "unit": "1"}
            for row in _rows(shared / "domain/gwp.csv") for set_ in sets if row[f"{set_}_100"]]  # fmt: skip


def _by_columns(spark: Any, examples: dict[str, Golden], shared: Path) -> Results:
    """Flow, stoichiometry and standard coal are no emission: their formulas over columns of one row."""
    flow, masses, used = (examples[id_].given for id_ in COLUMNS)
    coal = {row["energy_en"]: float(row["coefficient"]) for row in _rows(shared / "domain/standard_coal.csv")}
    electricity = next(value for name, value in coal.items() if name.startswith("electricity"))
    energy = [(used["raw_coal"], coal["raw coal"]), (used["diesel"], coal["diesel"]), (used["kwh"] / 1000, electricity)]
    column = lambda value: F.lit(float(value)) + F.col("nought")  # noqa: E731  # no literal that is folded away
    asked = {
        "q": f.cems_flow(**{name: column(value) for name, value in flow.items()}),
        **{f"ef{place}": f.carbonate_factor(column(mass)) for place, mass in enumerate(masses["m"])},
        "tce": f.standard_coal([(column(amount), column(k)) for amount, k in energy]),
    }
    nought = spark.range(1).select((F.col("id") * 0.0).alias("nought"))
    row = nought.select(*(value.alias(name) for name, value in asked.items())).collect()[0].asDict()
    return {"A31": {"q": row["q"]}, "A33": {"ef": [row["ef0"], row["ef1"]]}, "A36": {"tce": row["tce"]}}


def _by_numbers(examples: dict[str, Golden]) -> Results:
    """A table of steam that is looked up, and the propagation of errors."""
    asked = examples["A32"].given
    return {
        "A11": {"h": steam.saturated_enthalpy(examples["A11"].given["p"])},
        "A32": {"product": uncertainty.product(asked["u"]), "sum": uncertainty.total(asked["parts"])},
    }


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("method", methods().values(), ids=list(methods()))
def test_the_examples_of_a_method_come_true(method: Method) -> None:
    assert method.examples, f"{method.file} shows no example"
    for one in method.examples:
        assert method.mass(one.given) == pytest.approx(one.expect, rel=one.tolerance), f"{method.id} {one.id}"
