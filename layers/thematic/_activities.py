"""Activity as cleaned tables declare it: one shape for all, and which tables may tell of the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.method import methods
from schemas.contract import Activity, Contract
from schemas.contracts import contract

KIND = re.compile(r"concat\('([a-z_]+):'")  # of a subject that a contract derives: concat('building:', building_id)
GRAINS = ("hour", "day", "month", "quarter", "year")  # from the finest
MONTHS = {"month": 1, "quarter": 3, "year": 12}


def contested(tables: Iterable[str]) -> list[tuple[str, str]]:
    """Return (table, code) of what may be told twice.

    That is a code that more than one table declares, at grains that compete, or one whose table has subjects of several
    kinds: an enterprise and its facility may both tell of it.
    """
    told: dict[str, list[str]] = {}
    for table in sorted(tables):
        for code, activity in contract(table).activity.items():
            told.setdefault(kind_of(code, activity.grain), []).append(table)
    twice = {kind: some for kind, some in told.items()
             if len(some) > 1 or any(_mixed(contract(table), kind.partition("|")[0]) for table in some)}  # fmt: skip
    for kind, of in taking_back().items():
        if kind in told and of & set(twice):
            twice[kind] = told[kind]
    return [(table, kind.partition("|")[0]) for kind, some in twice.items() for table in some
            if len(some) > 1 or kind in taking_back() or _mixed(contract(table), kind.partition("|")[0])]  # fmt: skip


def taking_back() -> dict[str, set[str]]:
    """Return the kinds of activity whose lines take back what others counted, and which: green electricity, of bought."""
    found: dict[str, set[str]] = {}
    for one in methods().values():
        others = {code for part in one.factors.values() for code in part.of_activity} - set(one.activities)
        if others and one.mass(dict.fromkeys(one.inputs, 1.0)) < 0:
            for code, grain in product(one.activities, one.grains):
                found.setdefault(kind_of(code, grain), set()).update(kind_of(other, grain) for other in others)
    return found


def kind_of(code: str, grain: str) -> str:
    """Return what competes for being counted: the code, and of its grains those that one book takes.

    Of a month that is told by hours and by a bill both stand where no book has both: the one by the hour would else lose
    its hours, or the other its bill, without a word. A grain that no method takes competes with itself alone.
    """
    books: dict[str, set[str]] = {}
    for one in methods().values():
        if code in one.activities:
            books.setdefault(one.book, set()).update(one.grains)
    together = {grain} if books else set(GRAINS)
    for _ in books:
        together = together.union(*(grains for grains in books.values() if grains & together))
    return f"{code}|{min(together, key=GRAINS.index)}"


def _mixed(one: Contract, code: str) -> bool:
    return KIND.match(one.columns[one.activity[code].subject].derive or "") is None


def seconds(one: Contract, grain: str) -> Column:
    """Return how long the period that begins on `date` lasts in the time zone of a source, by `grain`; days may have 23 hours."""
    if grain == "hour":
        return F.lit(3600)
    end = F.date_add("date", 1) if grain == "day" else F.add_months("date", MONTHS[grain])
    first, last = (F.unix_timestamp(_instant(one, day)) for day in (F.col("date"), end))
    return (last - first).cast("int")


def part(one: Contract, code: str, activity: Activity, frame: DataFrame) -> DataFrame:
    """Return one row per value of a measure that a cleaned table declares as activity."""
    rows = frame.where(F.expr(activity.only)) if activity.only else frame
    start, day = _period(one, activity.start)
    return rows.where(F.col(activity.quantity).isNotNull()).select(
        F.concat_ws("|", F.lit(one.name), *(_text(one, name) for name in one.key), F.lit(code)).alias("activity_id"),
        F.col(activity.subject).alias("subject_id"),
        start.alias("period_start"),
        day.alias("date"),
        F.lit(activity.grain).alias("grain"),
        F.lit(code).alias("activity_code"),
        F.col(activity.quantity).cast("decimal(28,6)").alias("quantity"),
        F.lit(one.columns[activity.quantity].unit).alias("unit"),
        F.lit(activity.grade).alias("data_grade"),
        F.lit(one.table).alias("source_table"),
        F.col("_delivery").alias("delivery_id"),
        F.col("_locator").cast("string").alias("locator"),
    )


def _period(one: Contract, name: str) -> tuple[Column, Column]:
    """The instant (UTC) and the day (of the source's time zone) at which the period starts."""
    column = F.col(name)
    if one.columns[name].type == "date":
        return _instant(one, column), column
    return column, F.to_date(F.from_utc_timestamp(column, _zone(one)))


def as_instant(day: Column) -> Column:
    """Return a day as an instant that stands for it, whatever the time zone of its source."""
    return F.to_utc_timestamp(day.cast("timestamp"), "UTC")


def _instant(one: Contract, day: Column) -> Column:
    return F.to_utc_timestamp(day.cast("timestamp"), _zone(one))


def _zone(one: Contract) -> str:
    return one.source.timezone if one.source else "UTC"


def _text(one: Contract, name: str) -> Column:
    column = F.col(name)
    return F.date_format(column, "yyyyMMdd'T'HHmm") if one.columns[name].type == "timestamp" else column.cast("string")
