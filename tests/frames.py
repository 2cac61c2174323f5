"""Tiny frames in the types of a contract, and rows of frames as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from jobs.clean import clean
from schemas import types
from schemas.contract import Contract
from schemas.contracts import contract

Row = Mapping[str, Any]
NUMBERS_AS_FOUND = ("netcdf", "hdf5")


def frame(spark: Any, table: str, rows: Sequence[Row]) -> Any:
    """Return rows as a frame in the types of the table's contract; columns not given are NULL. Refuses unknown ones."""
    one = contract(table)
    shape = {name: str(column.type) for name, column in one.columns.items()} | locators(one)
    unknown = {name for row in rows for name in row} - set(shape)
    assert not unknown, f"{table}: rows name {sorted(unknown)}, the contract does not"
    values = [{name: value(row.get(name), type_) for name, type_ in shape.items()} for row in rows or [{}]]
    schema = pa.schema([(name, types.arrow(type_)) for name, type_ in shape.items()])
    made = spark.createDataFrame(pa.Table.from_pylist(values, schema=schema))
    return made if rows else made.where("false")  # a frame can't be made of no rows over Connect


def locators(one: Contract) -> dict[str, str]:
    """Return the columns that every cleaned table carries after its own."""
    if not one.source:
        return {}
    return {"_delivery": "bigint", "_locator": "bigint" if one.source.format == "csv" else "string"}


def value(given: Any, type_: str) -> Any:
    """Return a value of YAML as one of the type; decimals to their scale."""
    if given is None:
        return None
    if parts := types.decimal_parts(type_):
        return Decimal(str(given)).quantize(Decimal(1).scaleb(-parts[1]))
    if type_ == "timestamp":
        return given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    if type_ == "date":
        return given if isinstance(given, date) else date.fromisoformat(str(given))
    return {"string": str, "int": int, "bigint": int, "double": float, "boolean": bool}[type_](given)


def rows(result: Any, one: Contract) -> list[dict[str, Any]]:
    """Return the rows of a result in the contract's types; fails where a column of the contract is missing."""
    assert set(one.columns) <= set(result.columns), f"{one.table}: lacks {sorted(set(one.columns) - set(result.columns))}"
    cast = result.select(*(result[name].cast(types.spark(str(c.type))).alias(name) for name, c in one.columns.items()))
    return list(cast.toArrow().to_pylist())


def cleaned(spark: Any, one: Contract, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Clean one row as a reader gives it: text, or numbers where the format has them."""
    assert one.source
    name = given.get("_name", "delivery")
    found = {key: value for key, value in given.items() if key not in ("_name", "_locator")}
    found |= dict.fromkeys(_headers(one) - set(found))
    locator = pa.int64() if one.source.format == "csv" else pa.string()
    native = pa.float64() if one.source.format in NUMBERS_AS_FOUND else pa.string()
    fields = [(key, native) for key in found] + [("_delivery", pa.int64()), ("_locator", locator)]
    row = found | {"_delivery": 1, "_locator": given.get("_locator", 2 if one.source.format == "csv" else "A!1")}
    frame = spark.createDataFrame(pa.Table.from_pylist([row], schema=pa.schema(fields)))
    return list(clean(frame, one, {1: name}).toArrow().to_pylist())


def _headers(one: Contract) -> set[str]:
    named = {column.from_ if isinstance(column.from_, str) else name for name, column in one.columns.items() if not column.derive}
    return {str(name) for name in named} - {"_name", "_locator"}
