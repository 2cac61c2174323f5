"""A project of one table that is fetched, in a lake of its own, for tests of what sources give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from jobs import fetch as fetching
from jobs import land
from jobs.lake import Lake
from jobs.land import Receipt
from schemas.rooms import VARIABLE
from tests.jobs import building

TABLE = "cleaned.reading"
COLUMNS = """
  id: {type: bigint, description: Number}
  kwh: {type: "decimal(18,6)", description: Energy}
"""
DELETED = "  deleted: {from: _deleted, type: boolean, description: Deleted there}\n"


class Source:
    """One source: its lake, its contract, and what it gives."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, connections: Mapping[str, str]) -> None:
        self.lake = Lake(str(folder / "lake")).init()
        self.connections, self._folder = connections, folder / "own"
        monkeypatch.setenv(VARIABLE, str(self._folder))

    def declare(self, fetch: str, *, columns: str = COLUMNS, write: str = "merge", format: str = "parquet", key: str = "[id]",
                more: str = "") -> None:  # fmt: skip
        """Write the contract."""
        file = self._folder / "schemas" / "cleaned" / "reading.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        source = f"{{zone: z, path: '*', format: {format}, publisher: us, licence: CC0-1.0, timezone: UTC, fetch: {fetch}{more}}}"
        file.write_text(f"description: Readings\nowner: tests\nsource: {source}\nkey: {key}\nwrite: {write}\n"
                        f"columns:\n{columns}", encoding="utf-8")  # fmt: skip
        from schemas import contracts

        contracts._load.cache_clear()

    def fetch(self) -> list[Receipt]:
        """Fetch once."""
        return fetching.fetch(self.lake, TABLE, self.connections)

    def position(self) -> Any:
        """Return where the next fetch goes on."""
        return json.loads(land.position(self.lake, TABLE) or "{}")

    def bytes(self, receipt: Receipt) -> bytes:
        """Return a delivery as it came."""
        return self.lake.delivery(receipt.sha256).read_bytes()

    def rows(self, receipt: Receipt) -> list[dict[str, Any]]:
        """Return the rows of a Parquet delivery."""
        found: list[dict[str, Any]] = pq.read_table(self.lake.delivery(receipt.sha256)).to_pylist()
        return found

    def built(self, spark: Any, *columns: str) -> list[tuple[Any, ...]]:
        """Build the table and return its rows, sorted."""
        outcome = building.build(self.lake, spark, TABLE)[TABLE]
        assert outcome.status in ("built", "skipped"), outcome.reason
        return building.rows(self.lake, TABLE, *columns)
