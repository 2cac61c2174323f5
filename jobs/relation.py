"""A version of a Delta table as DuckDB SQL: files as the log names them, columns and types as the table has them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from jobs import store
from jobs.footers import plain

# What a folder's name says without any escape.
PLAIN_VALUE = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class TableFile:
    """A data file of a table: its path or URL, partition values as text, bytes and rows."""

    path: str
    partition: dict[str, str]
    size: int
    rows: int


def connect(
    place: str | Path, options: Mapping[str, str] | None = None, config: Mapping[str, Any] | None = None
) -> duckdb.DuckDBPyConnection:  # fmt: skip
    """Return a DuckDB connection, in UTC, that reads files at a place: a lake's root or a table, local or s3://."""
    duck = duckdb.connect(config=dict(config or {}))
    duck.execute("set TimeZone = 'UTC'")
    if store.is_remote(place):
        from jobs.parts import Parts  # DuckDB's own httpfs is no package for version 2

        duck.register_filesystem(Parts(options))
    return duck


def table_files(table: DeltaTable) -> list[TableFile]:
    """Return the data files of the version that a handle shows, in the order of their paths."""
    # pa.table, or a nanosecond in a statistic, would import pandas for half a second.
    known = pa.RecordBatchReader.from_stream(table.get_add_actions()).read_all()
    wanted = [name for name in ("path", "partition", "size_bytes", "num_records") if name in known.column_names]
    uri = str(table.table_uri).rstrip("/")
    root = uri if store.is_remote(uri) else str(store.local(uri))
    found = [
        TableFile(f"{root}/{unquote(add['path'])}", {k: str(v) for k, v in (add.get("partition") or {}).items()},
                  add["size_bytes"], add["num_records"] or 0)
        for add in known.select(wanted).to_pylist()
    ]  # fmt: skip
    return sorted(found, key=lambda file: file.path)


def columns(table: DeltaTable) -> dict[str, pa.DataType]:
    """Return the columns of a table with their Arrow types."""
    return {column.name: plain(column.type) for column in pa.schema(table.schema().to_arrow())}


def relation_sql(table: DeltaTable, only: Collection[str] | None = None) -> str:
    """Return a SELECT over the files of a version (or over some of their paths), in the table's own types.

    DuckDB would take names and types from the files; here a column that some or all files lack is NULL, and what
    they have beyond the table's columns does not show. Partition values are those of the log.
    """
    types = {name: duckdb_type(type_) for name, type_ in columns(table).items()}
    files = [file for file in table_files(table) if only is None or file.path in only]
    selected = ", ".join(f"cast({quote(name)} as {type_}) as {quote(name)}" for name, type_ in types.items())
    typed = ", ".join(f"cast(null as {type_}) as {quote(name)}" for name, type_ in types.items())
    parts = [f"select {typed} where false"]
    if files:
        parts.append(_scan(files, {name: types[name] for name in table.metadata().partition_columns}))
    return f"select {selected} from ({' union all by name '.join(parts)})"


def read_rows(table: DeltaTable, where: str = "true") -> pa.Table:
    """Return the rows of a version, those that a SQL condition keeps.

    delta-rs's own way hands Arrow's threads files written in Python; at exit such a thread now and then ends the
    process with an abort, after all work is done (seen once in eight runs).
    """
    with connect(str(table.table_uri), table._storage_options) as duck:
        return arrow_table(duck.sql(f"select * from ({relation_sql(table)}) where {where}"))


def plain_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of a table as Arrow does, who would import pandas for half a second to make an instant of a number."""
    columns = [_values(table[name]) for name in table.column_names]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    if not (pa.types.is_timestamp(column.type) and column.type.unit == "us" and column.type.tz):
        return column.to_pylist()  # type: ignore[no-any-return]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return [None if n is None else epoch + timedelta(microseconds=n) for n in column.cast(pa.int64()).to_pylist()]


def arrow_table(found: duckdb.DuckDBPyRelation) -> pa.Table:
    """Return a result as Arrow, instants in `UTC`, which DuckDB would call Etc/UTC."""
    table = found.to_arrow_table()
    utc = [field.with_type(pa.timestamp("us", "UTC")) if pa.types.is_timestamp(field.type) and field.type.tz else field
           for field in table.schema]  # fmt: skip
    return table.cast(pa.schema(utc))


def _scan(files: list[TableFile], partitions: dict[str, str]) -> str:
    """Return a SELECT over files; where folders do not say what the log says, values are joined to the files."""
    paths = ", ".join(literal(file.path) for file in files)
    options = "union_by_name=true, hive_partitioning=false"
    if not partitions:
        return f"select * from read_parquet([{paths}], {options})"
    if all(_said_by_folder(file, name) for file in files for name in partitions):
        hive = ", ".join(f"{quote(name)}: {type_}" for name, type_ in partitions.items())
        options = f"union_by_name=true, hive_partitioning=true, hive_types={{{hive}}}"
        return f"select * from read_parquet([{paths}], {options})"
    names = ", ".join(quote(name) for name in partitions)
    said = [[file.path, *(file.partition[name] for name in partitions)] for file in files]
    values = ", ".join(f"({', '.join(map(literal, row))})" for row in said)
    # Two reads would name the path twice; `_file` is ours and never a column of a table.
    return (f"select f.* exclude (_file), {names} from read_parquet([{paths}], {options}, filename='_file') f"
            f" join (values {values}) p(_path, {names}) on f._file = p._path")  # fmt: skip


def _said_by_folder(file: TableFile, name: str) -> bool:
    value = file.partition[name]
    return f"/{name}={value}/" in file.path and bool(PLAIN_VALUE.fullmatch(value))


def duckdb_type(type_: pa.DataType) -> str:
    """Return how DuckDB calls an Arrow type of a table."""
    if pa.types.is_decimal(type_):
        return f"decimal({type_.precision},{type_.scale})"
    if pa.types.is_timestamp(type_):
        return "timestamptz" if type_.tz else "timestamp"
    return _NAMES[type_]


_NAMES: dict[Any, str] = {
    pa.string(): "varchar", pa.int8(): "tinyint", pa.int16(): "smallint", pa.int32(): "integer", pa.int64(): "bigint",
    pa.float32(): "float", pa.float64(): "double", pa.bool_(): "boolean", pa.date32(): "date", pa.binary(): "blob",
}  # fmt: skip


def quote(name: str) -> str:
    """Return a name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"
