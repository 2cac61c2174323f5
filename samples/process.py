"""Process factors as one delivery: collected facts, what each is in our formulas, and facts that the guides add."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from samples.regions import PROVINCES

Row = dict[str, str]
HERE = Path(__file__).parent
ROLES, MORE = HERE / "process_roles.csv", HERE / "process_more.csv"
PLACED = ("activity_code", "role", "factor_set", "gas", "industry_code", "region_code")
FACTS = ("industry_zh", "item_zh", "item_en", "value", "unit", "source", "confidence", "note")


def process_factors(domain: Path) -> list[Row]:
    """Return every row of the collected table, once for each activity that it serves, and the rows that we add.

    The first keeps the name of its source; others tell their activity or region behind it, so that names stay unique.
    """
    served: dict[tuple[str, str], list[Row]] = {}
    for row in _read(ROLES):
        served.setdefault((row["industry_zh"], row["item_zh"]), []).append(row)
    facts = _read(domain / "process_factors.csv")
    rows = [row | place for row in facts for place in served[row["industry_zh"], row["item_zh"]]]
    return list(_named([*rows, *(one for row in _read(MORE) for one in _by_province(row))]))


def _named(rows: list[Row]) -> Iterator[Row]:
    seen: set[tuple[str, str]] = set()
    for row in rows:
        behind = row.get("region_code") or " ".join(filter(None, (row["activity_code"], row["industry_code"])))
        plain = (row["industry_zh"], row["item_zh"]) not in seen and not row.get("region_code")
        seen.add((row["industry_zh"], row["item_zh"]))
        name = row["item_zh"] if plain else f"{row['item_zh']} ({behind})"
        yield {key: row.get(key, "") for key in (*FACTS, *PLACED)} | {"item_zh": name}


def _by_province(row: Row) -> Iterator[Row]:
    """One row for each province of a region, by the first two digits of their codes; one for the nation if none is named."""
    for province in row["regions"].split() or [""]:
        assert not province or province in PROVINCES, province
        yield row | {"region_code": province and f"{province}0000"}


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
