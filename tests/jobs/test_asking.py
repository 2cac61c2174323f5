"""Answers of Trino as Arrow, and moments as Trino's SQL has them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from jobs import asking
from jobs.trino import Answer
from schemas.errors import UserError

ONE, TWO = "select * from cleaned.gwp", "select * from cleaned.gwp g join cleaned.enterprise e on true"


def test_columns_have_the_types_that_trino_gave_them() -> None:
    at = datetime(2026, 1, 31, tzinfo=UTC)
    answer = Answer(
        ("d", "t", "s", "n", "a", "o", "day", "none"),
        ("decimal(28, 6)", "timestamp(3) with time zone", "varchar(5)", "bigint", "array(integer)", "interval day to second",
         "date", "unknown"),
        [(Decimal("1.500000"), at, "碳", 7, [1, 2], timedelta(days=1), date(2026, 1, 31), None), (None,) * 8],
    )  # fmt: skip
    found = asking.table(answer)
    expected = [pa.decimal128(28, 6), pa.timestamp("us", "UTC"), pa.string(), pa.int64()]
    assert [field.type for field in found.schema][:4] == expected
    assert found.to_pylist()[0]["d"] == Decimal("1.500000") and found.to_pylist()[0]["a"] == [1, 2]
    assert found.num_rows == 2


def test_an_answer_without_rows_keeps_its_columns() -> None:
    found = asking.table(Answer(("a",), ("decimal(28, 6)",), []))
    assert found.schema.field("a").type == pa.decimal128(28, 6) and found.num_rows == 0


def test_a_moment_is_a_version_or_an_instant_in_utc() -> None:
    assert asking.moment(ONE, None) == ""
    assert asking.moment(ONE, 3) == "version as of 3"
    assert asking.moment(TWO, "2026-01-31") == "timestamp as of timestamp '2026-01-31 23:59:59.999 UTC'"
    assert asking.moment(TWO, "2026-01-31T12:00+08:00") == "timestamp as of timestamp '2026-01-31 04:00:00.000 UTC'"


def test_a_version_belongs_to_one_table_and_the_future_is_now() -> None:
    with pytest.raises(UserError, match="names 2"):
        asking.moment(TWO, 3)
    assert asking.moment(ONE, (datetime.now(UTC) + timedelta(days=2)).date().isoformat()) == ""
