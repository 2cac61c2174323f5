"""The perturbation: change the values of one input column, see which columns of the output move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame

Rows = list[tuple[Any, ...]]


def other(value: Any, row: int) -> Any:
    """Return another value of the same type, different from row to row."""
    if value is None or isinstance(value, bool):
        return not value
    if isinstance(value, int | float | Decimal):
        return value + type(value)(row + 1)
    if isinstance(value, str):
        return "d" if row == 0 and value != "d" else f"{value}~{row}"
    if isinstance(value, datetime | date):
        return value + timedelta(days=400 * (row + 1))
    if isinstance(value, list):
        return [*value, "more"] if row % 2 else [other(item, row) for item in value]
    if isinstance(value, tuple):
        return tuple(other(item, row) for item in value)
    raise TypeError(type(value))


def perturbed(rows: Rows, column: int) -> Iterator[Rows]:
    """Yield the rows with other values in a column: in all rows, in the first alone, and equal in all."""
    yield [(*r[:column], other(r[column], i), *r[column + 1 :]) for i, r in enumerate(rows)]
    yield [(*r[:column], other(r[column], i) if i == 0 else r[column], *r[column + 1 :]) for i, r in enumerate(rows)]
    yield [(*r[:column], rows[-1][column], *r[column + 1 :]) for r in rows]


def content(df: DataFrame) -> dict[str, Counter[str]]:
    """Return the values of every column, by position and name, as a bag."""
    found = df.collect()
    names = df.columns
    return {name: Counter(repr(row[i]) for row in found) for i, name in enumerate(names)}


def moved(make: Callable[[], DataFrame], before: Mapping[str, Counter[str]]) -> set[str]:
    """Return the columns whose values are others than before."""
    after = content(make())
    return {name for name in before if before[name] != after.get(name)} | (set(after) - set(before))
