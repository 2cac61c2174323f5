"""The files that a worker writes of its share of a delivery: accepted rows, rows set aside, and these as found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.readers import Request

ROWS = 1 << 20  # of a row group
FOUND = ""  # rows that were set aside, as they were found
Open = Callable[[str, Path, pa.Schema], pq.ParquetWriter]


@dataclass(frozen=True)
class Target:
    """What is to be written: columns (name, header, type), checks (bit, rule, column, limits), and this writer's share."""

    columns: Sequence[tuple[str, str, str]]
    checks: Sequence[tuple[int, str, str, Any, Any]]
    aside: int  # bits of the checks that set a row aside
    key: Sequence[str]
    folder: str
    share: int
    of: int


class Files:
    """The files of one share, each opened by `open_(verdict, path, schema)` when its first rows come."""

    def __init__(self, request: Request, target: Target, open_: Open) -> None:
        self._request, self._target, self._how = request, target, open_
        self._files: dict[str, pq.ParquetWriter] = {}
        # What is set aside where it is NULL is NULL in no accepted row; a column that says so is written a quarter faster.
        self._never_null = {name for bit, rule, name, *_ in target.checks if rule == "not_null" and target.aside & (1 << bit)}
        self._never_null |= {"_delivery", "_locator", "_rules"}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def judged(self, rows: pa.RecordBatch, fails: npt.NDArray[np.int64] | None) -> npt.NDArray[np.bool_] | None:
        """Write rows by what they fail, None where none fails any check; return which were set aside, None if none was."""
        gone: npt.NDArray[np.bool_] | None = None if fails is None else (fails & self._target.aside) != 0
        if gone is None or not gone.any():
            self._accept(rows)
            return None
        self.put("set_aside", rows.filter(pa.array(gone)))
        self._accept(rows.filter(pa.array(~gone)))
        return gone

    def _accept(self, rows: pa.RecordBatch) -> None:
        schema = pa.schema([field.with_nullable(field.name not in self._never_null) for field in rows.schema])
        self.put("ok", pa.RecordBatch.from_arrays(rows.columns, schema=schema))

    def put(self, verdict: str, rows: pa.RecordBatch | pa.Table) -> None:
        """Write rows into the file of a verdict, those as found into the reading."""
        if not rows.num_rows:
            return
        if verdict not in self._files:
            folder = self._request.out if verdict == FOUND else Path(self._target.folder) / f"_verdict={verdict}"
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"part-{self._request.delivery:08d}-{self._target.share:02d}.parquet"
            self._files[verdict] = self._open.enter_context(self._how(verdict, path, rows.schema))
        file = self._files[verdict]
        for batch in [rows] if isinstance(rows, pa.RecordBatch) else rows.to_batches():
            file.write_batch(batch, row_group_size=ROWS)


def failing(
    checks: Sequence[tuple[int, str, str, Any, Any]], count: int,
    bad: Callable[[str, str, Any, Any], npt.NDArray[np.bool_] | None],
) -> npt.NDArray[np.int64] | None:  # fmt: skip
    """Return the bits of the checks that each row fails, None where none fails any; `bad` is asked which rows fail one."""
    bits: npt.NDArray[np.int64] | None = None
    for bit, rule, name, low, high in checks:
        found = bad(rule, name, low, high)
        if found is not None and found.any():
            bits = np.zeros(count, np.int64) if bits is None else bits
            bits[found] |= np.int64(1 << bit)
    return bits
