"""Descriptions, comments and units of tables that were made earlier: brought in line, and nothing is built for it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from jobs.comments import align
from jobs.commit import changed_partitions
from jobs.lake import Lake, arrow_schema
from tests.jobs import meters


@pytest.fixture
def older(lake: Lake) -> Any:
    """Return a table of the meters as an earlier program made it: other words, and units in no comment."""
    schema = pa.schema([column.with_metadata({"comment": "Old words"}) for column in arrow_schema(meters.METER)])
    return lake.create_path(lake.table_path(meters.METER.table), schema, partition_by=("month",), description="Old words")


def test_a_table_gets_the_words_of_its_contract(lake: Lake, older: Any) -> None:
    assert align(lake, meters.METER, older)
    head = lake.open(meters.METER.table)
    assert head is not None and head.metadata().description == meters.METER.description
    found = {field.name: field.metadata for field in head.schema().fields}
    assert found["id"] == {"comment": "Number of the reading"}
    assert found["kwh"] == {"comment": "[kWh]", "unit": "kWh"}
    assert not align(lake, meters.METER, head)


def test_other_words_are_no_change_of_rows(lake: Lake, older: Any) -> None:
    before = older.version()
    align(lake, meters.METER, older)
    head = lake.open(meters.METER.table)
    assert head is not None and head.version() > before
    assert changed_partitions(head, before, head.version()) == set()


def test_a_table_that_another_changes_meanwhile_is_left_for_next_time(lake: Lake, older: Any) -> None:
    handle = lake.open(meters.METER.table)
    assert handle is not None
    assert align(lake, meters.METER, older)
    assert not align(lake, meters.METER, handle)


def test_rows_that_come_after_other_words_are_a_change(lake: Lake, older: Any) -> None:
    align(lake, meters.METER, older)
    before = _version(lake)
    meters.put(lake, "2026-01", [1, 2])
    now = lake.open(meters.METER.table)
    assert now is not None
    assert changed_partitions(now, before, now.version()) == {"2026-01"}


def _version(lake: Lake) -> int:
    head = lake.open(meters.METER.table)
    assert head is not None
    return int(head.version())
