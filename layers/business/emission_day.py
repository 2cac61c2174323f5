"""Line items of hours and days added up by day, subject, activity, gas, scope and category, within one book."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.business._places import placed, state
from layers.business._sums import DETAIL, as_sums, of_lines


def transform(emission: DataFrame, subject: DataFrame) -> DataFrame:
    """Return sums with the place of the subject on the day; a line of a longer period is of no day and is left to the month."""
    fine = as_sums(emission.where("grain in ('hour', 'day')"))
    return placed(fine.groupBy("book", "date", *state(), *DETAIL).agg(*of_lines(F.col("half_g"))), subject)
