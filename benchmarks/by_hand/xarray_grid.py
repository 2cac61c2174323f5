"""A packed grid to Parquet as a scientist writes it: open, to a data frame, to Parquet."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import xarray


def run(grid: Path, out: Path) -> None:
    """Write every cell of a grid as a row."""
    out.mkdir(parents=True)
    with xarray.open_dataset(grid) as data:
        data[["flux"]].to_dataframe().to_parquet(out / "grid.parquet")


if __name__ == "__main__":
    began = time.perf_counter()
    run(Path(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps({"seconds": time.perf_counter() - began}))
