"""Transactions of PostgreSQL's log as rows of Parquet: the same values as the whole table is read with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.fetch import Asked, emptied
from jobs.fetch.database import DELETED, headers
from jobs.fetch.pgoutput import FULL, UNCHANGED, Begin, Change, Commit, Relation, Truncate, Value, lsn, lsn_text, message
from jobs.fetch.postgres import (
    BOOL,
    BPCHAR,
    DATE,
    FLOAT8,
    INT2,
    INT4,
    INT8,
    NUMERIC,
    TEXT,
    TIMESTAMP,
    TIMESTAMPTZ,
    VARCHAR,
    expression,
)  # fmt: skip
from schemas.errors import UserError

CHUNK = 20_000
AT_ONCE = 200_000  # messages of a delivery, more only where one transaction has more
AGAIN = "_again"  # behind the name of a slot that stands for one that was lost
INTEGERS = {INT2: pa.int16(), INT4: pa.int32(), INT8: pa.int64()}
INSTANT = pa.timestamp("us", "UTC")
OURS = (DELETED, "_op", "_lsn", "_order", "_committed")
Row = tuple[tuple[Value, ...], str, int, Begin]  # values, what happened, place within the delivery, by which transaction


@dataclass
class Found:
    """What was read: rows, the end of the last transaction, and whether more may follow it."""

    rows: int = 0
    end: int = 0
    more: bool = True


@dataclass
class _Reader:
    asked: Asked
    connection: psycopg.Connection[Any]
    file: Path
    found: Found = field(default_factory=Found)
    relation: Relation | None = None
    begin: Begin | None = None
    messages: int = 0
    taken: int = 0  # rows of the transaction
    others: set[int] = field(default_factory=set)
    pending: list[Row] = field(default_factory=list)
    writer: pq.ParquetWriter | None = None

    def wrong(self, what: str) -> UserError:
        """Return the error that ends the reading of changes, and how to begin anew."""
        slot = slot_of(self.asked, self.asked.position)
        return UserError(f"{self.asked.how.table}: {what}", where=self.asked.contract.table,
                         remedy=f"select pg_drop_replication_slot('{slot}'), and fetch: the whole table is read anew, and what "
                                "has gone is flagged")  # fmt: skip


def slot_of(asked: Asked, position: Mapping[str, Any]) -> str:
    """Return the name of our slot at a position: as the contract says, or, where that one was lost, the other one."""
    now = str(position.get("slot", asked.how.changes))
    return now if now == f"{asked.how.changes}{AGAIN}" else str(asked.how.changes)


def read_changes(
    asked: Asked, connection: psycopg.Connection[Any], messages: Iterable[bytes], position: Mapping[str, Any], file: Path
) -> Found:  # fmt: skip
    """Write the changes of our table to a file, all of each transaction, and return how many.

    Transactions that the position has seen are passed over. Where the columns change, what was before is a delivery of its own.
    """
    reader, own = _Reader(asked, connection, file), _own(asked, connection)
    seen, after = visible(str(position["snapshot"])), lsn(str(position["lsn"]))
    try:
        for data in messages:
            one = message(data)
            reader.messages += 1
            if isinstance(one, Begin):
                reader.begin = None if seen(one.xid) or one.lsn < after else one
                reader.taken = 0
            elif isinstance(one, Relation) and one.name != own:
                reader.others.add(one.number)
            elif isinstance(one, Relation):
                if not _known(reader, one):
                    return reader.found
            elif isinstance(one, Commit):
                _flush(reader)
                reader.found.end = one.end
            elif one is not None and reader.begin:
                _take(reader, one, reader.begin)
    finally:
        if reader.writer:
            reader.writer.close()
    reader.found.more = reader.messages >= AT_ONCE
    return reader.found


def _own(asked: Asked, connection: psycopg.Connection[Any]) -> str:
    table = asked.how.table.split(".", 1)
    row = connection.execute("select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = relnamespace "
                             "where c.oid = to_regclass(%s)",
                             [".".join('"' + part.replace('"', '""') + '"' for part in table)]).fetchone()  # fmt: skip
    return str(row[0]) if row else asked.how.table


def visible(snapshot: str) -> Callable[[int], bool]:
    """Return what tells whether a snapshot, `xmin:xmax:running`, has seen a transaction, whose number is of 32 bits."""
    low, high, running = snapshot.split(":")
    first, last = int(low), int(high)
    open_ = {int(one) for one in running.split(",") if one}

    def seen(short: int) -> bool:
        number = (last >> 32 << 32) | short
        number += (1 << 32) * ((last - number > 1 << 31) - (number - last > 1 << 31))
        return number < first or (number < last and number not in open_)

    return seen


def _known(reader: _Reader, one: Relation) -> bool:
    """Take the columns of our table; False where they are others than those of the rows that are written already."""
    if one.identity != FULL:
        raise reader.wrong("the log does not hold all of each changed row (replica identity is not full)")
    if reader.relation and reader.relation.columns != one.columns:
        if reader.taken:
            raise reader.wrong("its columns changed within a transaction")
        if reader.writer:
            return False
    reader.relation = one
    return True


def _take(reader: _Reader, one: Change | Truncate, begin: Begin) -> None:
    ours = reader.relation.number if reader.relation else None
    if isinstance(one, Truncate):
        if ours in one.relations:
            _empty(reader, begin)
        elif set(one.relations) - reader.others:
            raise reader.wrong("a TRUNCATE names a table that the log has not told of")
        return
    if one.relation != ours:
        return
    assert reader.relation
    new = _whole(reader, one)
    order = reader.found.rows + len(reader.pending)
    if one.op == "update" and one.old and new and _key(reader, one.old) != _key(reader, new):
        reader.pending.append((one.old, "delete", order, begin))
        order += 1
    values = new if one.op != "delete" else one.old
    if values is None or UNCHANGED in values:
        raise reader.wrong("a change in the log lacks values")
    reader.pending.append((values, one.op, order, begin))
    reader.taken += 1
    if len(reader.pending) >= CHUNK:  # only what was committed is told at all
        _flush(reader)


def _whole(reader: _Reader, one: Change) -> tuple[Value, ...] | None:
    """Return the new row, long values that did not change taken from the old one."""
    if one.new is None or UNCHANGED not in one.new:
        return one.new
    if one.old is None:
        raise reader.wrong("a change in the log lacks values")
    return tuple(old if new is UNCHANGED else new for new, old in zip(one.new, one.old, strict=True))


def _key(reader: _Reader, values: Sequence[Value]) -> list[Value]:
    assert reader.relation
    names = [name for name, _ in reader.relation.columns]
    return [values[names.index(name)] for name in headers(reader.asked.contract, reader.asked.contract.key)]


def _empty(reader: _Reader, begin: Begin) -> None:
    """Write a row of each key that is known up to here, in earlier deliveries and in this one, as it last was: deleted."""
    _flush(reader)
    before, schema = reader.file.with_suffix(".before"), _batch(reader, []).schema
    earlier = reader.asked.earlier()
    if reader.writer:
        reader.writer.close()
        earlier = [*earlier, reader.file.rename(before)]
        reader.writer = pq.ParquetWriter(reader.file, schema, compression="lz4", write_page_checksum=True)
        for group in pq.ParquetFile(before).iter_batches(CHUNK):
            reader.writer.write_batch(group)
    names, key = schema.names[: -len(OURS)], headers(reader.asked.contract, reader.asked.contract.key)
    for texts in emptied.known(earlier, names, key, reader.asked.folder):
        values = [texts.column(name).cast(schema.field(name).type) for name in names]
        rows: list[Row] = [((), "delete", reader.found.rows + place, begin) for place in range(texts.num_rows)]
        _write(reader, pa.RecordBatch.from_arrays([*values, *_told(rows, "truncate")], schema=schema))
        reader.taken += texts.num_rows
    before.unlink(missing_ok=True)


def _flush(reader: _Reader) -> None:
    """Write the rows that were taken."""
    if reader.pending:
        _write(reader, _batch(reader, reader.pending))
        reader.pending = []


def _write(reader: _Reader, batch: pa.RecordBatch) -> None:
    reader.writer = reader.writer or pq.ParquetWriter(reader.file, batch.schema, compression="lz4", write_page_checksum=True)
    reader.writer.write_batch(batch)
    reader.found.rows += batch.num_rows


def _batch(reader: _Reader, rows: list[Row]) -> pa.RecordBatch:
    assert reader.relation
    columns = [_column(reader, oid, [row[0][place] for row in rows]) for place, (_, oid) in enumerate(reader.relation.columns)]
    return pa.RecordBatch.from_arrays([*columns, *_told(rows)], names=[*(name for name, _ in reader.relation.columns), *OURS])


def _told(rows: list[Row], op: str = "") -> list[pa.Array]:
    """Return the columns of what happened, in the order of OURS."""
    return [pa.array([row[1] == "delete" for row in rows], pa.bool_()), pa.array([op or row[1] for row in rows], pa.string()),
            pa.array([lsn_text(row[3].lsn) for row in rows], pa.string()), pa.array([row[2] for row in rows], pa.int64()),
            pa.array([row[3].committed for row in rows], INSTANT)]  # fmt: skip


def _column(reader: _Reader, oid: int, values: list[Any]) -> pa.Array:
    """Return values of the log, which are texts, as the whole reading gives them."""
    if oid in INTEGERS:
        return pa.array([None if v is None else int(v) for v in values], INTEGERS[oid])
    if oid == FLOAT8:
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    if oid == BOOL:
        return pa.array([None if v is None else v == "t" for v in values], pa.bool_())
    if oid in (DATE, TIMESTAMP, TIMESTAMPTZ):
        return pa.array(_asked(reader, oid, values), pa.string())
    if oid in (TEXT, VARCHAR, NUMERIC):
        return pa.array(values, pa.string())
    if oid == BPCHAR:
        return pc.utf8_rtrim(pa.array(values, pa.string()), " ")
    return pa.array(_asked(reader, oid, values), pa.string())


def _asked(reader: _Reader, oid: int, values: list[Any]) -> list[str | None]:
    """Let the database write values as it does where the whole table is read."""
    kind = reader.connection.execute(
        "select typcategory::text, format_type(oid, null) from pg_type where oid = %s", [oid]
    ).fetchone()
    assert kind
    sql = expression(f"(v::{kind[1]})", oid, kind[0], calendar=True)
    rows = reader.connection.execute(
        f"select ({sql})::text from unnest(%s::text[]) with ordinality as t(v, n) order by n", [values]
    )
    return [row[0] for row in rows.fetchall()]
