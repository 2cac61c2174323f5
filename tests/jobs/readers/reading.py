"""What the tests of readers share: reading a delivery into a folder, and its rows and rejects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jobs.readers import Read, Request, read
from schemas.errors import UserError


@dataclass(frozen=True)
class Result:
    """A reading with the content of its files."""

    read: Read
    rows: list[dict[str, Any]]
    rejected: list[dict[str, Any]]

    def column(self, name: str) -> list[Any]:
        """Return the values of one column in the order of the file."""
        return [row[name] for row in self.rows]


Reading = Callable[..., Result]


def read_file(folder: Path, format: str, path: Path, **options: Any) -> Result:
    """Read a file into a new folder under `folder`."""
    out = folder / f"out{sum(1 for _ in folder.iterdir())}"
    out.mkdir()
    found = read(format, Request(path, out, 7, path.name, options))
    parts = sorted(out.glob("part-*.parquet"))
    return Result(found, [row for part in parts for row in rows(part)], rows(out / "rejected.parquet"))


def rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file."""
    with duckdb.connect() as connection:
        cursor = connection.execute("select * from read_parquet(?)", [str(path)])
        names = [one[0] for one in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def refusal(folder: Path, format: str, path: Path, **options: Any) -> str:
    """Return the message of the error that reading a file raises."""
    with pytest.raises(UserError) as caught:
        read_file(folder, format, path, **options)
    return str(caught.value)
