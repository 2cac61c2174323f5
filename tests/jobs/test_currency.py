"""Invoices in several currencies, through the built tables: converted, or waiting in quarantine by name of the rule."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from jobs.lake import Lake
from schemas.rooms import SHIPPED
from tests.jobs import building

INVOICE = """
description: Invoices as they came
owner: tests
source: {zone: invoices, path: "*.csv", format: csv, publisher: us, licence: CC0-1.0}
key: [number]
columns:
  number: {type: bigint, description: Number}
  day: {type: date, description: Day}
  amount: {type: "decimal(28,6)", description: Amount in its currency}
  currency: {type: string, description: Currency as written}
"""
SPEND = """
description: Invoices in yuan
owner: tests
inputs: [cleaned.invoice, knowledge.exchange_rate]
key: [number]
columns:
  number: {type: bigint, description: Number}
  amount_cny: {type: "decimal(28,6)", unit: CNY, description: Amount}
  rate_from: {type: date, description: Day of the rate}
  rate_reason: {type: string, description: Why there is no amount}
rules:
  - {rule: not_null, column: amount_cny}
"""
TRANSFORM = '''"""Invoices in yuan."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.currency import converted, currency_code


def transform(invoice: DataFrame, exchange_rate: DataFrame) -> DataFrame:
    """Return each invoice at the average rate of its year."""
    coded = invoice.withColumn("code", currency_code(F.col("currency")))
    return converted(coded, exchange_rate, amount="amount", currency="code", day="day", kind="year_average", oldest_days=365)
'''
FILES = {"schemas/cleaned/invoice.yaml": INVOICE, "schemas/thematic/spend.yaml": SPEND, "layers/thematic/spend.py": TRANSFORM}


def test_invoices_are_converted_and_what_has_no_rate_waits(
    lake: Lake, spark: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "project", FILES)))
    rates = SHIPPED / "samples/deliveries/factors/exchange/usd_cny.csv"
    building.deliver(lake, "cleaned.exchange_rate", "exchange/usd_cny.csv", rates.read_bytes())
    lines = "1,2023-07-01,100,美元\n2,2024-12-31,100,US$\n3,2026-06-01,1,USD\n4,2024-01-01,7,元\n5,2024-01-01,9,贝壳\n"
    building.deliver(lake, "cleaned.invoice", "a.csv", "number,day,amount,currency\n" + lines)
    ended = building.build(lake, spark, "+thematic.spend")["thematic.spend"]
    assert ended.status == "built", ended.reason
    assert building.rows(lake, "thematic.spend", "number", "amount_cny") == [
        (1, Decimal("704.670000")), (2, Decimal("712.170000")), (4, Decimal("7.000000")),
    ]  # fmt: skip
    waits = {key: (rules, json.loads(raw)["rate_reason"]) for _, key, rules, raw in building.aside(lake, "thematic.spend")}
    assert waits == {"3": ("not_null_amount_cny", "rate_too_old"), "5": ("not_null_amount_cny", "no_currency")}
