"""Any database that SQLAlchemy knows as a source: one transaction that reads, streamed row by row, values as text or numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from conf.secrets import redact
from schemas.ages import age
from schemas.errors import UserError
from schemas.fetch import Database

ROWS = 20_000
# The strictest that is offered and keeps one picture of the data for a whole transaction, the cheapest first.
LEVELS = ("SNAPSHOT", "REPEATABLE READ", "SERIALIZABLE")


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn what the database or its driver says into an error that says what to do."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        text = redact(str(getattr(error, "orig", None) or error)).strip().split("\n")[0]
        raise UserError(f"the database says: {text}", where=where,
                        remedy="see that the connection, the table or query and its columns are as the contract says, "
                               "and that the database's driver is installed") from None  # fmt: skip


class Snapshot:
    """A table or query as it is at one moment."""

    shared = False  # the transaction is that of one connection
    exact = False  # the cursor alone tells what is new

    def __init__(self, url: str, how: Database, where: str) -> None:
        self._how, self._where = how, where
        with explained(where):
            self._engine = sa.create_engine(existing(url, where), poolclass=sa.pool.NullPool)
            self._connection = _reading(self._engine)
            self._from = self._relation()
        self.columns = tuple(str(column.name) for column in self._from.columns)

    def _relation(self) -> sa.FromClause:
        if not self._how.query:
            schema, _, name = self._how.table.rpartition(".")
            return sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=self._connection, resolve_fks=False)
        query = sa.text(self._how.query.strip().rstrip(";"))
        names = list(self._connection.execute(sa.text(f"select * from ({query}) q where 1 = 0")).keys())
        return query.columns(*(sa.column(name) for name in names)).subquery("q")

    def close(self) -> None:
        """Let the snapshot go."""
        self._connection.close()
        self._engine.dispose()

    def marks(self) -> dict[str, Any]:
        """Return what tells this database from another one: nothing that all of them would say."""
        return {}

    def newer(self, position: Mapping[str, Any]) -> Any:
        """Return the condition of rows that a position has not seen for sure; None for all of them."""
        if position.get("cursor", "") == "":
            return None
        column = self._raw(self._how.cursor)
        return sa.or_(column >= _lowered(position["cursor"], self._how.overlap, self._where), column.is_(None))

    def behind(self, key: Sequence[str], last: Sequence[Any]) -> Any:
        """Return the condition of rows that follow a key in its order."""
        columns = [self._raw(name) for name in key]
        return sa.or_(*(sa.and_(*(columns[i] == last[i] for i in range(place)), columns[place] > last[place])
                        for place in range(len(columns))))  # fmt: skip

    def _raw(self, name: str) -> Any:
        """Return a column whose values pass as the driver has them, compared with values that the driver gave."""
        return sa.type_coerce(self._from.columns[name], sa.types.NullType())

    def counted(self, where: Any, limit: int, order: Sequence[str], sums: Sequence[str]) -> tuple[int, dict[str, str], Any]:
        """Return rows, sums and the highest cursor as the database itself counts them."""
        rows = self._select(self.columns, where, order, limit).subquery("s")
        asked: list[Any] = [
            sa.func.count(),
            *(sa.func.sum(sa.type_coerce(rows.columns[name], sa.types.NullType())) for name in sums),
        ]
        if self._how.cursor:
            asked.append(sa.func.max(rows.columns[self._how.cursor]))
        with explained(self._where):
            found = list(self._connection.execute(sa.select(*asked).select_from(rows)).one())
        highest = _kept(found.pop()) if self._how.cursor else ""
        return int(found[0]), {name: text(value) or "0" for name, value in zip(sums, found[1:], strict=True)}, highest

    def _select(self, names: Sequence[str], where: Any, order: Sequence[str], limit: int) -> Any:
        asked = sa.select(*(self._raw(name).label(name) for name in names))
        asked = asked if where is None or where == "" else asked.where(where)
        asked = asked.order_by(*(self._from.columns[name] for name in order)) if order else asked
        return asked.limit(limit) if limit else asked

    def save(
        self, file: Path, where: Any = None, *, order: Sequence[str] = (), limit: int = 0,
        only: Sequence[str] = (), more: Mapping[str, str] | None = None,
    ) -> tuple[int, tuple[Any, ...]]:  # fmt: skip
        """Write rows as Parquet; return how many there are and, of the last one, the values of `order`."""
        names, extra = tuple(only or self.columns), more or {}
        kinds = {name: _kind(self._from.columns[name].type) for name in names}
        schema = pa.schema([*((name, kind) for name, kind in kinds.items()), *((name, pa.bool_()) for name in extra)])
        rows, last = 0, None
        with explained(self._where), pq.ParquetWriter(file, schema, compression="lz4", write_page_checksum=True) as target:
            found = self._connection.execution_options(stream_results=True, max_row_buffer=ROWS).execute(
                self._select(names, where, order, limit))  # fmt: skip
            for lot in found.partitions(ROWS):
                columns = [_array(name, kinds[name], values, f"{self._where}, behind row {rows}")
                           for name, values in zip(names, zip(*lot, strict=True), strict=True)]  # fmt: skip
                columns += [pa.array([value == "true"] * len(lot), pa.bool_()) for value in extra.values()]
                target.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
                rows, last = rows + len(lot), lot[-1]
        return rows, tuple(_kept(last[names.index(name)]) for name in order) if last is not None else ()


def existing(url: str, where: str) -> sa.URL:
    """Return a URL taken apart. Raise UserError for a file of SQLite that is not there: it would be made, and be empty."""
    made = sa.make_url(url)
    if made.get_backend_name() == "sqlite" and not Path(made.database or "").is_file():
        raise UserError("there is no such file", where=f"{where} ({made.database})", remedy="check the connection")
    return made


def _reading(engine: sa.Engine) -> sa.Connection:
    """Open a transaction that sees one state of the data and, where the database can say so, only reads."""
    connection = engine.connect()
    if engine.dialect.name == "sqlite":
        connection.exec_driver_sql("pragma query_only = on")
        connection.exec_driver_sql("begin")
        return connection
    known = engine.dialect.get_isolation_level_values(connection.connection.dbapi_connection)  # type: ignore[arg-type]
    level = next((one for one in LEVELS if one in known), None)
    if level is None:
        raise UserError(f"{engine.dialect.name} offers no snapshot: a reading could mix two states of the data",
                        remedy="export it to files, and land these")  # fmt: skip
    return connection.execution_options(isolation_level=level)


def _kind(type_: Any) -> pa.DataType:
    if isinstance(type_, sa.types.Boolean):
        return pa.bool_()
    if isinstance(type_, sa.types.Integer):
        return pa.int64()
    return pa.float64() if isinstance(type_, sa.types.Float) else pa.string()


def _array(name: str, kind: pa.DataType, values: Sequence[Any], where: str) -> pa.Array:
    try:
        if kind == pa.string():
            return pa.array([text(value) for value in values], kind)
        if kind == pa.float64():
            return pa.array([float(v) if isinstance(v, int | Decimal) else v for v in values], kind)
        return pa.array([bool(v) if kind == pa.bool_() and v in (0, 1) else v for v in values], kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise UserError(f"{name!r} holds what its type does not allow: {str(error)[:200]}", where=where,
                        remedy=f"read it as text: a `query` with cast({name} as text)") from None  # fmt: skip


WRITTEN: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (str, str),
    (bool, lambda v: "true" if v else "false"),
    (Decimal, lambda v: format(v, "f")),
    (datetime, lambda v: v.isoformat(sep=" ")),
    (date, lambda v: v.isoformat()),
    (bytes | bytearray | memoryview, lambda v: bytes(v).hex()),
    (dict | list, lambda v: json.dumps(v, ensure_ascii=False, default=str)),
)


def text(value: Any) -> str | None:
    """Return a value of a driver as text that says all of it."""
    if value is None:
        return None
    return next((write(value) for kind, write in WRITTEN if isinstance(value, kind)), str(value))


def _kept(value: Any) -> Any:
    """Return a value as a position keeps it: JSON that gives the same value again."""
    if isinstance(value, datetime | date):
        return {"instant": value.isoformat()}
    return {"number": str(value)} if isinstance(value, Decimal) else value


def _lowered(kept: Any, overlap: str | int, where: str) -> Any:
    """Return the kept value of a cursor less the overlap."""
    value = kept
    if isinstance(kept, dict):
        value = Decimal(kept["number"]) if "number" in kept else datetime.fromisoformat(kept["instant"])
    if not overlap:
        return value
    back = age(overlap) if isinstance(overlap, str) else overlap
    try:
        if isinstance(value, str) and isinstance(back, timedelta):
            # Texts of instants compare as texts: a beginning of one is before it, whatever follows.
            return (datetime.fromisoformat(value).replace(tzinfo=None) - back).isoformat(sep=value[10:11] or " ")[: len(value)]
        return value - back
    except (TypeError, ValueError):
        raise UserError(f"an overlap of {overlap!r} can't be taken from a cursor like {value!r}", where=where,
                        remedy="a number for numbers; 10m, 2h or 1d for instants") from None  # fmt: skip
