"""Types of Avro as those of Arrow: whole numbers, doubles, instants, decimals; what nests is JSON text."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pyarrow as pa

from schemas.errors import UserError

PLAIN = {"int": pa.int64(), "long": pa.int64(), "float": pa.float64(), "double": pa.float64(), "boolean": pa.bool_(),
         "bytes": pa.binary(), "fixed": pa.binary(), "string": pa.string(), "enum": pa.string(), "null": pa.string()}  # fmt: skip
# As the library gives them: instants in UTC, or local ones.
LOGICAL = {"date": pa.date32(), "time-millis": pa.time64("us"), "time-micros": pa.time64("us"),
           "timestamp-millis": pa.timestamp("us", "UTC"), "timestamp-micros": pa.timestamp("us", "UTC"),
           "local-timestamp-millis": pa.timestamp("us"), "local-timestamp-micros": pa.timestamp("us")}  # fmt: skip
TEXT = {b"text": b"json"}  # marks a column whose values are no texts, and become such here


def columns_of(schema: Any, where: str) -> pa.Schema:
    """Return the columns of a file by the schema in it, which must be that of a record."""
    if not isinstance(schema, dict) or schema.get("type") not in ("record", "error"):
        raise UserError("its values are no records, and have no columns", where=where, remedy="ask for a file of records")
    return pa.schema([_field(one["name"], one["type"]) for one in schema["fields"]])


def values(records: list[dict[str, Any]], field: pa.Field) -> pa.Array:
    """Return the values of one column."""
    found = [record[field.name] for record in records]
    return pa.array([None if one is None else _text(one) for one in found] if field.metadata else found, field.type)


def _field(name: str, kind: Any) -> pa.Field:
    if isinstance(kind, list):
        some = [one for one in kind if one != "null"]
        kind = some[0] if len(some) == 1 else some
    logical = kind.get("logicalType") if isinstance(kind, dict) else None
    own = kind.get("type") if isinstance(kind, dict) else kind
    if logical in LOGICAL and own in ("int", "long"):
        return pa.field(name, LOGICAL[logical])
    if logical is None and isinstance(own, str) and own in PLAIN:
        return pa.field(name, PLAIN[own])
    if logical and own in ("int", "long"):  # one that the library does not know: the number as it is
        return pa.field(name, pa.int64())
    return pa.field(name, pa.string(), metadata=TEXT)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=_text)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.hex() if isinstance(value, bytes) else value.isoformat() if hasattr(value, "isoformat") else str(value)
