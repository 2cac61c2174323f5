"""The way from doubles to decimals and back is one, whoever takes it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from layers.numbers import fits, fix, to_double
from schemas.numbers import LIMIT, fix_sql

TIES = [0.0, 0.5e-6, -0.5e-6, 1.5e-6, 2.5e-6, -2.5e-6, 0.1234565, 1e-7, 123456.7890125, -8.9e12, 8999999999999.25]


def _fixed(spark: Any, values: list[float]) -> list[Decimal]:
    return [row[0] for row in spark.createDataFrame([(v,) for v in values], "x double").select(fix(F.col("x"))).collect()]


def test_columns_and_sql_fix_alike(spark: Any) -> None:
    by_duckdb = [duckdb.connect().execute(f"select {fix_sql(f'cast({v!r} as double)')}").fetchall()[0][0] for v in TIES]
    assert _fixed(spark, TIES) == by_duckdb


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=50, max_size=200))
def test_a_fixed_double_is_near_and_its_reversal_cancels(spark: Any, values: list[float]) -> None:
    there, back = _fixed(spark, values), _fixed(spark, [-v for v in values])
    assert [a + b for a, b in zip(there, back, strict=True)] == [Decimal(0)] * len(values)
    for value, fixed in zip(values, there, strict=True):
        exact = Decimal(value).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        assert abs(fixed - exact) <= Decimal("0.000001"), value


def test_a_decimal_goes_back_to_the_double_it_is_written_as(spark: Any) -> None:
    texts = ["0.100000", "2.275800", "-1234567.891011", "14000000.000000"]
    frame = spark.createDataFrame([(Decimal(t),) for t in texts], "d decimal(28,6)")
    assert [row[0] for row in frame.select(to_double(F.col("d"))).collect()] == [float(t) for t in texts]


def test_what_does_not_fit_is_told_before_it_is_fixed(spark: Any) -> None:
    values = [(1.0,), (LIMIT,), (-LIMIT,), (float("nan"),), (float("inf"),), (None,)]
    told = [row[0] for row in spark.createDataFrame(values, "x double").select(fits(F.col("x"))).collect()]
    assert told == [True, False, False, False, False, None]
