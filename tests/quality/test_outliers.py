"""Values that stand out are told with what is usual, kept for people, and never set aside."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.contract import Rule
from schemas.contracts import contracts
from schemas.errors import UserError
from tests.jobs import building
from tests.quality.given import contract, judged, rows

COLUMNS = {"plant": "string", "day": "date", "kwh": {"type": "decimal(28,6)", "unit": "kWh"}, "most": "double"}
HEADER = "plant, day, kwh, most, _rules"


def found(rule: dict[str, Any], values: dict[str, list[float | None]], **given: Any) -> Any:
    """Judge series of days by one rule and return its verdict."""
    table = contract(COLUMNS, [rule], key=("plant", "day"))
    lines = [f"'{plant}', date '2026-01-01' + {n}, {'null' if x is None else x}, 100, 0"
             for plant, some in values.items() for n, x in enumerate(some)]  # fmt: skip
    return judged(table, rows(HEADER, *lines), **given)[table.rules[0].label]


RATE = {"rule": "rate_of_change", "column": "kwh", "limit": 0.5, "by": ["plant"]}
ROBUST = {"rule": "robust_z", "column": "kwh", "limit": 3.5, "by": ["plant"]}


def test_a_step_is_measured_against_the_value_before_it_of_the_same_subject() -> None:
    verdict = found(RATE, {"a": [10, 12, 30, 31], "b": [300, 310, None, 320]})
    assert (verdict.failed, verdict.outcome, verdict.stops) == (1, "warn", False)
    assert verdict.detail == "1 values of kwh stand out, e.g. 30 after 12 at plant=a, day=2026-01-03"
    (one,) = verdict.examples
    assert (one.key, one.value, one.usual, one.score) == ("plant=a, day=2026-01-03", 30, 12, 1.5)


def test_a_step_from_zero_has_no_rate_and_a_gap_is_stepped_over() -> None:
    assert found(RATE, {"a": [0, 500, 501]}).passed
    assert found(RATE, {"a": [10, None, 40]}).failed == 1


def test_a_value_far_from_the_median_of_its_own_subject_stands_out_however_large_the_others_are() -> None:
    verdict = found(ROBUST, {"small": [1, 2, 1, 2, 1, 90, 2], "large": [900, 910, 905, 899, 904, 901, 903]})
    assert [one.key for one in verdict.examples] == ["plant=small, day=2026-01-06"]
    assert (verdict.examples[0].usual, round(verdict.examples[0].score, 3)) == (2.0, round(0.6745 * 88 / 1, 3))


def test_where_most_values_are_equal_the_mean_deviation_stands_in_and_few_values_are_not_judged() -> None:
    assert found(ROBUST, {"a": [5] * 20 + [50]}).failed == 1
    assert found(ROBUST, {"a": [5] * 20}).passed
    assert found(ROBUST, {"a": [1, 1, 1, 1000]}).passed, "four values say nothing of what is usual"


def test_what_a_plant_cannot_make_stands_out_by_the_column_beside_it_or_by_another_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = {"rule": "capacity", "column": "kwh", "of": "most", "limit": 1.1}
    assert found(here, {"a": [100, 109, 111]}).examples[0].key == "plant=a, day=2026-01-03"
    there = {"rule": "capacity", "column": "kwh", "of": "kw24", "table": "cleaned.plant", "columns": ["plant"]}
    plants = {"cleaned.plant": "select 'a' as plant, 50 as kw24 union all select 'a', 60"}
    verdict = found(there, {"a": [60, 61], "stranger": [9999]}, views=plants)
    assert verdict.detail == "1 values of kwh stand out, e.g. 61 of 60 at plant=a, day=2026-01-02"


def test_a_hundred_examples_are_kept_the_furthest_first() -> None:
    verdict = found(RATE | {"by": []}, {"a": [1.0 if n % 2 else 100.0 + n for n in range(400)]})
    assert (verdict.failed, len(verdict.examples)) == (399, 100)
    scores = [one.score for one in verdict.examples]
    assert scores == sorted(scores, reverse=True)


def test_a_rule_without_its_key_or_with_a_capacity_nobody_has_is_refused(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="rule 'capacity' needs of"):
        Rule(rule="capacity", column="kwh")
    text = building.FLOW % {"write": "merge", "key": "meter, day", "period": ""}
    more = "  - {rule: capacity, column: mass_t, of: nothing, table: cleaned.enterprise, columns: [meter]}\n"
    files = {"schemas/cleaned/flow.yaml": text.replace("rules:\n", f"rules:\n{more}")}
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "p", files)))
    with pytest.raises(UserError, match=r"cleaned.enterprise has no column 'nothing'(.|\n)*its columns: uscc"):
        contracts()
