"""What held on a day: a state with the days from which and to which it was true."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

SINCE = "1900-01-01"  # of a state that nobody dates: it held before any figure of ours
UNTIL = "9999-12-31"
NEVER = UNTIL  # since when a subject was what it is counted by, on a day for which nobody says: no state begins then


def since(first: Column) -> Column:
    """Return the first day of a state, that of an undated one where it is NULL."""
    return F.coalesce(first, F.lit(SINCE).cast("date"))


def found(first: Column) -> Column:
    """Return the first day of the state that a day was joined to, NEVER where there was none: an undated state is one."""
    return F.coalesce(first, F.lit(NEVER).cast("date"))


def until(last: Column) -> Column:
    """Return the last day of a state, one far away where it is NULL."""
    return F.coalesce(last, F.lit(UNTIL).cast("date"))


def held(day: Column, first: Column, last: Column) -> Column:
    """Tell whether a state held on a day, both ends included; NULL ends are open."""
    return (day >= since(first)) & (day <= until(last))


def states(subject: DataFrame, letter: str) -> DataFrame:
    """Return the states of subjects as the small side of a join: their columns after `letter`_, both ends given."""
    ends = {"valid_from": since(F.col("valid_from")), "valid_to": until(F.col("valid_to"))}
    return subject.select(*(ends.get(name, F.col(name)).alias(f"{letter}_{name}") for name in subject.columns))


def of_the_day(subject: Column, day: Column, letter: str) -> Column:
    """Tell whether a row of `states` is that of a subject on a day."""
    same = subject == F.col(f"{letter}_subject_id")
    return same & (day >= F.col(f"{letter}_valid_from")) & (day <= F.col(f"{letter}_valid_to"))


def standing(told: DataFrame, by: str) -> DataFrame:
    """Return dated rows of which no two of one `by` overlap, with `valid_to` and `latest`; those given end on `told_to`.

    A row that does not say when it ends ends on the day before the next begins. One that begins while another says it
    still holds is left out: `overlapping` returns it.
    """
    order = Window.partitionBy(by).orderBy("valid_from")
    alone = _marked(told, by).where(F.coalesce(F.col("_until") < F.col("valid_from"), F.lit(True)))
    following = alone.withColumn("_next", F.lead("valid_from").over(order))
    ends = F.coalesce(F.col("told_to"), F.date_sub("_next", 1))
    return (
        following.withColumn("valid_to", ends)
        .withColumn("latest", F.col("_next").isNull())
        .drop("_next", "_until", "_since", "told_to")
    )


def overlapping(told: DataFrame, by: str) -> DataFrame:
    """Return the dated rows that begin while another of the same `by`, which holds `_since` … `_until`, says it does."""
    return _marked(told, by).where(F.col("_until") >= F.col("valid_from"))


def _marked(told: DataFrame, by: str) -> DataFrame:
    earlier = Window.partitionBy(by).orderBy("valid_from").rowsBetween(Window.unboundedPreceding, -1)
    # Days as text, longest first: both ends of the row that lasts longest in one aggregate, the same on every engine.
    days = F.concat(F.col("told_to").cast("string"), F.lit("|"), F.col("valid_from").cast("string"))
    longest = told.withColumn("_longest", F.max(days).over(earlier))
    until, begun = (F.substring("_longest", at, 10).cast("date") for at in (1, 12))
    return longest.withColumn("_until", until).withColumn("_since", begun).drop("_longest")
