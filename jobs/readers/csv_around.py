"""Rows of a CSV file that are none: the header, or the row of units, that comes again further down."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

NAMED = 5  # of what was set apart, so many are named


@dataclass
class Repeated:
    """Rows that say again what the header, or the row of units, says: how many, and the first lines."""

    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, lines: list[int]) -> None:
        """Count rows that were set apart."""
        self.count += len(lines)
        self.lines += lines[: NAMED - len(self.lines)]


def bare(cell: str) -> str:
    """Return the first cell of a row without the mark that files begin with, and so each of those that were joined."""
    return cell.removeprefix("\ufeff")


def apart(frame: pl.DataFrame, marks: tuple[tuple[str, ...], ...]) -> pl.Series:
    """Tell of each row of a frame of texts whether it repeats one of the marks: the header or the row of units."""
    said = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    first = frame.columns[0]
    bare = frame.with_columns(pl.col(first).str.strip_prefix("\ufeff").replace("", None))
    for mark in marks:
        same = [pl.col(name).eq_missing(pl.lit(value or None, pl.String)) for name, value in zip(bare.columns, mark, strict=True)]
        said |= bare.select(pl.all_horizontal(same)).to_series()
    return said
