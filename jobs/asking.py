"""A question to Trino instead of the embedded engine: the same names, the same moments, the answer as Arrow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from jobs import query, saved, trino
from jobs.trino import Answer, Server
from schemas.errors import UserError

PLAIN = {
    "boolean": pa.bool_(), "tinyint": pa.int8(), "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(),
    "real": pa.float32(), "double": pa.float64(), "date": pa.date32(), "varbinary": pa.binary(),
}  # fmt: skip
DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")


def sql(at: Server, text: str, as_of: int | str | None = None) -> pa.Table:
    """Return what a query in Trino's SQL gives. Tables are layer.table, quarantines quarantine.layer.table.

    `as_of` is as in `jobs.query.sql`; without it, a query that names no quarantine goes to Trino as it stands. Raise
    UserError for anything that does not read.
    """
    if not trino.reads(text):
        raise UserError("only one query that reads is allowed", remedy=f"begin with {', '.join(trino.READS)}")
    if as_of is not None or re.search(rf"\b{query.QUARANTINE}\.", text):
        text = saved.for_trino(text, moment(text, as_of))
    return table(trino.ask(at, text))


def moment(text: str, as_of: int | str | None) -> str:
    """Return the version or instant of a question as Trino's SQL has it; empty where the newest is meant."""
    if as_of is None:
        return ""
    if isinstance(as_of, int):
        if len(named := saved.tables_in(text)) != 1:
            raise UserError(f"a version belongs to one table, the query names {len(named)}", remedy="give a date instead")
        return f"version as of {as_of}"
    at = query.instant(as_of).astimezone(UTC)
    if at >= datetime.now(UTC):  # today's end, say: Trino asks for what is past
        return ""
    return f"timestamp as of timestamp '{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC'"


def table(answer: Answer) -> pa.Table:
    """Return an answer as Arrow, in the types that Trino gave its columns; what Arrow has no name for becomes text."""
    columns = [[row[i] for row in answer.rows] for i in range(len(answer.names))]
    arrays = [_array(values, type_) for values, type_ in zip(columns, answer.types, strict=True)]
    return pa.Table.from_arrays(arrays, names=list(answer.names))


def _array(values: Sequence[Any], type_: str) -> pa.Array:
    if parts := DECIMAL.fullmatch(type_):
        return pa.array(values, pa.decimal128(int(parts[1]), int(parts[2])))
    if type_.startswith("timestamp"):
        return pa.array(values, pa.timestamp("us", "UTC" if type_.endswith("with time zone") else None))
    if type_ in PLAIN:
        return pa.array(values, PLAIN[type_])
    try:
        return pa.array(values, pa.string() if type_.startswith(("varchar", "char")) else None)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values], pa.string())
