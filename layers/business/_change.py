"""Change of a sum against the period before and against the same period a year ago."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.business._covered import MONTHS, covered
from layers.numbers import fix, to_double

COVERED = ("covered_months", "complete", "pattern")


def changed(given: DataFrame, by: Sequence[str], value: str, count: str, *told: str) -> DataFrame:
    """Return sums with what `value` was in the period before (`previous_`) and a year ago (`year_ago_`), and changes.

    `given` has grain, period, the columns of `by`, `value` (decimal), a `count` of lines and `coarser`, those of them
    that stand in a period only because they begin there: neither side of a change may have any. Nor is a period that
    still runs compared with a whole one: both are complete, or have the same months. Without an earlier figure a change
    is NULL, and a percent of nothing or of less than nothing is none, too. The columns `told` are shown of the earlier
    period, as are the months that it covers.
    """
    key, sums = ("grain", *by), covered(given, by, count)
    told = (*told, *COVERED)
    before = F.when(F.col("grain") == "day", F.date_sub("period", 1))
    for grain, months in MONTHS.items():
        before = before.when(F.col("grain") == grain, F.add_months("period", -months))
    found = _beside(sums, key, before, value, "previous", told)
    found = _beside(found, key, F.add_months("period", -12), value, "year_ago", told, sums)
    compared = [column for side in ("previous", "year_ago") for column in _changes(value, side)]
    return found.select(*sums.columns, *(c for c in found.columns if c not in sums.columns), *compared)


def _beside(
    frame: DataFrame, key: Sequence[str], day: Column, value: str, side: str, told: Sequence[str], of: DataFrame | None = None
) -> DataFrame:
    """Put what was in force on another day beside each row."""
    earlier = (frame if of is None else of).select(
        *(F.col(name).alias(f"{side}_k_{name}") for name in (*key, "period")),
        *(F.col(name).alias(f"{side}_{name}") for name in (value, "coarser", *told)),
    )
    rows = frame.withColumn(f"{side}_day", day)
    same = F.col(f"{side}_day") == F.col(f"{side}_k_period")
    for name in key:
        same = same & (F.col(name) == F.col(f"{side}_k_{name}"))
    return rows.join(earlier, same, "left").drop(f"{side}_day", *(f"{side}_k_{name}" for name in (*key, "period")))


def _changes(value: str, side: str) -> list[Column]:
    now, then = F.col(value), F.col(f"{side}_{value}")
    whole = F.col("complete") & F.col(f"{side}_complete")
    alike = F.coalesce(F.col("pattern") == F.col(f"{side}_pattern"), F.lit(False))
    comparable = (F.col("coarser") == 0) & (F.col(f"{side}_coarser") == 0) & (whole | alike)
    change = F.when(comparable, (now - then).cast("decimal(28,6)"))
    ratio = to_double((now - then).cast("decimal(28,6)")) / to_double(then) * 100
    percent = F.when(comparable & (then > 0), fix(ratio))
    return [change.alias(f"{side}_change"), percent.alias(f"{side}_percent")]
