"""Line items added up by month, subject, activity, gas, scope and category, within one book."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.business._places import placed, state
from layers.business._sums import DETAIL, counted, of_lines


def transform(emission: DataFrame, subject: DataFrame) -> DataFrame:
    """Return sums with the place of the subject on the day, so that any roll-up of parts is the whole.

    A month in which the subject moved has rows for each place. A line of a grain beyond a month counts in the month in
    which its period starts, and is counted as such. Only parts of one book add up.
    """
    longer = [counted(F.col("grain") == grain, f"{grain}_lines") for grain in ("quarter", "year")]
    month = F.trunc("date", "month").alias("month")
    return placed(emission.select("*", month).groupBy("book", "month", *state(), *DETAIL).agg(*of_lines(), *longer), subject)
