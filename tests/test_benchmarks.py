"""The table of what was measured shows every case of both runners."""

from __future__ import annotations

from benchmarks import report, run, stack


def test_the_table_shows_every_case_that_can_be_measured() -> None:
    assert set(report.ORDER) == {*run.CASES, *stack.CASES} and len(report.ORDER) == len(set(report.ORDER))
