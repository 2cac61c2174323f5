"""Great Expectations counts what we count, and its pages open without a network."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import pandas as pd
import pytest

from quality.audit import judge
from quality.rules import mask, row_checks
from quality.suites import JUDGED_HERE_ONLY, suite
from schemas.contract import ROW_RULES, SET_RULES, Contract
from tests.quality.given import NOW, contract, judged, rows

SUBJECT = contract({"subject_id": "string"}, key=("subject_id",))
# Every rule kind once, with rows that fail each of them; `warn` keeps all rows in the table so that all are counted.
RULES: list[dict[str, Any]] = [
    {"rule": "not_null", "column": "id"},
    {"rule": "at_least", "column": "kwh", "limit": 0},
    {"rule": "at_most", "column": "kwh", "limit": 9},
    {"rule": "between", "column": "day", "low": "2026-02-01", "high": "2026-02-28"},
    {"rule": "one_of", "column": "kind", "values": ["meter", "bill"]},
    {"rule": "code", "column": "region_code", "codes": "region"},
    {"rule": "code", "column": "region_code", "codes": "region", "at": "day", "name": "region_on_the_day"},
    {"rule": "length", "column": "kind", "low": 2, "high": 5},
    {"rule": "pattern", "column": "id", "pattern": r"[a-z]\d?"},
    {"rule": "uscc", "column": "uscc"},
    {"rule": "resident_id", "column": "person"},
    {"rule": "phone", "column": "phone"},
    {"rule": "finite", "columns": ["kwh"]},
    {"rule": "expression", "name": "kwh_has_kind", "expression": "kwh < 5 or kind = 'meter'"},
    {"rule": "unique", "columns": ["id", "day"]},
    {"rule": "unique", "column": "phone"},
    {"rule": "reference", "column": "id", "table": "thematic.subject"},
    {"rule": "monotone", "column": "kwh", "by": ["kind"], "columns": ["day", "phone"]},
    {"rule": "no_overlap", "column": "day", "of": "day", "by": ["region_code"], "expression": "region_code > ''"},
    {"rule": "row_count", "low": 100},
    {"rule": "rate_of_change", "column": "kwh", "limit": 0.5, "by": ["kind"], "columns": ["day", "phone"]},
    {"rule": "robust_z", "column": "kwh", "limit": 3.5},
    {"rule": "capacity", "column": "kwh", "of": "kwh", "limit": 0.5},
]
TEXTS = ("id", "kind", "region_code", "uscc", "person", "phone")
COLUMNS = dict.fromkeys(TEXTS, "string") | {"day": "date", "kwh": "double"}
GOOD, BAD_USCC = "91350100M000100Y43", "91350100M000100Y44"
ROWS = [
    ("a", "meter", "330000", GOOD, "11010519491231002X", "13800138000", "2026-02-01", 1.0),
    ("b", "meter", "110000", BAD_USCC, "110105194912310021", "0571-87654321", "2026-02-02", 7.0),
    ("c7", "bill", "999999", "X", "123", "12345", "2026-01-31", -1.0),
    ("zz", "x", None, None, None, None, "2026-03-01", 99.5),
    (None, "meter", "330000", GOOD, "11010519491231002X", "13800138001", "2026-02-03", 6.5),
    (None, "parcel", "33", GOOD, None, "13800138001", "2026-02-03", None),
    ("a", None, "330000", None, None, "13800138002", "2026-02-01", 9.0),
    ("a", "bill", "330000", None, None, None, "2026-02-01", 8.0),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("rules", "recount", "suites"):
        monkeypatch.setattr(f"quality.{module}.codes", lambda name: frozenset({"330000", "110000"}))
        monkeypatch.setattr(f"quality.{module}.periods", lambda name: {
            ("", "2026-02-01"): frozenset({"330000"}), ("2026-02-01", ""): frozenset({"110000"})})  # fmt: skip
    for module in ("sets", "suites"):
        monkeypatch.setattr(f"quality.{module}.contracts", lambda: {"thematic.subject": SUBJECT})


@pytest.fixture
def table() -> Contract:
    return contract(COLUMNS, [{**rule, "else": "warn"} for rule in RULES])


def ours(spark: Any, table: Contract) -> dict[str, int]:
    """Count by our own way: the bit mask of the engine, then the audit."""
    header = ", ".join(f"{name} string" for name in list(COLUMNS)[:-1]) + ", kwh double"
    frame = spark.createDataFrame(ROWS, header)
    frame = frame.withColumn("day", frame.day.cast("date"))
    written = frame.select("*", mask(row_checks(table)).alias("_rules")).toArrow()
    connection = duckdb.connect()
    connection.register("new", written)
    connection.execute("create schema thematic")
    connection.execute("create view thematic.subject as select unnest(['a', 'b']) as subject_id")
    verdicts = judge(table, connection, has_old=False, quarantined={}, rows_in=None, superseded=0, now=NOW)
    assert not [one for one in verdicts if one.stops]
    return {one.rule: one.failed for one in verdicts}


def theirs(spark: Any, table: Contract) -> dict[str, int]:
    """Let Great Expectations execute the suite: on pandas, and what is SQL through its Spark engine."""
    import great_expectations as gx

    from quality.report import gx_suite

    data = pd.DataFrame(ROWS, columns=list(COLUMNS)).astype(object).where(lambda frame: frame.notna(), None)
    data["kwh"] = data["kwh"].astype(float)
    data["day"] = [date.fromisoformat(day) for day in data["day"]]
    spark.createDataFrame([("a",), ("b",)], "subject_id string").createOrReplaceTempView("thematic_subject")
    header = ", ".join(f"{name} string" for name in list(COLUMNS)[:-1]) + ", kwh double"
    context = gx.get_context(mode="ephemeral")
    memory = context.data_sources.add_pandas("memory").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
    engine = context.data_sources.add_spark("engine").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
    frame = spark.createDataFrame(ROWS, header)
    counts = {}
    for expectation in gx_suite(table).expectations:
        sql = expectation.expectation_type == "unexpected_rows_expectation"
        batch = (engine if sql else memory).get_batch(batch_parameters={"dataframe": frame if sql else data})
        found = batch.validate(expectation)
        assert found.exception_info.get("raised_exception") is False, (expectation.meta, found.exception_info)
        seen = int(found.result["observed_value"]) if sql else found.result.get("unexpected_count", int(not found.success))
        counts[expectation.meta["rule"]] = seen
    return counts


def test_great_expectations_executes_the_same_suite_and_counts_the_same(spark: Any, table: Contract) -> None:
    here, there = ours(spark, table), theirs(spark, table)
    assert {label: here[label] for label in there} == there
    assert set(there) == {rule.label for rule in table.rules}
    assert [label for label, count in there.items() if not count] == ["finite_kwh"], "some row breaks every rule"


def test_every_rule_kind_is_compared_or_named_as_judged_here_only() -> None:
    compared = {rule["rule"] for rule in RULES}
    assert compared | {name.split()[0] for name in JUDGED_HERE_ONLY} == {*ROW_RULES, *SET_RULES, "balance"}


def test_every_contract_has_a_suite_with_one_expectation_a_check() -> None:
    from quality.declared import row_rules, set_rules
    from schemas.contracts import contracts

    for one in contracts().values():
        labels = [expectation["meta"]["rule"] for expectation in suite(one)]
        assert len(labels) == len(set(labels)) == len(row_rules(one)) + len(set_rules(one)) + len(one.balance)


def test_the_pages_open_offline_and_show_every_verdict(tmp_path: Path) -> None:
    from quality.report import Judged, write

    small = contract({"id": "string", "kwh": {"type": "decimal(28,6)", "unit": "kWh"}},
                     [{"rule": "at_least", "column": "kwh", "limit": 0}, {"rule": "row_count", "low": 9}],
                     key=("id",))  # fmt: skip
    verdicts = judged(small, rows("id, kwh, _rules", "'a', 1, 0"), rows_in=3, quarantined={"*": 2, "at_least_kwh": 2})
    first = write([Judged(small, list(verdicts.values()), "run-7", NOW)], tmp_path / "docs")
    home = first.read_text(encoding="utf-8")
    assert "row_count: 1 rows, at least 9 expected" in home
    link = re.search(r'href="([^"]+)"', home)
    assert link
    page = (first.parent / unquote(link[1])).read_text(encoding="utf-8")
    assert "thematic.meter" in page
    assert "run-7" in page
    for path in first.parent.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<(script|iframe|form)\b|(src|srcset)=|url\([\"']?(https?:)?//|<link\b[^>]*//|@import", text), path


def test_a_check_without_a_verdict_is_shown_as_a_failure() -> None:
    from quality.report import Judged, result

    small = contract({"id": "string"}, [{"rule": "not_null", "column": "id"}])
    told = result(Judged(small, [], "run-8", NOW))
    assert not told.success
    assert told.results[0].result["observed_value"] == "did not run"


def test_no_build_pays_for_the_import_of_great_expectations() -> None:
    code = "import sys, quality.rules, quality.audit, quality.suites; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
