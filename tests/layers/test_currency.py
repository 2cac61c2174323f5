"""Money is converted at the rate of its day; what has no rate says why, and is never converted by another day's."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import functions as F

from jobs.session import Engine
from layers.currency import converted, currency_code
from layers.knowledge.exchange_rate import transform
from lineage.columns import column_lineage
from lineage.fences import refuse
from tests.frames import frame

RATES = [("USD", "CNY", "2023-01-01", 7.0467), ("USD", "CNY", "2024-01-01", 7.1217), ("CNY", "JPY", "2024-01-01", 20.0),
         ("EUR", "USD", "2024-01-01", 1.08)]  # fmt: skip


def rates(session: Any, kind: str = "year_average") -> Any:
    given = [{"base_currency": base, "quote_currency": quote, "kind": kind, "valid_from": day, "rate": rate}
             for base, quote, day, rate in RATES]  # fmt: skip
    return transform(frame(session, "cleaned.exchange_rate", given))


def money(session: Any, *rows: tuple[Any, ...]) -> Any:
    typed = [(n, None if amount is None else Decimal(amount), code, date.fromisoformat(day))
             for n, (amount, code, day) in enumerate(rows)]  # fmt: skip
    return session.createDataFrame(typed, "n int, amount decimal(28,6), currency string, day date")


def done(session: Any, *rows: tuple[Any, ...], kind: str = "year_average", oldest: int = 400) -> list[tuple[Any, ...]]:
    made = converted(money(session, *rows), rates(session), amount="amount", currency="currency", day="day", kind=kind,
                     oldest_days=oldest)  # fmt: skip
    return [(row.amount_cny, row.rate_reason) for row in made.orderBy("n").collect()]


def test_the_latest_rate_in_force_on_the_day_applies(spark: Any) -> None:
    rows = [(100, "USD", "2023-12-31"), (100, "USD", "2024-01-01"), (-0.5, "USD", "2024-06-30"), (5, "CNY", "1999-01-01")]
    assert done(spark, *rows) == [
        (Decimal("704.670000"), None), (Decimal("712.170000"), None), (Decimal("-3.560850"), None), (Decimal("5.000000"), None),
    ]  # fmt: skip


def test_a_pair_known_the_other_way_round_is_turned_and_a_cross_is_not_made_up(spark: Any) -> None:
    assert done(spark, (100, "JPY", "2024-05-01"), (1, "EUR", "2024-05-01")) == [(Decimal("5.000000"), None), (None, "no_rate")]


def test_what_is_not_converted_says_why(spark: Any) -> None:
    assert done(spark, (1, "USD", "2022-12-31"), (1, "USD", "2025-03-01"), (1, None, "2024-01-01"), (None, "USD", "2024-01-01"),
                (8e12, "USD", "2024-01-01")) == [
        (None, "no_rate"), (None, "rate_too_old"), (None, "no_currency"), (None, None), (None, "out_of_range"),
    ]  # fmt: skip
    assert done(spark, (1, "USD", "2024-01-01"), kind="central_parity") == [(None, "no_rate")], "kinds are never mixed"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("人民币", "CNY"),
        (" usd ", "USD"),
        ("US$", "USD"),
        ("¥", None),
        ("元", "CNY"),
        ("港币", "HKD"),
        ("$", None),
        ("比索", None),
        (None, None),
    ],
)
def test_a_currency_is_known_by_the_names_people_give_it_and_a_sign_of_several_is_none(
    spark: Any, text: str | None, code: str | None
) -> None:
    (row,) = spark.createDataFrame([(text,)], "t string").select(currency_code(F.col("t"))).collect()
    assert row[0] == code


def test_the_embedded_engine_may_run_it(spark: Any) -> None:
    given, known = money(spark, (1, "USD", "2024-01-01")), rates(spark)
    made = converted(given, known, amount="amount", currency="currency", day="day", kind="year_average", oldest_days=9)
    assert column_lineage(made, {"cleaned.money": given, "knowledge.exchange_rate": known}).opaque == ()
    refuse(made, "sail")


@pytest.mark.spark
def test_both_engines_convert_alike(spark: Any, reference: Engine) -> None:
    rows = [(f"{n}.{n:06d}", ("USD", "JPY", "CNY", "EUR")[n % 4], f"2024-0{n % 9 + 1}-11") for n in range(200)]
    assert done(reference.session, *rows) == done(spark, *rows)
