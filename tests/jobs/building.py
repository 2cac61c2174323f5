"""A small project to build: one cleaned table for each way of writing, and a partitioned table derived from each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jobs import land, quarantine
from jobs.lake import Lake
from jobs.outcome import Outcome
from jobs.relation import read_rows
from jobs.run import run
from jobs.session import Engine

WRITES = ("replace", "merge", "append", "period")
HEAD = "meter,day,t,label"
FLOW = """
description: Flow through meters
owner: tests
source: {zone: flows, path: "%(write)s/*.csv", format: csv, publisher: us, licence: CC0-1.0}
key: [%(key)s]
partition_by: [month]
write: %(write)s
%(period)s
columns:
  meter: {type: string, description: Meter}
  day: {type: date, description: Day}
  mass_t: {type: "decimal(28,6)", unit: t, description: Mass, from: t}
  label: {type: string, description: Label}
  month: {type: date, description: Month, derive: "trunc(day, 'month')"}
rules:
  - {rule: at_least, column: mass_t, limit: 0}
balance: [mass_t]
"""
MONTH = """
description: Flow of a month
owner: tests
inputs: {flow: cleaned.flow_%(write)s}
key: [month]
partition_by: [month]
columns:
  month: {type: date, description: Month}
  mass_t: {type: "decimal(28,6)", unit: t, description: Mass}
  days: {type: bigint, description: Rows}
balance: [mass_t]
"""
PEAK = """
description: Largest flow of a month; what is above ten is set aside
owner: tests
inputs: {flow: cleaned.flow_%(write)s}
key: [meter, month]
partition_by: [month]
columns:
  meter: {type: string, description: Meter}
  month: {type: date, description: Month}
  peak_t: {type: "decimal(28,6)", unit: t, description: Mass}
rules:
  - {rule: at_most, column: peak_t, limit: 10}
"""
TRANSFORM = '''"""Flow by month."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def transform(flow: DataFrame) -> DataFrame:
    """Return one row a group."""
    return flow.groupBy(%s).agg(%s)
'''
ADDED = TRANSFORM % ('"month"', 'F.sum("mass_t").alias("mass_t"), F.count("*").alias("days")')
LARGEST = TRANSFORM % ('"meter", "month"', 'F.max("mass_t").alias("peak_t")')


def lay(folder: Path, files: Mapping[str, str]) -> Path:
    """Write the files of a project and return its folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def flows(writes: Iterable[str] = WRITES) -> dict[str, str]:
    """Return the files of a project with a cleaned and two derived tables for each way of writing."""
    found = {}
    for write in writes:
        words = {"write": write, "key": "" if write == "append" else "meter, day",
                 "period": "period: [day]" if write == "period" else ""}  # fmt: skip
        found |= {
            f"schemas/cleaned/flow_{write}.yaml": FLOW % words,
            f"schemas/thematic/flow_{write}_month.yaml": MONTH % words,
            f"schemas/thematic/flow_{write}_peak.yaml": PEAK % words,
            f"layers/thematic/flow_{write}_month.py": ADDED,
            f"layers/thematic/flow_{write}_peak.py": LARGEST,
        }
    return found


def csv(rows: Iterable[Sequence[Any]], head: str = HEAD) -> str:
    """Return a delivery as text."""
    return "\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n"


def deliver(lake: Lake, table: str, name: str, content: str | bytes) -> int:
    """Land a delivery under a name and return its id."""
    place = lake.folder.parent / "inbox" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return land.land(lake, place, table)[0].delivery_id


def build(lake: Lake, spark: Any, *terms: str, force: bool = False, month: str = "") -> dict[str, Outcome]:
    """Build tables one after the other, and return how each ended."""
    return {one.table: one for one in run(lake, Engine("sail", spark), terms, force=force, month=month, workers=1)}


def rows(lake: Lake, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Return the rows of a table as it stands, sorted; empty where it was never made."""
    head = lake.open(table)
    if head is None:
        return []
    found = read_rows(head)
    return sorted((tuple(row.values()) for row in found.select(columns or found.column_names).to_pylist()), key=repr)


def aside(lake: Lake, table: str) -> list[tuple[Any, ...]]:
    """Return what waits in the quarantine of a table as it stands: delivery, locator, rules, raw text; sorted."""
    found = quarantine.listed(lake, table)
    return sorted(((r["delivery_id"], r["locator"], r["rules"], r["raw"]) for r in found), key=repr)


def state(lake: Lake, tables: Iterable[str]) -> dict[str, Any]:
    """Return rows and quarantine of tables, to compare one moment with another."""
    return {table: (rows(lake, table), aside(lake, table)) for table in tables}
