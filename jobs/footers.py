"""What the footers of staged Parquet files say, held against the contract before anything is published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import UserError

EXTRA = ("_rules",)
LONGEST_BOUND = 32
REBUILD = "build the table again; the files were not published"


@dataclass(frozen=True)
class StagedFile:
    """A Parquet file that waits in a staging folder; partition values as text, as they will stand in the log."""

    path: str
    partition_values: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None
    size: int | None = None


@dataclass(frozen=True)
class Checked:
    """A staged file that fits: its size in bytes and its statistics as Delta writes them."""

    file: StagedFile
    rows: int
    size: int
    stats: str


def check(
    file: StagedFile, schema: pa.Schema, partition_by: Sequence[str], statistics: Sequence[str],
    extra: Sequence[str] = EXTRA,
) -> Checked:  # fmt: skip
    """Return what a file holds. Raise UserError if it is not there, or is not what contract and caller say."""
    _check_partition(file, partition_by)
    path = Path(file.path)
    try:
        size, footer = path.stat().st_size, pq.ParquetFile(path)
    except FileNotFoundError:
        raise UserError("the staged file is not there", where=file.path, remedy=REBUILD) from None
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"not a whole Parquet file ({error})", where=file.path, remedy=REBUILD) from None
    rows = footer.metadata.num_rows
    if file.rows not in (None, rows) or file.size not in (None, size):
        raise UserError(f"{rows} rows in {size} bytes, but {file.rows} in {file.size} were reported", where=file.path,
                        remedy=REBUILD)  # fmt: skip
    expected = [column for column in schema if column.name not in partition_by]
    _check_columns(footer, expected, extra, file.path)
    nulls, bounds = _statistics(footer.metadata, expected, statistics)
    _check_nulls(nulls, expected, file.path)
    # Where one column's nulls are unknown, say nothing: a missing nullCount makes `is null` find no rows.
    stats = {"numRecords": rows, **({**bounds, "nullCount": nulls} if None not in nulls.values() else {})}
    return Checked(file, rows, size, json.dumps(stats, allow_nan=False))


def _check_partition(file: StagedFile, partition_by: Sequence[str]) -> None:
    """Refuse files of no or another partition; NULL and non-ASCII values are written differently by each engine."""
    if set(file.partition_values) != set(partition_by):
        raise UserError(f"partition values {dict(file.partition_values)}, the table has {list(partition_by)}",
                        where=file.path, remedy=REBUILD)  # fmt: skip
    for name, value in file.partition_values.items():
        if not isinstance(value, str) or not value or not value.isascii() or value.startswith("__HIVE_DEFAULT"):
            raise UserError(f"{value!r} cannot be a partition value of {name!r}: it must be ASCII and not null",
                            where=file.path, remedy="add a rule not_null or partition by a code")  # fmt: skip
        folders = [part for part in Path(file.path).parent.parts if part.startswith(f"{name}=")]
        if folders and unquote(folders[-1]) != f"{name}={value}":
            raise UserError(f"lies in {folders[-1]} but is given as {name}={value}", where=file.path, remedy=REBUILD)


def _check_columns(footer: pq.ParquetFile, expected: Sequence[pa.Field], extra: Sequence[str], where: str) -> None:
    found = {column.name: column.type for column in footer.schema_arrow}
    for column in expected:
        if column.name not in found:
            near = [name for name in found if name.lower() == column.name.lower()]
            hint = f"; it has {near[0]!r}, and case counts" if near else ""
            raise UserError(f"the column {column.name!r} is not in the file{hint}", where=where, remedy=REBUILD)
        if plain(found[column.name]) != column.type:
            raise UserError(f"{column.name!r} is {found[column.name]}, the contract says {column.type}", where=where,
                            remedy="cast it in the transform")  # fmt: skip
    if unknown := sorted(found.keys() - {column.name for column in expected} - set(extra)):
        raise UserError(f"columns that the contract does not know: {', '.join(unknown)}", where=where,
                        remedy="add them to the contract or drop them in the transform")  # fmt: skip
    # Spark's INT96: delta-rs reads 9999-12-31 as 1816.
    if old := [c.name for c in map(footer.schema.column, range(len(footer.schema))) if c.physical_type == "INT96"]:
        raise UserError(f"timestamps as INT96: {', '.join(old)}", where=where,
                        remedy="set spark.sql.parquet.outputTimestampType=TIMESTAMP_MICROS")  # fmt: skip


def plain(type_: pa.DataType) -> pa.DataType:
    """Return a type without the choices of layout that Arrow makes: views, large offsets, dictionaries."""
    if pa.types.is_dictionary(type_):
        return plain(type_.value_type)
    return pa.string() if type_ in (pa.large_string(), pa.string_view()) else type_


def _statistics(
    metadata: pq.FileMetaData, expected: Sequence[pa.Field], statistics: Sequence[str]
) -> tuple[dict[str, int | None], dict[str, dict[str, Any]]]:
    """Return NULLs of each column (None where unknown), and least and greatest values of those that may have them."""
    names = [metadata.schema.column(i).name for i in range(metadata.num_columns)]
    nulls: dict[str, int | None] = {}
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    for column in expected:
        at = names.index(column.name)
        parts = [metadata.row_group(i).column(at).statistics for i in range(metadata.num_row_groups)]
        known = all(part is not None and part.has_null_count for part in parts)
        nulls[column.name] = sum(part.null_count for part in parts) if known else None
        values = [part for part in parts if part is not None and part.num_values]
        if column.name in statistics and values and known and all(part.has_min_max for part in values):
            bounds = bound(min(p.min for p in values)), bound(max(p.max for p in values))
            if None not in bounds:
                low[column.name], high[column.name] = bounds
    return nulls, {"minValues": low, "maxValues": high}


def bound(value: Any) -> Any:
    """Return a bound as Delta writes it, None for one it cannot bear: long text, decimals, doubles, parts of ms."""
    if isinstance(value, datetime):
        # Only milliseconds are kept in the lake (Trino's limit); anything finer has no exact bound.
        return None if value.microsecond % 1000 else value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value if len(value.encode()) <= LONGEST_BOUND else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _check_nulls(nulls: Mapping[str, int | None], expected: Sequence[pa.Field], where: str) -> None:
    for column in expected:
        if not column.nullable and nulls[column.name]:
            raise UserError(f"{nulls[column.name]} rows have no {column.name!r}, which is a key", where=where,
                            remedy="send such rows to quarantine with a rule not_null")  # fmt: skip
