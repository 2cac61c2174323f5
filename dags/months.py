"""Which DAGs run month by month: an event that names a month starts only DAGs that know months, so the others are told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from dags.plan import Plan
from schemas.contracts import contracts

# A partition column of this name holds the first day of a month, as date, or the month as text: 2026-01.
MONTH = "month"
# A day that some months lack would leave those without a run, and a backfill without their deliveries.
ONCE_A_MONTH = re.compile(r"\d+ \d+ (?:[1-9]|1\d|2[0-8]) \* \*")


def partitioned(table: str) -> bool:
    """Tell whether a table can be built a month at a time."""
    return contracts()[table].partition_by == (MONTH,)


def by_month(plans: Sequence[Plan]) -> list[Plan]:
    """Mark the DAGs whose runs are months, and say of each which others it has to start.

    They are sources that come once a month and hold a table partitioned by month, and tables made from nothing but
    those, if one of them is so partitioned.
    """
    sources = {one.name for one in plans if one.lands and ONCE_A_MONTH.fullmatch(one.cron) and any(map(partitioned, one.tables))}
    keyed_tables = {table for one in plans if one.name in sources for table in one.tables}
    derived = {one.name for one in plans if one.waits_for and set(one.waits_for) <= keyed_tables
               and any(map(partitioned, one.tables))}  # fmt: skip
    keyed = sources | derived
    others = [one for one in plans if one.name not in keyed]
    return [replace(one, keyed=True, starts=_waiting(one, others)) if one.name in keyed else one for one in plans]


def _waiting(one: Plan, others: Sequence[Plan]) -> tuple[str, ...]:
    return tuple(other.name for other in others if set(other.waits_for) & set(one.tables))
