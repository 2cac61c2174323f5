"""The UTF-8 twin by hand in DuckDB: one CSV to Parquet, all as texts, with the line of each row."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb

COLUMNS = ("meter_id", "time", "electricity_kwh", "area_code", "status")


def run(csv: Path, out: Path) -> None:
    """Write the rows and their physical lines to `out`."""
    connection = duckdb.connect(config={"threads": 2})
    columns = "{" + ", ".join(f"'{name}': 'varchar'" for name in COLUMNS) + "}"
    connection.execute(f"""
        copy (select *, row_number() over () + 1 as _locator
            from read_csv('{csv}', columns = {columns}, header = true, auto_detect = false, delim = ',', quote = '"',
                escape = '"', new_line = '\\n'))
        to '{out}' (format parquet)""")


if __name__ == "__main__":
    began = time.perf_counter()
    run(Path(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps({"seconds": time.perf_counter() - began}))
