"""Activity without a line, as rows that stand beside line items: counted, and never a zero."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers import constants
from layers.business._places import state
from layers.business._sums import DETAIL
from models.method import methods

BOOK = "enterprise"  # of activity that no method takes: the book it would be missed in
UNRESOLVED = "unresolved"


def unresolved_rows(unresolved: DataFrame, fine: str) -> DataFrame:
    """Return unresolved rows with the book and detail of their method, and `period`: their day (`fine` is day) or month.

    What no method takes has scope 0, category `unresolved` and the gas GHG: which gases it emits nobody says. A row of
    an hour or a day counts in its day and in its month, any other in the month in which it starts.
    """
    rows = _of_method(unresolved if fine == "month" else unresolved.where("grain in ('hour', 'day')"))
    period = F.trunc("date", "month") if fine == "month" else F.col("date")
    # What a gap holds nobody knows; its `quantity` is that of the periods beside it, which have lines of their own.
    amount = F.when(F.coalesce("reason", F.lit("")) != "gap", F.col("quantity"))
    return rows.select(
        "book", *state(), period.alias("period"), *DETAIL,
        F.lit(1).alias("unresolved_rows"), amount.alias("unresolved_quantity"),
        F.col("unit").alias("unit_low"), F.col("unit").alias("unit_high"),
    )  # fmt: skip


def unresolved_sums(unresolved: DataFrame) -> DataFrame:
    """Return unresolved rows added up by book, state of the subject, month (`period`) and detail of their method."""
    by = ("book", "subject_id", "subject_from", "period", *DETAIL)
    return unresolved_rows(unresolved, "month").groupBy(*by).agg(
        F.count(F.lit(1)).alias("unresolved_rows"), F.sum("unresolved_quantity").alias("unresolved_quantity"),
        F.min("unit_low").alias("unit_low"), F.max("unit_high").alias("unit_high"),
    )  # fmt: skip


def held() -> list[Column]:
    """Return how much the unresolved rows hold: a quantity and its unit, both NULL where units differ."""
    one = F.col("unit_low") == F.col("unit_high")
    return [F.when(one, F.col("unresolved_quantity")).alias("unresolved_quantity"),
            F.when(one, F.col("unit_low")).alias("unresolved_unit")]  # fmt: skip


def _of_method(unresolved: DataFrame) -> DataFrame:
    rows = [{"m_id": one.id, "book": one.book, "scope": one.scope, "category": one.category, "gas": one.gas}
            for one in methods().values()]  # fmt: skip
    known = constants.table(unresolved, rows, dict.fromkeys(rows[0], "string") | {"scope": "int"})
    joined = F.broadcast(known).join(unresolved, F.col("m_id") == F.col("method_id"), "right")
    stands = {"book": BOOK, "scope": 0, "category": UNRESOLVED, "gas": "GHG"}
    return joined.select(*unresolved.columns, *(F.coalesce(name, F.lit(value)).alias(name) for name, value in stands.items()))
