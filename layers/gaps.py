"""Gaps in series: filled only where a transform asks for it, each filled value flagged and graded as an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.numbers import fix, to_double
from schemas.errors import UserError

METHODS = ("linear", "previous", "last_week")
GRAINS = ("hour", "day", "month")
HOUR = 3600
ESTIMATED, GRADE = "estimated", "data_grade"
WEEK = {"hour": 168, "day": 7}


def filled(
    frame: DataFrame, *, by: Sequence[str], at: str, value: str, grain: str, method: str, longest: int,
    grade: str = "measured",
) -> DataFrame:  # fmt: skip
    """Return `by`, `at`, `value`, `estimated` and `data_grade` of series whose gaps are closed by a declared method.

    `at` is a timestamp for hours, a date for days and months; `value` a decimal. `linear` goes straight from the value
    before the gap to that behind it, `previous` repeats the one before, `last_week` takes that of the same hour or day
    seven days earlier, if it was measured. A gap of more than `longest` missing periods stays, and so do the ends of a
    series: nothing is extended. A row whose value stays missing keeps its NULL. `estimated` is TRUE, and `data_grade`
    `estimated`, for what was filled; the others keep what the frame says of them, or are of the `grade` where it says
    nothing. A series has one value at a time and no NULL in `by`.
    """
    _check(grain, method, longest)
    said = {name: F.col(name) if name in frame.columns else F.lit(None) for name in (ESTIMATED, GRADE)}
    was = F.coalesce(said[ESTIMATED].cast("boolean"), said[GRADE].cast("string") == "estimated", F.lit(False))
    graded = F.coalesce(said[GRADE].cast("string"), F.when(was, F.lit("estimated")).otherwise(F.lit(grade)))
    rows = frame.select(*by, at, F.col(value).cast("decimal(28,6)").alias(value), was.alias(ESTIMATED), graded.alias(GRADE))
    known = rows.where(F.col(value).isNotNull())
    gaps = _steps(known, by, at, value, grain, longest)
    made = (
        _last_week(gaps, known.where(~F.col(ESTIMATED)), by, at, value, grain)
        if method == "last_week"
        else gaps.withColumn("_new", _value(method))
    )
    new = made.where(F.col("_new").isNotNull()).select(*by, "_at", F.col("_new").alias(value), F.lit(True).alias(ESTIMATED),
                                                      F.lit("estimated").alias(GRADE))  # fmt: skip
    new = new.withColumnRenamed("_at", at)
    left = rows.where(F.col(value).isNull()).join(new.select(*by, at), [*by, at], "left_anti")
    return known.unionByName(left).unionByName(new)


def estimated_part(value: str) -> Column:
    """Return the sum of what was filled, to stand beside the sum of all: an aggregate of decimals."""
    return F.sum(F.when(F.col(ESTIMATED), F.col(value)).otherwise(F.lit(0).cast("decimal(28,6)"))).cast("decimal(28,6)")


def _check(grain: str, method: str, longest: int) -> None:
    if method not in METHODS:
        raise UserError(f"there is no way {method!r} to fill a gap", remedy=f"known: {', '.join(METHODS)}")
    if grain not in GRAINS or (method == "last_week" and grain not in WEEK):
        raise UserError(f"gaps of a {grain!r} can't be filled by {method!r}",
                        remedy=f"grains: {', '.join(WEEK if method == 'last_week' else GRAINS)}")  # fmt: skip
    if longest < 1:
        raise UserError(f"the longest gap to fill is {longest} periods", remedy="give 1 or more, or do not fill at all")


def _steps(known: DataFrame, by: Sequence[str], at: str, value: str, grain: str, longest: int) -> DataFrame:
    """Return a row for each missing period between two known ones, if there are not too many: `_k` of `_n` steps."""
    behind = f"over (partition by {', '.join(f'`{name}`' for name in by)} order by `{at}`)" if by else f"over (order by `{at}`)"
    ahead = known.withColumn("_next", F.expr(f"lead(`{at}`) {behind}")).withColumn("_then", F.expr(f"lead(`{value}`) {behind}"))
    counted = ahead.withColumn("_n", _distance(F.col(at), F.col("_next"), grain)).where(
        (F.col("_n") >= 2) & (F.col("_n") <= longest + 1)
    )
    long = counted.select("*", F.explode(F.sequence(F.lit(1), F.col("_n") - 1)).alias("_k"))
    return long.select(
        *by, _moved(F.col(at), F.col("_k"), grain).alias("_at"), F.col(value).alias("_before"), "_then", "_k", "_n"
    )


def _distance(first: Column, last: Column, grain: str) -> Column:
    """Return how many periods lie between, as an int; NULL where the two are not whole periods apart."""
    if grain == "hour":
        seconds = F.unix_seconds(last) - F.unix_seconds(first)
        return F.when(seconds % F.lit(HOUR) == 0, (seconds / F.lit(HOUR)).cast("int"))
    if grain == "day":
        return F.date_diff(last, first)
    months = (F.year(last) - F.year(first)) * 12 + F.month(last) - F.month(first)
    return F.when(F.dayofmonth(last) == F.dayofmonth(first), months)


def _moved(at: Column, periods: Column, grain: str) -> Column:
    if grain == "hour":
        return F.timestamp_seconds(F.unix_seconds(at) + periods.cast("bigint") * F.lit(HOUR).cast("bigint"))
    return F.date_add(at, periods) if grain == "day" else F.add_months(at, periods)


def _value(method: str) -> Column:
    if method == "previous":
        return F.col("_before")
    before, then = to_double(F.col("_before")), to_double(F.col("_then"))
    return fix(before + (then - before) * F.col("_k").cast("double") / F.col("_n").cast("double"))


def _last_week(gaps: DataFrame, known: DataFrame, by: Sequence[str], at: str, value: str, grain: str) -> DataFrame:
    week = F.lit(WEEK[grain])
    earlier = known.select(*(F.col(name).alias(f"_by_{name}") for name in by), _moved(F.col(at), week, grain).alias("_same"),
                           F.col(value).alias("_new"))  # fmt: skip
    same = reduce(lambda a, b: a & b, [F.col(name).eqNullSafe(F.col(f"_by_{name}")) for name in by],
                  F.col("_at") == F.col("_same"))  # fmt: skip
    return gaps.join(earlier, same, "inner")
