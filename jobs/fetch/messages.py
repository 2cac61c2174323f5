"""A delivery of messages: one Parquet file of what a broker gave, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs import store
from jobs.readers.messages import SCHEMA


def write(file: Path, columns: Mapping[str, Sequence[Any]]) -> Path:
    """Write messages, given by column; what a broker does not say stays empty."""
    rows = len(columns["value"])
    arrays = [pa.array(columns[one.name], one.type) if one.name in columns else pa.nulls(rows, one.type) for one in SCHEMA]
    with store.explained(file):
        pq.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA), file, compression="lz4", write_statistics=False,
                       write_page_checksum=True)  # fmt: skip
    return file
