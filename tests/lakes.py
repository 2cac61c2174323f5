"""Two lakes side by side."""

from __future__ import annotations

import duckdb

from jobs.lake import Lake
from jobs.relation import columns, relation_sql

# They list what is wrong or counted by two methods; the demo has nothing of it, and examples of both are in their contracts.
NONE_IN_THE_DEMO = {"business.method_difference", "thematic.subject_finding"}


def differs(both: duckdb.DuckDBPyConnection, one: Lake, other: Lake, table: str) -> bool:
    """Tell whether a table has other rows in one lake than in the other; demand the same columns, and rows at all."""
    here, there = one.open(table), other.open(table)
    assert here is not None and there is not None
    assert columns(here) == columns(there)
    left, right = relation_sql(here), relation_sql(there)
    assert ((both.execute(f"select count(*) from ({left})").fetchone() or (0,))[0] > 0) == (table not in NONE_IN_THE_DEMO)
    return any(both.execute(f"({a}) except all ({b}) limit 1").fetchall() for a, b in ((left, right), (right, left)))
