"""Rows thought fine are written in one part; where one of them is not, it is set aside all the same, with all its bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from jobs import staging
from jobs.clean import judged, key_checks
from quality.rules import row_checks, set_aside_bits
from tests.quality.given import contract

NAMES = "abcde"
FINE: tuple[int | None, ...] = (1, 2, 3, 4, 5)
LIMITS = [{"rule": "at_most", "column": "a", "limit": 8}, {"rule": "at_most", "column": "e", "limit": 8, "else": "warn"}]


@pytest.mark.parametrize(
    ("rows", "ok", "aside"),
    [
        ([FINE, FINE], [0, 0], []),
        ([FINE, (1, 2, 3, 4, 9)], [0, 1 << 1], []),
        ([FINE, (1, None, 3, None, 5), (9, 2, 3, 4, 9)], [0], [0b11, 1 << 3 | 1 << 5]),
    ],
)
def test_what_breaks_a_rule_is_set_aside_with_every_bit(
    spark: Any, tmp_path: Path, rows: list[Any], ok: list[int], aside: list[int]
) -> None:
    one = contract({name: {"type": "int", "required": True} for name in NAMES}, LIMITS)
    every = row_checks(one) + key_checks(one)
    frame = judged(spark.createDataFrame(rows, ", ".join(f"{name} int" for name in NAMES)), one, every, one.columns)
    files = staging.write_fine(frame, tmp_path / "made", one, set_aside_bits(every), lambda paths: spark.read.parquet(*paths))
    found = {"ok": [], "set_aside": []}  # type: dict[str, list[int]]
    for file in files:
        found[file.verdict] += pq.ParquetFile(file.path).read(columns=["_rules"])["_rules"].to_pylist()
    assert {name: sorted(masks) for name, masks in found.items()} == {"ok": ok, "set_aside": aside}
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
