"""Rows that a source no longer has: what earlier deliveries brought and its keys of now lack."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.relation import literal, quote

MEMORY = "1GB"


def tombstones(earlier: Sequence[Path], keys: Path, key: Sequence[str], target: Path, folder: Path) -> int:
    """Write rows that have gone as they last were, with `_deleted` true; return how many.

    `earlier` are the deliveries in their sequence, `keys` the keys that are there now.
    """
    if not earlier:
        return 0
    by = ", ".join(map(quote, key))
    known = " union all by name ".join(
        f"select {columns_of(file)}, {place} as _place from read_parquet({literal(str(file))})"
        for place, file in enumerate(earlier)
    )
    same = " and ".join(f"cast(k.{quote(name)} as varchar) is not distinct from cast(f.{quote(name)} as varchar)" for name in key)
    with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(folder), "threads": 2}) as duck:
        duck.execute(f"""
            copy (select f.* exclude (_place) replace (true as _deleted) from ({known}) f
                  semi join (select {by}, max(_place) as _place from ({known}) group by all) l using ({by}, _place)
                  anti join (select * from read_parquet({literal(str(keys))})) k on {same}
                  where not f._deleted)
            to {literal(str(target))} (format parquet)
        """)
        row = duck.execute(f"select count(*) from read_parquet({literal(str(target))})").fetchone()
    return int(row[0]) if row else 0


def columns_of(file: Path) -> str:
    """Return the columns of a delivery, days and instants as the reader of Parquet writes them: some deliveries have texts."""
    found = []
    for field in pq.read_schema(file):
        name = quote(field.name)
        if pa.types.is_date(field.type):
            name = f"cast({name} as varchar) as {name}"
        elif pa.types.is_timestamp(field.type):
            zoned = field.type.tz is not None
            instant = f"{name} at time zone 'UTC'" if zoned else name
            name = f"strftime({instant}, '%Y-%m-%d %H:%M:%S.%f{'Z' if zoned else ''}') as {name}"
        found.append(name)
    return ", ".join(found)
