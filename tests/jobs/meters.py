"""A small table that tests publish to: readings by month, with a decimal measure and a double."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from jobs import commit
from jobs.commit import StagedFile
from jobs.lake import Lake, arrow_schema
from jobs.relation import read_rows
from schemas.contract import Contract

SOURCE = {"zone": "test", "path": "*.csv", "format": "csv", "publisher": "us", "licence": "CC0"}
COLUMNS = {
    "id": {"type": "bigint", "description": "Number of the reading"},
    "month": {"type": "string"},
    "kwh": {"type": "decimal(28,6)", "unit": "kWh"},
    "share": {"type": "double"},
    "name": {"type": "string"},
    "at": {"type": "timestamp"},
    "day": {"type": "date"},
}


def contract(**changes: Any) -> Contract:
    """Return the contract of the table, with some keys changed."""
    body = {"layer": "cleaned", "name": "meter", "file": "schemas/cleaned/meter.yaml", "description": "Readings",
            "owner": "tests", "source": SOURCE, "key": ("id",), "partition_by": ("month",),
            "columns": COLUMNS}  # fmt: skip
    return Contract(**{**body, **changes})


METER = contract()
SCHEMA = arrow_schema(METER)
TABLE = METER.table


def rows(ids: Sequence[int], month: str | None = None, **columns: Any) -> pa.Table:
    """Return readings with the given ids; the month is a column only if it is given."""
    fields = [field for field in SCHEMA if month is not None or field.name != "month"]
    values = {"id": ids, "month": [month] * len(ids), "_delivery": [1] * len(ids), "_locator": ids, **columns}
    given = {name: value for name, value in values.items() if month is not None or name != "month"}
    return pa.Table.from_arrays(
        [pa.array(given.get(field.name, [None] * len(ids)), field.type) for field in fields],
        names=[field.name for field in fields],
    )


def stage(lake: Lake, run: str, month: str, table: pa.Table, name: str = "0") -> StagedFile:
    """Write rows to the staging folder of a run as an engine does, and return the file."""
    path = lake.staging(run) / f"month={month}" / f"{name}.parquet"
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table, path)
    return StagedFile(str(path), {"month": month}, table.num_rows, path.stat().st_size)


def publish(lake: Lake, files: Sequence[StagedFile], **options: Any) -> int:
    """Publish files to the table on its newest version, unless told otherwise."""
    run = options.pop("run", None) or uuid4().hex
    made = lake.create(METER)
    given = {"read_version": made.version(), "replace": "append", "commit_info": {"run": run}, **options}
    return commit.publish(lake, lake.table_path(TABLE), SCHEMA, files, **given)


def put(lake: Lake, month: str, ids: Sequence[int], replace: commit.Replace = "append", **options: Any) -> int:
    """Publish readings of one month in one file."""
    run = options.pop("run", None) or uuid4().hex
    lake.create(METER)
    return publish(lake, [stage(lake, run, month, rows(ids), uuid4().hex)], run=run, replace=replace, **options)


def ids(lake: Lake, version: int | None = None) -> list[int]:
    """Return the ids in the table, repeated ones repeated, in order."""
    table = lake.open(TABLE, version)
    return sorted(read_rows(table)["id"].to_pylist()) if table else []


def data_files(lake: Lake) -> set[str]:
    """Return the Parquet files below the table's folder, whether the log names them or not."""
    folder = Path(lake.table_path(TABLE))
    return {str(path.relative_to(folder)) for path in folder.rglob("*.parquet") if "_delta_log" not in path.parts}
