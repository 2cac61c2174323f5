"""Row rules say the same of a value as their definitions do."""

from __future__ import annotations

import string
from typing import Any

import pytest

from quality.rules import RowCheck, mask, row_checks, set_aside_bits, verdict
from schemas.contract import Rule
from schemas.errors import UserError
from tests.quality.given import contract

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
KNOWN_USCC = ["91350100M000100Y43", "9144030071526726XG", "914403001922038216"]


def failing(spark: Any, type_: str, rule: dict[str, Any], *values: Any) -> list[Any]:
    """Return the values that a rule on the column `x` refuses."""
    check = row_checks(contract({"x": type_}, [{"column": "x", **rule}]))[0]
    frame = spark.createDataFrame([(i, value) for i, value in enumerate(values)], "i int, x string")
    frame = frame.withColumn("x", frame.x.cast(type_))
    bad = {row.i for row in frame.withColumn("fine", check.predicate).collect() if row.fine is False}
    assert frame.filter(check.predicate.isNull()).count() == 0, "a predicate is never NULL"
    return [value for i, value in enumerate(values) if i in bad]


@pytest.mark.parametrize(
    ("type_", "rule", "values", "refused"),
    [
        ("string", {"rule": "not_null"}, ["a", "", None], [None]),
        ("decimal(28,6)", {"rule": "at_least", "limit": 0.5}, ["0.5", "0.499999", None], ["0.499999"]),
        ("int", {"rule": "at_most", "limit": 12}, ["12", "13"], ["13"]),
        ("bigint", {"rule": "at_least", "limit": 9007199254740993}, ["9007199254740992"], ["9007199254740992"]),
        ("date", {"rule": "between", "low": "2026-01-01", "high": "2026-12-31"},
         ["2026-01-01", "2027-01-01"], ["2027-01-01"]),
        ("timestamp", {"rule": "at_least", "limit": "2026-01-01T08:00:00+08:00"},
         ["2026-01-01 00:00:00", "2025-12-31 23:59:59"], ["2025-12-31 23:59:59"]),
        ("double", {"rule": "between", "low": 0, "high": 2}, ["1", "NaN", "Infinity", "-1"], ["NaN", "Infinity", "-1"]),
        ("string", {"rule": "one_of", "values": ["coal", "it's"]}, ["coal", "it's", "gas"], ["gas"]),
        ("int", {"rule": "one_of", "values": [1, 2]}, ["1", "3", None], ["3"]),
        ("string", {"rule": "length", "limit": 2}, ["电力", "a", "abc"], ["a", "abc"]),
        ("string", {"rule": "length", "low": 1, "high": 2}, ["", "a", "abc"], ["", "abc"]),
        ("string", {"rule": "pattern", "pattern": r"\d{3}"},
         ["123", "1234", "12", "１２３", "123\n"], ["1234", "12", "１２３", "123\n"]),
        ("string", {"rule": "phone"},
         ["13800138000", "0571-87654321", "+86 13800138000", "400-800-1234", "12345", "23800138000"],
         ["12345", "23800138000"]),
        ("string", {"rule": "expression", "expression": "x like 'a%'", "name": "e"}, ["ab", "b", None], ["b"]),
    ],
)  # fmt: skip
def test_a_rule_refuses_what_it_names_and_lets_null_pass(
    spark: Any, type_: str, rule: dict[str, Any], values: list[Any], refused: list[Any]
) -> None:
    assert failing(spark, type_, rule, *values) == refused


def test_uscc_knows_real_codes_and_every_wrong_character(spark: Any) -> None:
    wrong = [code[:i] + other + code[i + 1 :] for code in KNOWN_USCC[:1] for i in range(18)
             for other in "0123456789" + string.ascii_uppercase if other != code[i]]  # fmt: skip
    assert failing(spark, "string", {"rule": "uscc"}, *KNOWN_USCC, *wrong) == wrong


def test_uscc_agrees_with_the_weights_of_the_standard(spark: Any) -> None:
    bodies = [f"91{i:06d}{i * 7919:09d}"[:17] for i in range(60)] + [
        f"9133{'0' * 4}MA{USCC_ALPHABET[i]}BXY01Y"[:17] for i in range(31)
    ]
    codes = [body + USCC_ALPHABET[k] for body in bodies for k in range(31)]
    good = {
        body + USCC_ALPHABET[(31 - sum(USCC_ALPHABET.index(c) * 3**i for i, c in enumerate(body)) % 31) % 31] for body in bodies
    }
    assert set(codes) - set(failing(spark, "string", {"rule": "uscc"}, *codes)) == good


def test_resident_id_agrees_with_the_weights_of_the_standard(spark: Any) -> None:
    bodies = [f"{110105 + i}19491231{i + 2:03d}" for i in range(40)]
    numbers = [body + check for body in bodies for check in "0123456789X"]
    good = {body + "10X98765432"[sum(int(c) * 2 ** (17 - i) for i, c in enumerate(body)) % 11] for body in bodies}
    assert "11010519491231002X" in good
    assert set(numbers) - set(failing(spark, "string", {"rule": "resident_id"}, *numbers)) == good


def test_resident_id_wants_a_day_that_exists(spark: Any) -> None:
    no_days = ["110105194902300023", "110105194913010024", "110105194904310026"]
    assert failing(spark, "string", {"rule": "resident_id"}, *no_days, "11010519491231002x") == [
        *no_days,
        "11010519491231002x",
    ]


def test_code_lists_and_required_columns_are_checked_without_a_rule(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    many = frozenset(f"{i:06d}" for i in range(5000))
    monkeypatch.setattr("quality.rules.codes", lambda name: many)
    checks = row_checks(contract({"region_code": {"type": "string", "codes": "region", "required": True}}))
    assert [check.label for check in checks] == ["not_null_region_code", "code_region_code"]
    frame = spark.createDataFrame([("004999",), ("005000",), (None,)], "region_code string")
    assert [row[0] for row in frame.select(mask(checks)).collect()] == [0, 2, 1]


def test_a_declared_rule_stands_before_the_implicit_one() -> None:
    from quality.declared import row_rules

    rules = row_rules(contract({"x": {"type": "int", "required": True}}, [{"rule": "not_null", "column": "x", "else": "warn"}]))
    assert [(rule.label, rule.outcome) for rule in rules] == [("not_null_x", "warn")]


def test_the_mask_has_a_bit_for_every_failure_and_the_verdict_only_looks_at_quarantine(spark: Any) -> None:
    checks = row_checks(contract({"x": "int", "y": "int"}, [
        {"rule": "at_least", "column": "x", "limit": 0},
        {"rule": "at_most", "column": "x", "limit": 9, "else": "warn"},
        {"rule": "not_null", "column": "y", "else": "fail"},
    ]))  # fmt: skip
    frame = spark.createDataFrame([(1, 1), (-1, 1), (10, None), (-1, None), (None, 1)], "x int, y int")
    found = [tuple(row) for row in frame.select(mask(checks), verdict(checks)).collect()]
    assert found == [(0, False), (1, True), (6, False), (5, True), (0, False)]
    assert set_aside_bits(checks) == 1


def test_the_highest_bit_still_fits(spark: Any) -> None:
    from pyspark.sql import functions as F

    checks = [RowCheck(f"c{i}", "warn", lambda i=i: F.col("x") != i, Rule(rule="not_null", column="x")) for i in range(62)]
    frame = spark.createDataFrame([(0,), (61,)], "x int")
    assert [row[0] for row in frame.select(mask(checks)).collect()] == [1, 1 << 61]
    with pytest.raises(UserError, match="63 checks on one row, 62 at most"):
        mask([*checks, checks[0]])


def test_a_table_of_very_many_doubles_shares_the_bits_of_finite(spark: Any) -> None:
    names = [f"x{i}" for i in range(130)]
    checks = row_checks(contract(dict.fromkeys(names, "double")))
    assert len(checks) == 33 and checks[0].label == "finite_x0_x1_x2_x3"
    assert [name for check in checks for name in check.rule.columns] == names
    frame = spark.createDataFrame([(None, 1.0), (float("inf"), None), (1.0, float("nan"))], "x0 double, x1 double")
    rest = frame.selectExpr("*", *(f"cast(1 as double) as {name}" for name in names[2:]))
    assert [row[0] for row in rest.select(mask(checks)).collect()] == [0, 1, 1]


def test_doubles_must_be_finite_without_a_rule(spark: Any) -> None:
    checks = row_checks(contract({"value": "double"}))
    frame = spark.createDataFrame([(1.0,), (float("nan"),), (float("inf"),), (None,)], "value double")
    assert [row[0] for row in frame.select(mask(checks)).collect()] == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("type_", "rule", "message"),
    [
        ("decimal(18,6)", {"rule": "at_least", "limit": 1e13}, "no value of 'x', which is decimal"),
        ("decimal(18,6)", {"rule": "at_least", "limit": 1e-7}, "no value of 'x', which is decimal"),
        ("int", {"rule": "at_most", "limit": 0.5}, "no value of 'x', which is int"),
        ("date", {"rule": "at_least", "limit": "1.1.2026"}, "no value of 'x', which is date"),
        ("int", {"rule": "uscc"}, "judges texts, 'x' is int"),
        ("string", {"rule": "pattern", "pattern": r"\bkWh\b"}, "which engines read differently"),
        ("string", {"rule": "pattern", "pattern": "(?=a)b"}, "which engines read differently"),
        ("string", {"rule": "pattern", "pattern": "(a"}, "is not a regular expression"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_its_place(
    spark: Any, type_: str, rule: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        mask(row_checks(contract({"x": type_}, [{"column": "x", **rule}])))
    assert "schemas/thematic/meter.yaml" in str(caught.value)
