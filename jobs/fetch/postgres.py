"""PostgreSQL as a source: one snapshot, streamed by binary COPY, each type as its exact value.

Types are chosen by the query that we write: what Arrow holds exactly comes as it is, all else as PostgreSQL's text or as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.fetch.bounds import OutOfRangeError, check_range
from jobs.readers.arrow_text import ahead
from jobs.relation import literal, quote
from schemas.ages import age
from schemas.errors import UserError
from schemas.fetch import Database

SCHEMES = ("postgresql", "postgres")
CONNECT_SECONDS = 10
BATCH_BYTES = 8 << 20
# How values are written as text, whatever the server or the role has set; and one order of rows where nothing asks for one.
SESSION = ("set timezone = 'UTC'", "set datestyle = 'ISO'", "set intervalstyle = 'iso_8601'", "set synchronize_seqscans = off")
SNAPSHOT = "begin transaction isolation level repeatable read, read only"
BOOL, BYTEA, CHAR, NAME, INT8, INT2, INT4, TEXT, OID = 16, 17, 18, 19, 20, 21, 23, 25, 26
FLOAT8, MONEY, BPCHAR, VARCHAR, DATE, TIMESTAMP, TIMESTAMPTZ, NUMERIC = 701, 790, 1042, 1043, 1082, 1114, 1184, 1700
# Not numeric: the server writes it as text three times as fast as the driver does.
AS_IT_IS = (BOOL, INT8, INT2, INT4, TEXT, FLOAT8, VARCHAR, DATE, TIMESTAMP, TIMESTAMPTZ)
# Arrow's days and microseconds have no infinity, and the driver wraps it around; then they come as text, written as ours.
CALENDAR = {
    DATE: "{0}::text",
    TIMESTAMP: "case when {0} >= '0001-01-01' and {0} < '10000-01-01' then to_char({0}, 'YYYY-MM-DD HH24:MI:SS.US') "
    "else {0}::text end",
    TIMESTAMPTZ: "case when {0} >= '0001-01-01' and {0} < '10000-01-01' "
    "then to_char({0} at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || 'Z' else {0}::text end",
}
# money has as many digits as the server's lc_monetary; as a number nothing of it is lost.
OTHER = {BYTEA: "encode({0}, 'hex')", MONEY: "{0}::numeric", OID: "{0}::bigint"}
HALF = 1 << 31  # transaction ids of 32 bits are compared on a circle


def is_ours(url: str) -> bool:
    """Tell whether a URL is that of a PostgreSQL."""
    return urlsplit(url).scheme.split("+")[0] in SCHEMES


def address(url: str) -> str:
    """Return the URL as PostgreSQL's own library reads it, without the name of a driver."""
    _, _, rest = url.partition("://")
    patience = "" if "connect_timeout" in rest else f"{'&' if '?' in rest else '?'}connect_timeout={CONNECT_SECONDS}"
    return f"postgresql://{rest}{patience}"


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn what the database says into an error that says what to do."""
    try:
        yield
    except (psycopg.Error, adbc_driver_manager.Error) as error:
        text = str(error).strip().split("\n")[0]
        broken = isinstance(error, psycopg.OperationalError) or "ould not" in text or "IO" in text[:12]
        remedy = "see that the server runs and that user and rights are as they should; fetch again" if broken else (
            "mend the table, query or column that the contract names, or the rights of the user")  # fmt: skip
        raise UserError(f"PostgreSQL says: {text}", where=where, remedy=remedy) from None


def expression(column: str, oid: int, category: str, *, calendar: bool = False) -> str:
    """Return SQL for a column as it is delivered; `calendar` writes days and instants as text, infinity included."""
    if calendar and oid in CALENDAR:
        return CALENDAR[oid].format(column)
    if oid in AS_IT_IS:
        return column
    if category in ("A", "C"):  # arrays and rows
        return f"to_json({column})::text"
    return OTHER.get(oid, "{0}::text").format(column)


class Snapshot:
    """A table or query as it is at one moment."""

    shared = True  # with a second connection

    def __init__(self, url: str, how: Database, where: str) -> None:
        self._url, self._how, self._where = address(url), how, where
        self.exact = how.overlap == ""  # transactions tell what is new
        self._calendar: set[str] = set()
        with explained(where):
            self._open()
            self.relation = _relation(how)
            found = self.meta.execute(f"select * from {self.relation} limit 0").description or []
            kinds = {row[0]: row[1:] for row in self.meta.execute(
                "select oid, typcategory::text, format_type(oid, null) from pg_type where oid = any(%s)",
                [[one.type_code for one in found]])}  # fmt: skip
        self.columns = tuple(one.name for one in found)
        self._types = {one.name: (one.type_code, *kinds.get(one.type_code, ("", "text"))) for one in found}

    def _open(self) -> None:
        self.meta = psycopg.connect(self._url, autocommit=True)
        for statement in (*SESSION, SNAPSHOT):
            self.meta.execute(statement)
        row = self.meta.execute("select pg_export_snapshot(), pg_current_snapshot()::text").fetchone()
        assert row
        self._exported, self.text = str(row[0]), str(row[1])
        self.horizon = int(self.text.split(":")[0])

    def close(self) -> None:
        """Let the snapshot go."""
        self.meta.close()

    def marks(self) -> dict[str, Any]:
        """Return where transactions stand: all before `xid` are seen; and of which cluster that is the number."""
        row = self.meta.execute("select system_identifier::text from pg_control_system()").fetchone()
        return {"xid": self.horizon, "system": row[0] if row else ""}

    def newer(self, position: Mapping[str, Any]) -> str:
        """Return the condition of rows that a position has not seen for sure; empty for all of them.

        A transaction that commits late leaves rows behind the cursor. Its number tells them: rows whose `xmin` was not
        finished at the last snapshot (https://www.postgresql.org/docs/current/functions-info.html, pg_snapshot_xmin).
        """
        how, parts = self._how, []
        since = int(position.get("xid", 0))
        if "cursor" not in position or position.get("system") != self.marks()["system"]:
            return ""
        if how.cursor != "xmin" and not position["cursor"] and how.overlap != "":
            return ""
        if how.cursor != "xmin" and position["cursor"]:
            bound = f"{literal(str(position['cursor']))}::{self._types[how.cursor][2]}"
            parts.append(f"{quote(how.cursor)} >= {bound}{self._overlap()} or {quote(how.cursor)} is null")
        if how.overlap == "":
            if self.horizon - since >= HALF - (1 << 20):  # nothing came for so long that numbers have come round
                return ""
            parts.append(f"((xmin::text::bigint - {since % (1 << 32)} + {1 << 32}) % {1 << 32}) < {HALF}")
        return " or ".join(parts)

    def _overlap(self) -> str:
        overlap = self._how.overlap
        if isinstance(overlap, str) and overlap:
            return f" - interval '{age(overlap).total_seconds():.0f} seconds'"
        return f" - {int(overlap)}" if overlap else ""

    def behind(self, key: Sequence[str], last: Sequence[str]) -> str:
        """Return the condition of rows that follow a key in its order."""
        bounds = ", ".join(f"{literal(value)}::{self._types[name][2]}" for name, value in zip(key, last, strict=True))
        return f"({', '.join(map(quote, key))}) > ({bounds})"

    def counted(self, where: str, limit: int, order: Sequence[str], sums: Sequence[str]) -> tuple[int, dict[str, str], str]:
        """Return rows, sums and the highest cursor as the database itself counts them."""
        asked = ["count(*)", *(f"coalesce(sum({quote(name)}), 0)::text" for name in sums)]
        if self._how.cursor and self._how.cursor != "xmin":
            asked.append(f"max({quote(self._how.cursor)})::text")
        inner = f"(select {'*' if limit else ''} from {self._rows(where, order, limit)}) as s" if limit else self._rows(where)
        with explained(self._where):
            row = self.meta.execute(f"select {', '.join(asked)} from {inner}").fetchone() or (0,)
        highest = str(row[-1]) if len(row) > len(sums) + 1 and row[-1] is not None else ""
        return int(row[0]), dict(zip(sums, map(str, row[1 : len(sums) + 1]), strict=True)), highest

    def _rows(self, where: str = "", order: Sequence[str] = (), limit: int = 0) -> str:
        text = f"{self.relation} where {where}" if where else self.relation
        text += f" order by {', '.join(map(quote, order))}" if order else ""
        return f"{text} limit {limit}" if limit else text

    def save(
        self, file: Path, where: str = "", *, order: Sequence[str] = (), limit: int = 0,
        only: Sequence[str] = (), more: Mapping[str, str] | None = None,
    ) -> tuple[int, tuple[str, ...]]:  # fmt: skip
        """Write rows as Parquet; return how many there are and, of the last one, the values of `order` as text.

        `more` are further columns, as SQL.
        """
        while True:
            try:
                with explained(self._where), self._stream(self._select(only, more) + self._rows(where, order, limit)) as found:
                    return _written(file, found, order)
            except OutOfRangeError as wide:
                self._calendar.add(wide.column)

    def _select(self, only: Sequence[str], more: Mapping[str, str] | None) -> str:
        asked = [f"{expression(quote(name), *self._types[name][:2], calendar=name in self._calendar)} as {quote(name)}"
                 for name in only or self.columns]  # fmt: skip
        asked += [f"{sql} as {quote(name)}" for name, sql in (more or {}).items()]
        return f"select {', '.join(asked)} from "

    @contextmanager
    def _stream(self, sql: str) -> Iterator[pa.RecordBatchReader]:
        with adbc.connect(self._url) as connection, connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
            cursor.execute(f"set transaction snapshot {literal(self._exported)}")
            for statement in SESSION:
                cursor.execute(statement)
            cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
            cursor.execute(sql)
            yield cursor.fetch_record_batch()


def _relation(how: Database) -> str:
    if how.query:
        return f"({how.query.strip().rstrip(';')}) as q"
    return ".".join(map(quote, how.table.split(".", 1)))


def _written(file: Path, found: pa.RecordBatchReader, order: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    """Write a stream to Parquet, a group of rows for each batch."""
    schema = pa.schema([pa.field(one.name, _plain(one.type)) for one in found.schema])
    rows, last = 0, None
    with pq.ParquetWriter(file, schema, compression="lz4", use_dictionary=False, write_page_checksum=True) as target:
        for batch in ahead(found):  # the server sends the next while one is written
            if not batch.num_rows:
                continue
            arrays = [one.storage if isinstance(one, pa.ExtensionArray) else one for one in batch.columns]
            last = pa.RecordBatch.from_arrays(arrays, schema=schema)
            check_range(last)
            target.write_batch(last)
            rows += last.num_rows
    ends = [last.column(last.schema.get_field_index(name)).slice(last.num_rows - 1) for name in order] if last is not None else []
    return rows, tuple(str(one.cast(pa.string())[0].as_py()) for one in ends)


def _plain(type_: pa.DataType) -> pa.DataType:
    return type_.storage_type if isinstance(type_, pa.BaseExtensionType) else type_
