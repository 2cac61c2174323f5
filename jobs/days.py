"""Whose day it is: days and months derived from an instant are those of the source's time zone, or the build stops."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from schemas.contract import Contract
from schemas.errors import UserError

# What reads the calendar off an instant, as sqlglot names it; sessions are in UTC.
CALENDAR = {
    "TsOrDsToDate", "Date", "TimestampTrunc", "DateTrunc", "Year", "Quarter", "Month", "Week", "WeekOfYear", "Day", "DayOfMonth",
    "DayOfWeek", "DayOfWeekIso", "DayOfYear", "Hour", "Minute", "Extract", "TimeToStr",
}  # fmt: skip


def check_days(contract: Contract) -> None:
    """Raise UserError where a column is derived from the UTC calendar of an instant of a source with another."""
    zone = contract.source.timezone if contract.source else "UTC"
    instants = {name for name, column in contract.columns.items() if column.type == "timestamp"}
    if zone == "UTC" or not instants:
        return
    for name, column in contract.columns.items():
        for used in sqlglot.parse_one(column.derive, dialect="spark").find_all(exp.Column) if column.derive else ():
            if used.name in instants and _reads_calendar(used):
                raise UserError(
                    f"columns.{name}: {column.derive} takes {used.name} by the calendar of UTC; that of the source is {zone}",
                    where=contract.file, remedy=f"write from_utc_timestamp({used.name}, '{zone}') for {used.name}",
                )  # fmt: skip


def _reads_calendar(used: exp.Column) -> bool:
    node = used.parent
    while node is not None:
        if isinstance(node, exp.AtTimeZone):
            return False
        if type(node).__name__ in CALENDAR or (isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.DATE):
            return True
        node = node.parent
    return False
