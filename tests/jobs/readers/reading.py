"""What the tests of readers share: reading a delivery into a folder, and its rows and rejects."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from jobs.readers import CAGED, Read, Request, cage, read
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
OPEN = ExitStack()
CAGES: list[Any] = []
atexit.register(OPEN.close)


def read_file(folder: Path, format: str, path: Path, **options: Any) -> Result:
    """Read a file into a new folder under `folder`."""
    out = folder / f"out{sum(1 for _ in folder.iterdir())}"
    out.mkdir()
    request = Request(path, out, 7, path.name, options)
    found = _kept(format, request) if format in CAGED and "members" not in options else read(format, request)
    parts = sorted(out.glob("part-*.parquet"))
    return Result(found, [row for part in parts for row in rows(part)], rows(out / "rejected.parquet"))


def _kept(format: str, request: Request) -> Read:
    """Read in a cage that stays open from test to test, for starting one takes a second; a dead one is followed by a new one."""
    if not CAGES or CAGES[-1].process.poll() is not None:
        CAGES.append(OPEN.enter_context(cage._started(cage.Limits())))
    found = cage._result(cage._ask(CAGES[-1], cage._task("read", format, request), cage.Limits()))
    if isinstance(found, UserError):
        raise found
    return found


def rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file."""
    found: list[dict[str, Any]] = pq.ParquetFile(path).read().to_pylist()
    return found


def refusal(folder: Path, format: str, path: Path, **options: Any) -> str:
    """Return the message of the error that reading a file raises."""
    with pytest.raises(UserError) as caught:
        read_file(folder, format, path, **options)
    return str(caught.value)
