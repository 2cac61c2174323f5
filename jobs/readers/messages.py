"""Messages of a broker as they were received: a row each, the payload's fields as columns, numbers as they stand."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.readers import Read, Request
from jobs.readers.names import Names
from jobs.readers.options import options
from jobs.readers.parts import Rejects, with_locators, write_parts
from jobs.readers.payloads import Parsed, parsed
from schemas.errors import UserError

BATCH = 20_000
# What a delivery of messages holds. `partition` and `offset` are Kafka's, `qos`, `retained` and `packet` MQTT's.
SCHEMA: Final = pa.schema([
    ("topic", pa.string()), ("partition", pa.int32()), ("offset", pa.int64()), ("time", pa.timestamp("ms", "UTC")),
    ("key", pa.binary()), ("value", pa.binary()),
    ("headers", pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))),
    ("qos", pa.int8()), ("retained", pa.bool_()), ("packet", pa.int32()),
])  # fmt: skip
# The columns that say how a message came, beside those of its payload.
ENVELOPE: Final = ("_topic", "_partition", "_offset", "_time", "_key", "_headers", "_qos", "_retained")


@dataclass(frozen=True)
class Messages:
    """Options of messages.

    `payload` is json, or text, which becomes the column `value`. `fields` are those of a JSON payload that become
    columns in every delivery, whether they are there or not; nothing is whatever there is. Objects in objects have
    dotted names.
    """

    payload: str = "json"
    fields: list[str] = field(default_factory=list)


def read(request: Request) -> Read:
    """Read every message; `_locator` is `topic[partition]@offset`, of MQTT `topic#7`, the seventh of the delivery."""
    began = time.perf_counter()
    chosen = _chosen(request.options, request.name)
    with Rejects(request.out, request.delivery) as rejects:
        names = Names(chosen.fields, ENVELOPE)
        made = [_table(batch, places, chosen, names, rejects) for batch, places in _batches(request.path, request.name)]
        columns = [*names.found, *ENVELOPE]
        schema = with_locators([pa.field(name, pa.string()) for name in columns], pa.string())
        rows = write_parts(request.out, (_whole(table, schema, request.delivery) for table in made))
    return Read(rows, rejects.count, tuple(columns), {}, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say which columns there are, how many messages, and how the first ones look."""
    chosen = _chosen(given, path.name)
    names = Names(chosen.fields, ENVELOPE)
    batch, _ = next(_batches(path, path.name))
    found = parsed(batch.column("value").slice(0, 5), chosen.payload, names)
    return {"messages": pq.ParquetFile(path).metadata.num_rows, "columns": [*names.found, *ENVELOPE],
            "first_rows": found.rows()}  # fmt: skip


def _chosen(given: Mapping[str, Any], where: str) -> Messages:
    chosen = options(Messages, given, where)
    if chosen.payload not in ("json", "text"):
        raise UserError(f"option 'payload': {chosen.payload!r} is not known", where=where, remedy="known: json, text")
    return chosen


def _batches(path: Path, where: str) -> Iterator[tuple[pa.RecordBatch, pa.Array]]:
    """Yield messages with their locators. Raise UserError for a file that holds no messages."""
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"the file can't be opened: {str(error)[:200]}", where=where,
                        remedy="it is damaged or cut off; ask for the delivery again") from None  # fmt: skip
    if lacking := [column.name for column in SCHEMA if column.name not in file.schema_arrow.names]:
        raise UserError(f"no messages as they were fetched: there is no column {', '.join(lacking)}", where=where,
                        remedy="`format: parquet` reads other files")  # fmt: skip
    number = 0
    for batch in file.iter_batches(batch_size=BATCH, columns=SCHEMA.names, use_threads=False):
        cast = pa.RecordBatch.from_arrays([batch.column(one.name).cast(one.type) for one in SCHEMA], schema=SCHEMA)
        yield cast, _places(cast, number)
        number += batch.num_rows


def _places(batch: pa.RecordBatch, before: int) -> pa.Array:
    """Return the locator of each message."""
    topic, offset = batch.column("topic"), batch.column("offset")
    if offset.null_count:
        counted = pa.array(range(before + 1, before + 1 + batch.num_rows)).cast(pa.string())
        return pc.binary_join_element_wise(topic, counted, "#")
    return pc.binary_join_element_wise(topic, "[", _text(batch.column("partition")), "]@", offset.cast(pa.string()), "")


def _table(batch: pa.RecordBatch, places: pa.Array, chosen: Messages, names: Names, rejects: Rejects) -> pa.Table:
    """Return the messages of a batch that can be read, in the columns that it has."""
    found = parsed(batch.column("value"), chosen.payload, names)
    for number, reason, raw in found.wrong:
        rejects.add(places[number].as_py(), reason, raw)
    taken = pa.array(found.numbers, pa.int64())
    data = _payload(found)
    data |= {name: column.take(taken) for name, column in _envelope(batch).items()}
    return pa.table(data | {"_locator": places.take(taken)})


def _payload(found: Parsed) -> dict[str, Any]:
    """Return the fields of payloads as columns of text; an empty text is NULL in every format."""
    columns = found.columns().items()
    return {name: pc.if_else(pc.equal(one, ""), pa.scalar(None, pa.string()), one) for name, one in columns}


def _envelope(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    columns = {name: batch.column(name.removeprefix("_")) for name in ENVELOPE}
    return {name: _headers(one) if name == "_headers" else _key(one) if name == "_key" else _text(one)
            for name, one in columns.items()}  # fmt: skip


def _text(column: pa.Array) -> pa.Array:
    """Return values as text; most of them come many times, and each is written once."""
    if column.type == pa.int64():
        return column.cast(pa.string())
    coded = column.dictionary_encode()
    return coded.dictionary.cast(pa.string()).take(coded.indices)


def _key(column: pa.Array) -> pa.Array:
    """Return keys as text; one that is none as hexadecimal digits, with \\x before it."""
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([_shown(one) for one in column.to_pylist()], pa.string())


def _headers(column: pa.Array) -> pa.Array:
    """Return headers as JSON, in their order; a name may come twice."""
    if column.null_count == len(column):
        return pa.nulls(len(column), pa.string())
    found = [one and [[header["key"], _shown(header["value"])] for header in one] for one in column.to_pylist()]
    return pa.array([None if one is None else json.dumps(one, ensure_ascii=False) for one in found], pa.string())


def _shown(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return "\\x" + value.hex()


def _whole(table: pa.Table, schema: pa.Schema, delivery: int) -> pa.Table:
    """Return a table in the columns of all batches."""
    empty = pa.nulls(table.num_rows, pa.string())
    data = {name: table.column(name) if name in table.column_names else empty for name in schema.names}
    data["_delivery"] = pa.array([delivery] * table.num_rows, pa.int64())
    return pa.table([data[name] for name in schema.names], schema=schema)
