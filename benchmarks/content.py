"""What two sides made, compared: rows, sums and a sum of hashes that any changed value changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
from deltalake import DeltaTable

from jobs.lake import Lake

# Bits of the scripts by hand, in the order of the contract bench_meter: declared rules, types, keys.
BITS = (
    "not_null_electricity_kwh", "at_least_electricity_kwh", "at_most_electricity_kwh", "pattern_meter_id",
    "pattern_area_code", "one_of_status", "type_time", "type_electricity_kwh", "key_not_null_meter_id",
    "key_not_null_time", "key_not_null_month",
)  # fmt: skip
READING = (
    "meter_id", 'epoch_ms("time")', "cast(electricity_kwh as decimal(18,6))", "area_code", "status",
    'cast("month" as integer)', "_delivery", "_locator",
)  # fmt: skip
READING_ANYWHERE = tuple(name for name in READING if not name.startswith("_"))  # without its place in a delivery
MONTH = (
    "meter_id",
    "area_code",
    'cast("month" as integer)',
    "cast(electricity_kwh as decimal(28,6))",
    "cast(readings as bigint)",
)


def table(lake: Path, name: str) -> str:
    """Return DuckDB SQL over the files of the newest version of a table of ours."""
    uris = DeltaTable(Lake(lake).table_path(name)).file_uris()
    return f"select * from read_parquet({uris}, hive_partitioning = true)"


def files(pattern: Path) -> str:
    """Return DuckDB SQL over Parquet files that a script wrote."""
    return f"select * from read_parquet('{pattern}', hive_partitioning = true)"


def summary(sql: str, columns: tuple[str, ...]) -> tuple[Any, ...]:
    """Return rows, the sum of kWh and a sum of hashes of rows, which does not look at their order."""
    hashed = f"sum(cast(hash({', '.join(columns)}) as hugeint))"
    found = duckdb.connect().execute(f"select count(*), cast(sum(electricity_kwh) as varchar), {hashed} from ({sql})").fetchone()
    assert found
    return found


def quarantine(lake: Path, name: str) -> list[tuple[Any, ...]]:
    """Return how many rows of ours were set aside for which set of rules, with a sum over their lines."""
    uris = DeltaTable(Lake(lake).quarantine_path(name)).file_uris()
    rows = duckdb.connect().execute(
        f"select rules, count(*), sum(cast(locator as bigint)) from read_parquet({uris}) group by rules"
    )
    return sorted((",".join(sorted(rules.split(", "))), count, int(lines)) for rules, count, lines in rows.fetchall())


def rejected(pattern: Path) -> list[tuple[Any, ...]]:
    """Return the same of a script by hand, from its bits."""
    rows = duckdb.connect().execute(f"select _rules, count(*), sum(_locator) from '{pattern}' group by _rules").fetchall()
    return sorted((_labels(bits), count, int(lines)) for bits, count, lines in rows)


def _labels(bits: int) -> str:
    return ",".join(sorted(label for i, label in enumerate(BITS) if bits >> i & 1))


def demand_equal(what: str, ours: Any, theirs: Any) -> None:
    """Raise RuntimeError naming both where two sides did not make the same: no time counts then."""
    if ours != theirs:
        raise RuntimeError(f"{what} differ, so no time counts\n  ours:   {ours}\n  theirs: {theirs}")


def keep(sql: str, path: Path) -> str:
    """Copy rows aside before they are changed, and return SQL over the copy."""
    duckdb.connect().execute(f"copy ({sql}) to '{path}' (format parquet)")
    return f"select * from '{path}'"
