"""What two sources tell of the same: subject, period and activity; which of them stands, and what is taken out again."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from layers.numbers import fix, to_double
from layers.thematic._activities import part, rivals
from schemas.contracts import contract

SAME = ("subject_id", "period_start", "grain", "activity_code")
RANK, EQUAL, NOBODY = "rank", "equal", "nobody"


def transform(sources: dict[str, DataFrame]) -> DataFrame:
    """Return every activity that does not stand, with its quantity turned round, so that sources and these add up.

    Of several tables the one of the lowest declared `rank` stands. Where two of that rank tell the same quantity, the
    first by name stands; where they differ, nobody can say which is right: none stands, and `settled_by` is `nobody`.
    """
    rows = _told(sources)
    sums = rows.groupBy(*SAME, "source_table", "unit", "_rank").agg(F.sum("quantity").cast("decimal(28,6)").alias("told"))
    lost = _settled(sums).where(F.col("_lost")).select(
        *(F.col(name).alias(f"_{name}") for name in (*SAME, "source_table")), "stands_table", "stands_quantity", "settled_by",
        F.col("told").alias("_told"),
    )  # fmt: skip
    on = reduce(lambda a, b: a & b, [F.col(name) == F.col(f"_{name}") for name in (*SAME, "source_table")])
    found = F.broadcast(lost).join(rows, on, "inner")
    apart = to_double(F.col("_told")) - to_double(F.col("stands_quantity"))
    percent = F.when(F.col("stands_quantity") != 0, fix(apart / to_double(F.col("stands_quantity")) * F.lit(100.0)))
    zero = F.lit(0).cast("decimal(28,6)")
    return found.select(
        "activity_id", "subject_id", "period_start", "date", "grain", "activity_code",
        (zero - F.col("quantity")).cast("decimal(28,6)").alias("quantity"), "unit", "source_table", "delivery_id", "locator",
        "stands_table", "stands_quantity", percent.alias("difference_percent"), "settled_by",
    )  # fmt: skip


def _told(sources: dict[str, DataFrame]) -> DataFrame:
    """Return the activities that more than one table may tell of, with the rank of their table."""
    twice = rivals(list(sources))
    wanted = [(table, code) for (code, grain), tables in twice.items() for table in tables
              if contract(table).activity[code].grain == grain]  # fmt: skip
    some = wanted or [(table, code) for table in sorted(sources)[:1] for code in list(contract(table).activity)[:1]]
    parts = [part(contract(table), code, contract(table).activity[code], sources[table])
             .withColumn("_rank", F.lit(contract(table).activity[code].rank)) for table, code in some]  # fmt: skip
    found = reduce(DataFrame.unionByName, parts)
    return found if wanted else found.where(F.lit(False))


def _settled(sums: DataFrame) -> DataFrame:
    """Say of each source's sum whether it is lost, to which table, and who settled it."""
    all_ = Window.partitionBy(*SAME)
    best = sums.withColumn("_n", F.count(F.lit(1)).over(all_)).withColumn("_best", F.min("_rank").over(all_))
    first = best.where(F.col("_n") > 1).withColumn("_first", F.col("_rank") == F.col("_best"))

    def of_first(name: str) -> list[Column]:
        value = F.when(F.col("_first"), F.col(name))
        return [F.min(value).over(all_), F.max(value).over(all_)]

    (table, _), (low, high), (unit, other) = of_first("source_table"), of_first("told"), of_first("unit")
    tied = F.sum(F.col("_first").cast("int")).over(all_)
    known = first.withColumns({"_table": table, "_low": low, "_high": high, "_unit": unit, "_other": other, "_tied": tied})
    agree = (F.col("_low") == F.col("_high")) & (F.col("_unit") == F.col("_other"))
    clear = (F.col("_tied") == 1) | agree
    by = F.when(F.col("_tied") == 1, F.lit(RANK)).when(agree, F.lit(EQUAL)).otherwise(F.lit(NOBODY))
    same_unit = F.col("unit") == F.col("_unit")
    return known.withColumns({
        "_lost": ~clear | (F.col("source_table") != F.col("_table")), "settled_by": by,
        "stands_table": F.when(clear, F.col("_table")), "stands_quantity": F.when(clear & same_unit, F.col("_low")),
    })  # fmt: skip
