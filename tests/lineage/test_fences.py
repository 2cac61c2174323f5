"""The fence refuses what the embedded engine does otherwise, and lets everything harmless through."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from layers.numbers import fits, fix, to_double
from lineage.columns import column_lineage, finished, started
from lineage.deny import FENCES
from lineage.fences import problems, refuse
from schemas.errors import UserError
from schemas.numbers import fix_sql
from tests.lineage.cases import CASES, FAILS, ROWS, SCHEMA


@pytest.fixture
def t(spark: Any) -> DataFrame:
    """Return a small table with a column of every type."""
    frame: DataFrame = spark.createDataFrame([_utc(row) for row in ROWS], SCHEMA)
    return frame


def _utc(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(v.replace(tzinfo=UTC) if isinstance(v, datetime) else v for v in row)


@pytest.mark.parametrize("name", CASES)
def test_it_refuses_and_says_what_to_write_instead(t: DataFrame, name: str) -> None:
    case = CASES[name]
    with pytest.raises(UserError) as caught:
        refuse(case.make(t), "sail", inputs={"t": t})
    assert caught.value.what.startswith(case.operation), caught.value.what
    assert "`engine: spark`" in caught.value.remedy
    refuse(case.make(t), "spark", inputs={"t": t})


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.instead])
def test_what_to_write_instead_passes_and_runs(t: DataFrame, name: str) -> None:
    case = CASES[name]
    assert case.instead
    made = case.instead(t)
    refuse(made, "sail", case.tolerance, inputs={"t": t})
    assert made.collect()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.spark is not None])
def test_the_embedded_engine_answers_otherwise_than_spark(t: DataFrame, name: str) -> None:
    case = CASES[name]
    made = case.make(t)
    if case.spark == FAILS:
        assert made.collect(), "an answer, where Apache Spark fails"
        return
    found = made.dtypes if isinstance(case.spark[0][-1], str) and case.operation in ("union", "when") else _rows(made)
    assert repr(found) != repr(case.spark)


def _rows(made: DataFrame) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in made.collect()]


def test_every_entry_of_the_deny_list_has_a_case(t: DataFrame) -> None:
    found = set()
    for case in CASES.values():
        made = case.make(t)
        walk, relation = started(made, {"t": t})
        finished(walk, relation)
        found |= {problem.fence for problem in problems(walk) if problem.fence}
    assert [fence.operations for fence in FENCES if fence not in found] == []


HARMLESS = {
    "fixed doubles": lambda t: t.select(fix(F.col("x")), F.expr(fix_sql("x")), fits(F.col("x")), to_double(F.col("d"))),
    "sums of decimals": lambda t: t.groupBy("k").agg(F.sum("d"), F.sum(fix(F.col("x"))), F.count("*"), F.max("d")),
    "sums of counts": lambda t: t.groupBy("k").count().agg(F.sum("count"), F.max("count")),
    "a year and a month": lambda t: t.select(F.year("day") * 100 + F.month("day"), F.col("i") + 1),
    "days of a day": lambda t: t.select(F.to_date(F.date_trunc("month", "day")), F.trunc("day", "year"), F.add_months("day", 1)),
    "an instant in full": lambda t: t.select(F.date_format("t", "yyyyMMdd'T'HHmm")),
    "a zone in an earlier step": lambda t: t.withColumn("z", F.from_utc_timestamp("t", "Asia/Shanghai")).select(F.to_date("z")),
    "an instant from a zone": lambda t: t.select(
        F.to_utc_timestamp(F.date_trunc("month", F.from_utc_timestamp("t", "Asia/Shanghai")), "Asia/Shanghai")
    ),
    "the newest of a key": lambda t: t.withColumn(
        "r", F.row_number().over(Window.partitionBy("k").orderBy("i", "s"))
    ).filter("r = 1"),
    "joins, unions, distinct": lambda t: (
        t.join(t.select("k", F.col("s").alias("o")), "k").select("o").union(t.select("s")).distinct()
    ),
    "decimals with decimals": lambda t: t.select(F.col("d") + F.lit(Decimal("0.5")), F.col("d") * F.lit(2), F.col("d") > 0),
    "least and most": lambda t: t.agg(F.min("x"), F.max("x"), F.min("s"), F.max("t")),
    "texts": lambda t: t.select(F.concat_ws("|", "s", F.col("i").cast("string")), F.col("d").cast("string"), F.upper("s")),
    "lists in an order": lambda t: t.groupBy("k").agg(F.concat_ws(",", F.sort_array(F.collect_set("s")))),
    "rows in an order": lambda t: t.orderBy("i"),
    "the rest of a branch": lambda t: t.select(
        F.when(F.col("k") > 1, F.col("x")), F.coalesce("x", F.lit(0.0)), F.coalesce("s", F.lit(None))
    ),
    "doubles": lambda t: t.select(F.col("x") / F.col("k"), F.abs("x") * 1e6, F.floor("x"), F.round("x"), F.sqrt("x")),
    "lambdas": lambda t: t.select(F.transform("l", lambda v: v * 2.0), F.exists("l", lambda v: v > 1.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_passes(t: DataFrame, name: str) -> None:
    refuse(HARMLESS[name](t), "sail", inputs={"t": t})


OPAQUE = {
    "a Python function": lambda t: t.select(F.udf(lambda v: v, "double")("x")),
    "a function over rows": lambda t: t.mapInPandas(lambda parts: parts, SCHEMA),
    "a function over groups": lambda t: t.groupBy("k").applyInPandas(lambda part: part, SCHEMA),
    "a statistic": lambda t: t.describe("x"),
}


@pytest.mark.parametrize("name", OPAQUE)
def test_what_cannot_be_read_is_refused(t: DataFrame, name: str) -> None:
    with pytest.raises(UserError, match="can't be looked into"):
        refuse(OPAQUE[name](t), "sail", inputs={"t": t})


def test_the_refusal_names_the_line_of_the_transform(t: DataFrame) -> None:
    with pytest.raises(UserError) as caught:
        refuse(t.select(F.col("d") / 2), "sail", inputs={"t": t}, where="business.x")
    assert caught.value.where.startswith("business.x ")
    assert "test_fences.py:" in caught.value.where


def test_a_type_that_only_the_engine_knows_is_asked_for(t: DataFrame) -> None:
    with pytest.raises(UserError, match="decimal"):
        refuse(t.select(F.map_from_arrays(F.array("s"), F.array("d"))["abc"] / 2), "sail", inputs={"t": t})
    refuse(t.select(F.map_from_arrays(F.array("s"), F.array("x"))["abc"] / 2), "sail", inputs={"t": t})


def test_what_lies_below_the_inputs_is_not_looked_at(t: DataFrame) -> None:
    cleaned = t.select(F.col("x").cast("decimal(28,6)").alias("q"))
    refuse(cleaned.select("q"), "sail", inputs={"cleaned": cleaned})
    with pytest.raises(UserError):
        refuse(cleaned.select("q"), "sail", inputs={"t": t})


ZONED = {"hour of an instant": ([17, 1], [1, 9]), "day of an instant": (["2026-01-31", "2026-02-01"], ["2026-02-01"] * 2),
         "instant of a day": ([0, 0], [16, 16]), "instant of text": ([17, 17], [9, 9])}  # fmt: skip


@pytest.mark.parametrize("name", ZONED)
def test_a_named_zone_gives_the_hour_and_day_of_the_source(t: DataFrame, name: str) -> None:
    case, (without, named) = CASES[name], ZONED[name]
    assert case.instead
    assert [_short(case.make(t)), _short(case.instead(t))] == [without, named]


def _short(made: DataFrame) -> list[Any]:
    kind = made.dtypes[0][1]
    shown = made.toDF("v").selectExpr("hour(v)" if kind == "timestamp" else "cast(v as string)" if kind == "date" else "v")
    return [row[0] for row in shown.collect()]


def test_after_lineage_the_fence_looks_at_the_same_walk(t: DataFrame) -> None:
    cleaned = t.select(F.col("x").cast("decimal(28,6)").alias("q"))
    fine, wrong = cleaned.select("q"), cleaned.select(F.col("q") / 2)
    for made in (fine, wrong):
        column_lineage(made, {"cleaned": cleaned})
    refuse(fine, "sail")
    with pytest.raises(UserError, match="quotient"):
        refuse(wrong, "sail")
