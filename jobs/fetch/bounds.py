"""Days and instants that no calendar of ours holds: infinity, years before 1 and behind 9999."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

FIRST_DAY, LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31, in days since 1970
A_DAY = 86_400_000_000  # microseconds


class OutOfRangeError(Exception):
    """A column holds a day or an instant out of the calendar."""

    def __init__(self, column: str) -> None:
        self.column = column
        super().__init__(column)


def check_range(batch: pa.RecordBatch) -> None:
    """Raise OutOfRangeError for the first column of days, or of instants in microseconds, with one out of the calendar."""
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if pa.types.is_date32(field.type):
            limits = FIRST_DAY, LAST_DAY
            number = column.view(pa.int32())
        elif pa.types.is_timestamp(field.type):
            limits = FIRST_DAY * A_DAY, (LAST_DAY + 1) * A_DAY - 1
            number = column.view(pa.int64())
        else:
            continue
        found: dict[str, Any] = pc.min_max(number).as_py()
        if found["min"] is not None and not limits[0] <= found["min"] <= found["max"] <= limits[1]:
            raise OutOfRangeError(field.name)
