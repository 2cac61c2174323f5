"""Days, and line items of longer periods, added up by month, subject, activity, gas, scope and category, within one book."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.business._places import placed, state
from layers.business._sums import DETAIL, as_sums, of_lines

KEY = ("book", "month", "subject_id", "subject_from", *DETAIL)
TYPES = dict.fromkeys(("mass_t", "emission_tco2e", "unrated_tco2e"), "decimal(28,6)") | {"half_g": "decimal(28,0)"}
TYPES |= dict.fromkeys(("lines", "fallback_lines", "unrated_lines", "quarter_lines", "year_lines"), "decimal(19,0)")


def transform(emission: DataFrame, emission_day: DataFrame, subject: DataFrame) -> DataFrame:
    """Return sums with the place of the subject on the day, so that any roll-up of parts is the whole.

    A month in which the subject moved has rows for each place. A line of a grain beyond a month counts in the month in
    which its period starts, and is counted as such. Only parts of one book add up.
    """
    longer = as_sums(emission.where("grain is null or grain not in ('hour', 'day')"))
    grams = (F.col("uncertainty_tco2e") * F.lit("1000000").cast("decimal(7,0)")).cast("decimal(28,0)")
    rows = _rows(emission_day.withColumn("half_g", grams).withColumn("grain", F.lit("day"))).unionByName(_rows(longer))
    counted = [F.sum(name).alias(name) for name in ("quarter_lines", "year_lines")]
    return placed(rows.groupBy(*KEY).agg(*of_lines(F.col("half_g")), *counted), subject)


def _rows(sums: DataFrame) -> DataFrame:
    longer = [(F.col("grain") == grain).cast("int").alias(f"{grain}_lines") for grain in ("quarter", "year")]
    rows = sums.select("*", F.trunc("date", "month").alias("month"), *longer)
    typed = [F.col(name).cast(type_).alias(name) for name, type_ in TYPES.items()]
    return rows.select("book", "month", *state(), *DETAIL, *typed)
