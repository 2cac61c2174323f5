"""The files of a reading: part-*.parquet with the rows, rejected.parquet with what was malformed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import UserError

# LZ4 halves the bytes at no measurable cost to writer or readers (DuckDB, Sail, Spark, Polars read LZ4_RAW).
COMPRESSION: Final = "lz4"
RAW_LIMIT = 4096
OURS = ("_delivery", "_locator")
REJECTED = pa.schema([("_delivery", pa.int64()), ("_locator", pa.string()), ("reason", pa.string()), ("raw", pa.string())])


def with_locators(columns: list[pa.Field], locator: pa.DataType) -> pa.Schema:
    """Return the schema of a part: the columns as found, then `_delivery` and `_locator`."""
    return pa.schema([*columns, pa.field("_delivery", pa.int64()), pa.field("_locator", locator)])


def check_names(names: list[str], where: str) -> list[str]:
    """Return the columns as found; raise UserError for a name of ours, and for two that differ by case alone.

    Engines take those two for one.
    """
    seen: dict[str, str] = {}
    for name in names:
        if name in OURS:
            raise UserError(f"a column is named {name!r}, which is a name of ours", where=where,
                            remedy="ask for the file with another name there")  # fmt: skip
        if (other := seen.setdefault(name.casefold(), name)) != name or names.count(name) > 1:
            raise UserError(f"the columns {other!r} and {name!r} are one to those who read them", where=where,
                            remedy="ask for a file where they have different names")  # fmt: skip
    return names


def write_parts(out: Path, batches: Iterable[pa.RecordBatch | pa.Table]) -> int:
    """Write the batches to one part file, none if there are no rows, and return the number of rows."""
    writer: pq.ParquetWriter | None = None
    rows = 0
    try:
        for batch in batches:
            if not batch.num_rows:
                continue
            table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
            writer = writer or _writer(out / "part-00000.parquet", table.schema)
            writer.write_table(table)
            rows += table.num_rows
    finally:
        if writer:
            writer.close()
    return rows


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    # No two rows have the same place: a dictionary of them would be made in vain.
    repeated: list[str] | bool = [name for name in schema.names if name not in OURS] or False
    return pq.ParquetWriter(path, schema, compression=COMPRESSION, write_statistics=False, use_dictionary=repeated)


def no_rows(where: str) -> UserError:
    """Return the refusal of a delivery without rows."""
    return UserError("no data rows", where=where,
                     remedy="ask for the delivery again; where none is right set the option `empty_ok: true`")  # fmt: skip


class Held:
    """Malformed rows of a small delivery, held until it is known whether it can be read at all."""

    def __init__(self, delivery: int) -> None:
        self.count, self.first, self.delivery = 0, "", delivery
        self.rows: list[tuple[int, str, str, str]] = []

    def add(self, locator: str, reason: str, raw: str) -> None:
        """Set one malformed row aside; its text is cut to 4 kB."""
        self.first = self.first or f"{locator}: {reason}"
        self.count += 1
        # Cut before any cleaning, so that a row of 10 MB costs nothing.
        self.rows.append((self.delivery, locator, reason, raw[:RAW_LIMIT]))


class Rejects(Held):
    """The file of malformed rows, always written, in batches so that a bad delivery needs no memory."""

    def __init__(self, out: Path, delivery: int, batch: int = 5000) -> None:
        super().__init__(delivery)
        self._batch = batch
        self._writer = _writer(out / "rejected.parquet", REJECTED)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._flush()
        self._writer.close()

    def add(self, locator: str, reason: str, raw: str) -> None:
        """Set one malformed row aside; its text is cut to 4 kB."""
        super().add(locator, reason, raw)
        if len(self.rows) >= self._batch:
            self._flush()

    def take(self, held: Held) -> None:
        """Take over the rows of a delivery that is read together with others."""
        self.rows += held.rows
        if len(self.rows) >= self._batch:
            self._flush()

    def _flush(self) -> None:
        if self.rows:
            columns = zip(*self.rows, strict=True)
            arrays = [pa.array(list(column), field.type) for column, field in zip(columns, REJECTED, strict=True)]
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=REJECTED))
            self.rows.clear()
