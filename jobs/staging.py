"""Staging: files that an engine wrote for one run, seen by nobody until they are published."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pyarrow.parquet as pq
from pyspark.sql import DataFrame

from jobs.clean import RULES, VERDICT, verdict
from schemas import types
from schemas.contract import Contract


@dataclass(frozen=True)
class Staged:
    """A Parquet file of a run: its partition value (None if the table has none), rows and bytes."""

    path: str
    verdict: str
    partition: str | None
    rows: int
    size: int


def write(frame: DataFrame, folder: Path, contract: Contract) -> list[Staged]:
    """Write the rows as Parquet, accepted and rejected apart and by partition, and list the files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    frame.write.mode("overwrite").option("compression", "snappy").partitionBy(VERDICT, *contract.partition_by).parquet(
        str(folder)
    )
    return listing(folder)


def write_fine(
    frame: DataFrame, folder: Path, contract: Contract, aside: int, opened: Callable[[Sequence[str]], DataFrame]
) -> list[Staged]:
    """Write rows that are thought to be all accepted, in one part; where one has a bit of `aside`, part them after all.

    Parting costs as much as the writing itself, for each row, and derived rows hardly ever fail. `opened` reads files.
    """
    if contract.partition_by:
        return write(frame, folder, contract)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    whole = folder / f"{VERDICT}=ok"
    frame.drop(VERDICT).write.mode("overwrite").option("compression", "snappy").parquet(str(whole))
    files = listing(folder)
    if not any(_marked(file.path, aside) for file in files):
        return files
    apart = folder.with_name(f"{folder.name}-whole")
    shutil.rmtree(apart, ignore_errors=True)
    folder.rename(apart)
    judged = opened([str(apart / f"{VERDICT}=ok" / Path(file.path).name) for file in files])
    parted = write(judged.withColumn(VERDICT, verdict(aside)), folder, contract)
    shutil.rmtree(apart, ignore_errors=True)
    return parted


def _marked(path: str, aside: int) -> bool:
    """Tell whether a file has a row with one of the bits; most often its footer says that there is none."""
    file = pq.ParquetFile(path)
    place = file.schema_arrow.get_field_index(RULES)
    groups = (file.metadata.row_group(number) for number in range(file.metadata.num_row_groups))
    known = [group.column(place).statistics for group in groups]
    if all(one is not None and one.has_min_max and one.min == one.max == 0 for one in known):
        return False
    masks = file.read(columns=[RULES])[RULES].to_numpy()
    return bool((masks & aside).any())


def listing(folder: Path) -> list[Staged]:
    """List the Parquet files of a staging folder, empty ones left out."""
    found = []
    for path in sorted(folder.rglob("*.parquet")):
        values = dict(part.split("=", 1) for part in path.relative_to(folder).parts[:-1])
        verdict = values.pop(VERDICT, "ok")
        partition = unquote(next(iter(values.values()))) if values else None
        rows = pq.ParquetFile(path).metadata.num_rows
        if rows:
            found.append(Staged(str(path), verdict, partition, rows, path.stat().st_size))
    return found


def relation(files: Sequence[Staged], contract: Contract, extra: Sequence[str] = ()) -> str:
    """Return DuckDB SQL over staged files, partition column included, in the contract's types."""
    partition = contract.partition_by[0] if contract.partition_by else None
    names = [*contract.columns, *extra]
    if not files:
        typed = {name: types.duckdb(str(column.type)) for name, column in contract.columns.items()}
        columns = [f'cast(null as {typed.get(name, "bigint")}) as "{name}"' for name in names]
        return f"select {', '.join(columns)} limit 0"
    paths = ", ".join(quoted(file.path) for file in files)
    hive = ""
    if partition:
        type_ = types.duckdb(str(contract.columns[partition].type))
        hive = f", hive_partitioning=true, hive_types={{'{VERDICT}': varchar, '{partition}': {type_}}}"
    selected = ", ".join(f'"{name}"' for name in names)
    return f"select {selected} from read_parquet([{paths}]{hive})"


def quoted(text: str) -> str:
    """Return text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"
