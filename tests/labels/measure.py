"""How right the numbers are that are taken from PDF: compared with numbers that people read from the pages.

`tables.csv` names tables, `numbers.csv` what stands in them, by the row below the header and the column, both from 1, as it
is seen on the page. `python -m tests.labels.measure` prints the counts that docs/documents.md publishes.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from jobs.readers import Request
from jobs.readers.doubts import is_number
from jobs.readers.pdf import read
from jobs.readers.table_rows import BESIDE
from schemas.errors import UserError
from schemas.rooms import SHIPPED

HERE = Path(__file__).parent
Places = dict[tuple[int, int], str]


def measure(shared: Path) -> Counter[tuple[str, str]]:
    """Return how many numbers are (sure or doubted, right or wrong), and how many were (not found, missed)."""
    counts: Counter[tuple[str, str]] = Counter()
    for _, _, kind, verdict, *_ in compared(shared):
        counts[kind, verdict] += 1
    return counts


def compared(shared: Path) -> Iterator[tuple[str, tuple[int, int], str, str, str, str]]:
    """Yield table, place, sure or doubted, right or wrong, the number found and the number on the page."""
    labels: dict[str, Places] = {}
    for one in _table("numbers"):
        labels.setdefault(one["table"], {})[int(one["row"]), int(one["column"])] = one["value"]
    for table in _table("tables"):
        truth, rows = labels[table["table"]], {row for row, _ in labels[table["table"]]}
        found = _found(shared / "data" / table["file"], table)
        for place, (text, kind) in sorted(found.items()):
            if place[0] in rows and (is_number(text) or place in truth):
                verdict = "right" if truth.get(place) == text else "wrong"
                yield table["table"], place, kind, verdict, text, truth.get(place, "")
        for place in sorted(truth.keys() - found.keys()):
            yield table["table"], place, "not found", "missed", "", truth[place]


def _table(name: str) -> list[dict[str, str]]:
    with (HERE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _found(path: Path, table: Mapping[str, str]) -> dict[tuple[int, int], tuple[str, str]]:
    """Return place → text and whether its row is sure, of one table."""
    header: int | str = int(table["header"]) if table["header"].isdigit() else table["header"]
    choice: dict[str, Any] = {"pages": table["pages"], "numbers": [int(table["number"])], "ruled": table["ruled"] == "true"}
    with tempfile.TemporaryDirectory() as folder:
        try:
            read(Request(path, Path(folder), 1, path.name, {"tables": choice, "header": header}))
        except UserError as error:
            print(f"{table['table']}: {error}", file=sys.stderr)
            return {}
        parts = [row for part in Path(folder).glob("part-*.parquet") for row in pq.ParquetFile(part).read().to_pylist()]
    return {
        (at, column): (text, "doubted" if row["_doubt"] else "sure")
        for at, row in enumerate(parts, 1)
        for column, text in enumerate([value for name, value in row.items() if name not in (*BESIDE, "_delivery", "_locator")], 1)
        if text
    }


def main() -> None:
    """Print every number that is wrong or missed, then the counts."""
    shared = SHIPPED.parent / "shared"
    counts: Counter[tuple[str, str]] = Counter()
    for table, place, kind, verdict, text, truth in compared(shared):
        counts[kind, verdict] += 1
        if verdict != "right":
            print(f"{table} {place}: {kind}, {verdict}: {text!r}, on the page {truth!r}")
    print({" ".join(key): number for key, number in sorted(counts.items())})


if __name__ == "__main__":
    main()
