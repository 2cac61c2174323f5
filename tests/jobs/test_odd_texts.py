"""A text is the same value, or none, on the embedded engine, on Apache Spark and in the database that counts again."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jobs import inflow
from jobs.lake import Lake
from tests.jobs import building, odd

METER = """
description: Odd values
owner: tests
source: {zone: odd, path: "*.csv", format: csv, publisher: us, licence: CC0-1.0}
key: [number]
columns:
  number: {type: bigint, description: Number}
  mass_t: {type: "decimal(28,6)", unit: t, description: Mass}
  pieces: {type: bigint, unit: "1", description: Pieces}
balance: [mass_t, pieces]
"""


@pytest.fixture(params=["sail", pytest.param("spark", marks=pytest.mark.spark)])
def session(request: pytest.FixtureRequest) -> Any:
    """Return a session of each engine."""
    if request.param == "sail":
        return request.getfixturevalue("spark")
    return request.getfixturevalue("reference").session


@pytest.mark.parametrize(("type_", "below"), [("decimal(28,6)", 9e12), ("decimal(18,6)", 1e12)])
def test_a_number_is_fixed_to_the_last_digit_or_refused(session: Any, type_: str, below: float) -> None:
    texts = [*odd.NUMBERS, *odd.NO_NUMBER, *odd.LARGE]
    expected = {name: Decimal(value) for name, value in odd.NUMBERS.items() if abs(float(value)) < below}
    found = {name: value and Decimal(value) for name, value in zip(texts, odd.read(session, type_, texts), strict=True)}
    assert {name: value for name, value in found.items() if value is not None} == expected


def test_a_double_is_finite_or_refused(session: Any) -> None:
    texts = [*odd.NUMBERS, *odd.NO_NUMBER, *odd.LARGE, "1e400"]
    found = dict(zip(texts, odd.read(session, "double", texts), strict=True))
    assert {name: value for name, value in found.items() if value is not None} == {
        n: float(n) for n in (*odd.NUMBERS, *odd.LARGE)
    }
    assert [str(found[zero]) for zero in ("-0", "+0")] == ["-0.0", "0.0"]


def test_an_integer_is_whole_or_refused(session: Any) -> None:
    texts = [*odd.INTEGERS, *odd.NO_INTEGER]
    found = dict(zip(texts, odd.read(session, "int", texts), strict=True))
    assert {name: int(value) for name, value in found.items() if value is not None} == odd.INTEGERS


def test_a_truth_is_one_of_ten_words(session: Any) -> None:
    found = odd.read(session, "boolean", list(odd.TRUTHS))
    assert found == [None if value is None else str(value).lower() for value in odd.TRUTHS.values()]


def test_a_day_begins_with_a_year_of_the_calendar(session: Any) -> None:
    texts = [*odd.DAYS, *odd.NO_DAY]
    found = dict(zip(texts, odd.read(session, "date", texts), strict=True))
    assert {name: value for name, value in found.items() if value is not None} == odd.DAYS


@pytest.mark.parametrize(("zone", "place"), [("UTC", 0), ("Asia/Shanghai", 1)])
def test_an_instant_has_a_day_and_no_more_than_milliseconds(session: Any, zone: str, place: int) -> None:
    texts = [*odd.INSTANTS, *odd.NO_INSTANT]
    found = dict(zip(texts, odd.read(session, "timestamp", texts, zone), strict=True))
    expected = {name: both[place] for name, both in odd.INSTANTS.items() if both[place]}
    assert {name: value for name, value in found.items() if value is not None} == expected


@pytest.mark.parametrize("type_", ["decimal(28,6)", "double", "bigint"])
def test_the_database_that_counts_again_reads_the_same_numbers(spark: Any, type_: str) -> None:
    texts = [*odd.NUMBERS, *odd.NO_NUMBER, *odd.LARGE, *odd.NO_INTEGER, "1e400"]
    with duckdb.connect() as connection:
        connection.execute("create table given (i integer, v varchar)")
        connection.executemany("insert into given values (?, ?)", list(enumerate(texts)))
        value = inflow.counted("v", odd.column(type_), True)
        counted = [row[0] for row in connection.execute(f"select {value} from given order by i").fetchall()]
    made = odd.read(spark, type_, texts)
    assert [_number(one) for one in counted] == [_number(one) for one in made]
    assert len({_number(one) for one in made}) > 5


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def test_odd_values_wait_and_the_table_is_built_and_balanced(
    lake: Lake, spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "own", {"schemas/cleaned/odd.yaml": METER})))
    masses = [text for text in odd.NO_NUMBER if text and "," not in text] + ["7"]
    pieces = [text for text in odd.NO_INTEGER if text and "," not in text and text != "2147483648"] + ["8"]
    rows = [(n, mass, 1) for n, mass in enumerate(masses)] + [(1000 + n, 1, piece) for n, piece in enumerate(pieces)]
    building.deliver(lake, "cleaned.odd", "a.csv", building.csv(rows, "number,mass_t,pieces"))
    outcome = building.build(lake, spark, "cleaned.odd")["cleaned.odd"]
    assert (outcome.status, outcome.counts.written) == ("built", 2), outcome.reason
    assert building.rows(lake, "cleaned.odd", "mass_t", "pieces") == [(Decimal(1), 8), (Decimal(7), 1)]
    reasons = {row[2] for row in building.aside(lake, "cleaned.odd")}
    assert reasons == {"type_mass_t", "type_pieces"}
