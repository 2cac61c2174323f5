"""The audit sees what is wrong with a table, says by how much, and never passes a check that did not run."""

from __future__ import annotations

from typing import Any

import pytest

from quality.audit import judge, raise_if_failed
from schemas.errors import UserError
from tests.quality.given import NOW, contract, decimal, judged, rows

COLUMNS = {"id": "string", "day": "date", "kwh": {"type": "decimal(28,6)", "unit": "kWh"}}
GOOD = ("'a', date '2026-02-01', 1.5, 0", "'a', date '2026-02-02', 2.5, 0", "'b', date '2026-02-01', 4, 0")
HEADER = "id, day, kwh, _rules"


def one_rule(rule: dict[str, Any], *values: str, **given: Any) -> Any:
    """Judge rows by one rule and return its verdict."""
    table = contract(COLUMNS, [rule])
    verdicts = judged(table, rows(HEADER, *values), **given)
    return verdicts[table.rules[0].label]


def test_good_rows_pass_every_check() -> None:
    table = contract(COLUMNS, [{"rule": "at_least", "column": "kwh", "limit": 0}], key=("id", "day"))
    verdicts = judged(table, rows(HEADER, *GOOD), rows_in=5, quarantined={"at_least_kwh": 1, "*": 1}, superseded=1)
    assert all(verdict.passed for label, verdict in verdicts.items() if label != "at_least_kwh")
    assert (verdicts["at_least_kwh"].failed, verdicts["at_least_kwh"].rows) == (1, 4)
    assert verdicts["balance_rows"].detail == "5 rows in, 3 written + 1 set aside + 1 superseded = 5"
    raise_if_failed(list(verdicts.values()), table)


def test_the_engines_counts_are_counted_again() -> None:
    found = one_rule({"rule": "at_least", "column": "kwh", "limit": 2}, *GOOD)
    assert (found.stops, found.failed) == (True, 1)
    assert "cannot be believed" in found.detail


@pytest.mark.parametrize(
    "rule",
    [{"rule": "not_null", "column": "id"}, {"rule": "at_most", "column": "day", "limit": "2026-02-01"},
     {"rule": "between", "column": "kwh", "low": 0, "high": 3}, {"rule": "one_of", "column": "id", "values": ["a"]},
     {"rule": "length", "column": "id", "low": 1, "high": 1}],
)  # fmt: skip
def test_a_bad_row_that_the_engine_let_through_is_found(rule: dict[str, Any]) -> None:
    bad = "'a', date '2026-02-01', 1, 0", "NULL, date '2026-02-09', 9, 0", "'bb', NULL, NULL, 0"
    assert one_rule(rule, *bad).failed >= 1


def test_a_good_row_that_the_engine_marked_is_found() -> None:
    assert one_rule({"rule": "at_least", "column": "kwh", "limit": 0, "else": "warn"}, "'a', NULL, 1, 1").stops


def test_a_warning_is_counted_and_does_not_stop() -> None:
    found = one_rule({"rule": "at_least", "column": "kwh", "limit": 2, "else": "warn"}, "'a', NULL, 1, 1", "'b', NULL, 2, 0")
    assert (found.failed, found.rows, found.passed, found.stops) == (1, 2, False, False)


def test_an_accepted_row_that_fails_a_quarantine_rule_stops() -> None:
    table = contract(COLUMNS, [{"rule": "pattern", "column": "id", "pattern": "[0-9]+"}])
    for bits in (1, 2):  # the rule's own bit, and one beyond the contract's rules: a failed type
        assert judged(table, rows(HEADER, f"'a', NULL, 1, {bits}"))["none_set_aside"].stops


def test_rows_without_a_mask_are_only_fine_when_carried_over() -> None:
    table = contract(COLUMNS, [{"rule": "at_least", "column": "kwh", "limit": 0}])
    new = rows(HEADER, "'a', NULL, 1, NULL::bigint", "'b', NULL, 1, 0")
    assert judged(table, new)["every_row_judged"].stops
    assert judged(table, new, carried=1)["every_row_judged"].passed
    # Whoever carries them over has judged them: an earlier build, or a person who let them pass.
    assert judged(table, rows(HEADER, "'a', NULL, -1, NULL::bigint"), carried=1)["at_least_kwh"].passed


def test_files_without_a_mask_mean_that_no_row_rule_ran() -> None:
    table = contract(COLUMNS, [{"rule": "at_least", "column": "kwh", "limit": 0, "else": "warn"}])
    found = judged(table, rows("id, day, kwh", "'a', NULL::date, 1"))["at_least_kwh"]
    assert found.stops
    assert found.detail.startswith("did not run")


def test_a_missing_column_means_that_its_checks_did_not_run() -> None:
    table = contract(COLUMNS, [{"rule": "at_least", "column": "kwh", "limit": 0}], key=("id",), balance=["kwh"])
    verdicts = judged(table, rows("id, _rules", "'a', 0"))
    assert {label for label, one in verdicts.items() if one.stops} >= {"at_least_kwh", "key_unique", "balance_kwh"}
    pure = judged(contract(COLUMNS), rows("id, day, _rules", "'a', date '2026-01-01', 0"))
    assert pure["columns"].detail == "did not run: the files lack kwh"


def test_a_view_that_is_not_there_fails_every_declared_check() -> None:
    import duckdb

    table = contract(COLUMNS, [{"rule": "not_null", "column": "id"}], key=("id",))
    verdicts = judge(table, duckdb.connect(), has_old=False, quarantined={}, rows_in=None, superseded=0, now=NOW)
    assert [(one.rule, one.stops) for one in verdicts] == [("not_null_id", True), ("key_unique", True)]


def test_the_key_is_unique_and_never_null_without_a_rule() -> None:
    table = contract(COLUMNS, key=("id", "day"))
    verdicts = judged(table, rows(HEADER, *GOOD, GOOD[0], "NULL, date '2026-02-01', 1, 0", "NULL, date '2026-02-01', 1, 0"))
    assert verdicts["key_unique"].detail == "2 rows share a key, e.g. id=a, day=2026-02-01 (2 rows)"
    assert verdicts["key_not_null"].detail == "id is NULL in 2 rows"


def test_keys_of_equal_hashes_are_compared_exactly() -> None:
    import duckdb

    table = contract({"id": "string"}, key=("id",))
    connection = duckdb.connect()
    connection.execute("create view new as select i::varchar as id, 0 as _rules from range(100) t(i)")
    connection.execute("create macro hash(x) as 1")
    verdicts = judge(table, connection, has_old=False, quarantined={}, rows_in=None, superseded=0, now=NOW)
    assert next(one for one in verdicts if one.rule == "key_unique").passed


def test_a_reference_is_looked_up_by_name_or_by_the_other_tables_key(monkeypatch: pytest.MonkeyPatch) -> None:
    other = contract({"subject_id": "string"}, key=("subject_id",))
    monkeypatch.setattr("quality.sets.contracts", lambda: {"thematic.subject": other})
    rule = {"rule": "reference", "column": "id", "table": "thematic.subject"}
    for column in ("id", "subject_id"):
        found = one_rule(rule, *GOOD, "NULL, NULL, 1, 0", views={"thematic.subject": f"select 'a' as {column}"})
        assert (found.failed, found.detail) == (1, "1 rows refer to nothing in thematic.subject, e.g. id=b")
    missing = one_rule(rule, *GOOD)
    assert missing.stops
    assert missing.detail.startswith("did not run")


def test_a_parent_in_the_same_table_is_found_by_the_key() -> None:
    table = contract({"id": "string", "parent_id": "string"},
                     [{"rule": "reference", "column": "parent_id", "table": "thematic.meter"}],
                     key=("id",))  # fmt: skip
    verdicts = judged(table, rows("id, parent_id, _rules", "'a', NULL, 0", "'b', 'a', 0", "'c', 'x', 0"))
    assert (verdicts["reference_parent_id"].failed, verdicts["reference_parent_id"].rows) == (1, 3)


def test_a_meter_that_runs_backwards_is_found_within_its_own_series() -> None:
    rule = {"rule": "monotone", "column": "kwh", "by": ["id"], "columns": ["day"], "else": "warn"}
    assert one_rule(rule, *GOOD, "'b', date '2026-02-02', NULL, 0", "'b', date '2026-02-03', 4, 0").passed
    found = one_rule(rule, *GOOD, "'b', date '2026-02-02', NULL, 0", "'b', date '2026-02-03', 3.5, 0")
    assert (found.failed, found.stops) == (1, False)
    assert found.detail == "1 rows fall, e.g. kwh from 4.0 to 3.5 at id=b, day=2026-02-03"


def test_a_period_that_overlaps_another_is_named_with_it_and_with_what_to_do() -> None:
    columns = {"id": "string", "who": "string", "first": "date", "last": "date"}
    rule = {"rule": "no_overlap", "column": "first", "of": "last", "by": ["who"], "expression": "who <> 'x'"}
    table, header = contract(columns, [rule], key=("id",)), "id, who, first, last, _rules"
    apart = ("'a', 'm', NULL::date, date '2025-12-31', 0", "'b', 'm', date '2026-01-01', NULL, 0",
             "'c', 'n', date '2026-01-01', NULL, 0", "'d', 'x', NULL, NULL, 0", "'e', 'x', NULL, NULL, 0")  # fmt: skip
    assert judged(table, rows(header, *apart))["no_overlap_first"].passed
    # Two that are nobody's hold at once, too; a short one within a long one counts, not only a neighbour.
    bad = ("'f', 'm', date '2026-03-01', date '2026-03-31', 0", "'g', 'n', date '2027-01-01', NULL, 0")
    found = judged(table, rows(header, *apart, *bad))["no_overlap_first"]
    assert (found.failed, found.stops) == (2, True)
    assert found.detail == ("2 rows hold while another does, e.g. f (from 2026-03-01) and b: end the earlier by last, "
                            "or tell them apart by who")  # fmt: skip
    touching = judged(table, rows(header, "'a', 'm', NULL::date, date '2026-01-01', 0", apart[1]))["no_overlap_first"]
    assert touching.failed == 1


def test_freshness_measures_the_latest_value_against_now() -> None:
    rule = {"rule": "freshness", "column": "day"}
    assert one_rule({**rule, "limit": "28d"}, *GOOD).passed
    found = one_rule({**rule, "limit": "27d"}, *GOOD)
    assert found.detail == "the latest day is 2026-02-02 00:00 UTC, more than 27d ago"
    assert one_rule({**rule, "limit": "1 month"}, *GOOD).detail.startswith("did not run: '1 month' is no age")


def test_rows_and_sums_are_compared_with_the_version_before() -> None:
    old = rows(HEADER, GOOD[0], GOOD[1])
    assert one_rule({"rule": "row_count", "limit": 0.5}, *GOOD, old=old).passed
    found = one_rule({"rule": "row_count", "limit": 0.49}, *GOOD, old=old)
    assert found.detail == "rows: 3 after 2 (+50.0%, at most ±49.0% allowed)"
    assert one_rule({"rule": "sum_change", "column": "kwh", "limit": 1}, *GOOD, old=old).passed
    found = one_rule({"rule": "sum_change", "column": "kwh", "limit": 0.99}, *GOOD, old=old)
    assert found.detail == "sum of kwh: 8.0 after 4.0 (+100.0%, at most ±99.0% allowed)"
    assert one_rule({"rule": "sum_change", "column": "kwh", "limit": 0.1}, *GOOD).detail == "no earlier version"


def test_row_count_has_bounds() -> None:
    assert one_rule({"rule": "row_count", "low": 3, "high": 3}, *GOOD).passed
    assert one_rule({"rule": "row_count", "low": 4}, *GOOD).detail == "3 rows, at least 4 expected"
    assert one_rule({"rule": "row_count", "high": 2}, *GOOD).detail == "3 rows, at most 2 expected"


def test_a_lost_row_is_missed() -> None:
    found = judged(contract(COLUMNS), rows(HEADER, *GOOD), rows_in=6, quarantined={"*": 1}, superseded=1)["balance_rows"]
    assert (found.stops, found.failed, found.found, found.expected) == (True, 1, decimal("5"), decimal("6"))
    assert found.detail.endswith("= 5: 1 missing")


def test_a_measure_must_equal_its_inputs_in_every_group() -> None:
    equals = "select id, sum(kwh) from cleaned.meter group by id"
    table = contract(COLUMNS, balance=[{"measure": "kwh", "by": ["id"], "equals": equals}])
    shifted = rows("id, kwh", "'a', 4.000001", "'b', 3.999999")
    found = judged(table, rows(HEADER, *GOOD), views={"cleaned.meter": shifted})["balance_kwh"]
    assert (found.failed, found.rows, found.found, found.expected) == (2, 2, decimal("8"), decimal("8"))
    assert "kwh (kWh), id=a: 4.0" in found.detail
    assert "0.000001 missing" in found.detail


def test_a_group_that_is_only_on_one_side_does_not_balance() -> None:
    table = contract(COLUMNS, balance=[{"measure": "kwh", "by": ["id"], "equals": "select id, kwh from cleaned.meter"}])
    lost = rows("id, kwh", "'a', 1.5", "'a', 2.5", "'b', 4.0", "NULL, 0.5", "'z', 0")
    found = judged(table, rows(HEADER, *GOOD), views={"cleaned.meter": lost})["balance_kwh"]
    assert (found.failed, found.detail) == (1, "kwh (kWh), id=None: 0.0 here, 0.5 in what came in, 0.5 missing")


def test_sums_of_doubles_are_no_proof() -> None:
    table = contract(COLUMNS, balance=[{"measure": "kwh", "equals": "select 8.0::double"}])
    assert "gives DOUBLE" in judged(table, rows(HEADER, *GOOD))["balance_kwh"].detail


def test_without_equals_a_measure_is_that_of_the_inputs_of_the_same_name() -> None:
    table = contract(COLUMNS, balance=[{"measure": "kwh", "by": ["id"]}], inputs=["cleaned.meter", "cleaned.building"])
    views = {"cleaned.meter": rows("id, kwh", "'a', 4.0", "'b', 4.0"), "cleaned.building": "select 'a' as id"}
    assert judged(table, rows(HEADER, *GOOD), views=views)["balance_kwh"].passed
    assert judged(table, rows(HEADER, *GOOD[1:]), views=views)["balance_kwh"].stops


def test_a_cleaned_measure_is_that_of_the_delivery() -> None:
    source = {"zone": "grid", "path": "*.csv", "format": "csv", "publisher": "p", "licence": "l"}
    table = contract(COLUMNS, layer="cleaned", source=source, balance=["kwh"])
    new = rows(HEADER, *GOOD)
    assert judged(table, new)["balance_kwh"].detail == "did not run: nobody counted kwh in the delivery"
    assert judged(table, new, inflow={"kwh": decimal("9")}, aside={"kwh": decimal("1")})["balance_kwh"].passed
    assert judged(table, new, inflow={"kwh": decimal("9")})["balance_kwh"].detail.endswith("1.0 missing")


def test_the_error_names_every_check_that_stops() -> None:
    table = contract(COLUMNS, [{"rule": "row_count", "low": 9}, {"rule": "row_count", "low": 8, "name": "few", "else": "warn"}])
    with pytest.raises(UserError) as caught:
        raise_if_failed(list(judged(table, rows(HEADER, *GOOD), rows_in=4).values()), table)
    text = str(caught.value)
    assert text.startswith("schemas/thematic/meter.yaml: thematic.meter is not published, 2 of")
    assert "row_count: 3 rows, at least 9 expected" in text
    assert "1 missing" in text
    assert "few" not in text
