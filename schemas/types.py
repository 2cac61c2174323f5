"""The column types of the lake and what each is called by Spark, DuckDB, Arrow and Delta."""

from __future__ import annotations

import re

import pyarrow as pa

PLAIN = {
    "string": ("string", "varchar", pa.string()),
    "int": ("int", "integer", pa.int32()),
    "bigint": ("bigint", "bigint", pa.int64()),
    "double": ("double", "double", pa.float64()),
    "boolean": ("boolean", "boolean", pa.bool_()),
    "date": ("date", "date", pa.date32()),
    # An instant, in UTC. Trino keeps milliseconds, so cleaning truncates to them.
    "timestamp": ("timestamp", "timestamptz", pa.timestamp("us", tz="UTC")),
}
DECIMAL = re.compile(r"decimal\((\d{1,2}),\s*(\d)\)")
INTEGERS = ("int", "bigint")


def decimal_parts(type_: str) -> tuple[int, int] | None:
    """Return (precision, scale) of a decimal type, None for any other."""
    found = DECIMAL.fullmatch(type_)
    return (int(found[1]), int(found[2])) if found else None


def check(type_: str) -> str:
    """Return the type in its normal spelling; raise ValueError naming the known ones."""
    parts = decimal_parts(type_)
    if parts and parts[0] <= 38 and parts[1] <= 6:
        return f"decimal({parts[0]},{parts[1]})"
    if type_ in PLAIN:
        return type_
    raise ValueError(f"unknown type {type_!r}; known: {', '.join(PLAIN)}, decimal(p,s) with p ≤ 38 and s ≤ 6")


def spark(type_: str) -> str:
    """Return the type as Spark SQL names it."""
    return type_ if decimal_parts(type_) else PLAIN[type_][0]


def duckdb(type_: str) -> str:
    """Return the type as DuckDB names it."""
    return type_ if decimal_parts(type_) else PLAIN[type_][1]


def arrow(type_: str) -> pa.DataType:
    """Return the type as Arrow names it."""
    parts = decimal_parts(type_)
    return pa.decimal128(*parts) if parts else PLAIN[type_][2]


def is_measure(type_: str) -> bool:
    """Tell whether sums of the type are exact: decimals and integers, never doubles."""
    return decimal_parts(type_) is not None or type_ in INTEGERS
