"""Who tells what: the sums of each source that another source, grain, part or whole may tell as well."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.heads import kin
from layers.thematic._activities import GRAINS, as_instant, contested, part, seconds
from schemas.contracts import contract

TELLING = ("subject_id", "activity_code", "grain", "first", "at", "source_table")  # names the rows that stand or fall together


class Tellings:
    """The rows that may be told twice, and their sums."""

    def __init__(self, sources: dict[str, DataFrame], subject: DataFrame) -> None:
        pairs = contested(sources)
        # A frame can't be made of nothing: where nothing is contested, any rows serve, and none of them is taken.
        some = pairs or [(table, code) for table in sorted(sources)[:1] for code in list(contract(table).activity)[:1]]
        rows = reduce(
            DataFrame.unionByName, [_part(table, code, sources[table], _block(table, code, some)) for table, code in some]
        )
        self.grains = {contract(table).activity[code].grain for table, code in some}
        self.rows = _only(_wanted(rows, subject), rows) if pairs else rows.where(F.lit(False))

    def sums(self) -> DataFrame:
        """Return one row per TELLING: what it tells (`told`), how long it lasts, and what its contract says of its place.

        Hours of one block are one row, which lasts as long as the hours that were told.
        """
        by = (*TELLING, "unit", "rank", "beside")
        told = F.sum("quantity").cast("decimal(28,6)").alias("told")
        periods = self.rows.groupBy(*by, "seconds", "start").agg(told)
        lasting = F.sum("seconds").cast("int").alias("seconds")
        sums = periods.groupBy(*by).agg(lasting, F.sum("told").cast("decimal(28,6)").alias("told"))
        return sums.withColumnRenamed("first", "date")


def _block(table: str, code: str, some: list[tuple[str, str]]) -> str:
    """Return the grain in which periods are settled: the own one; for hours that no other table tells, the next that is told.

    A year of hours is 8,760 windows, of which each month settles alike: one row a month says the same.
    """
    own = contract(table).activity[code].grain
    grains = [contract(other).activity[code].grain for other, one in some if one == code]
    longer = [grain for grain in GRAINS if grain in grains and GRAINS.index(grain) > GRAINS.index(own)]
    return longer[0] if own == "hour" and grains.count("hour") == 1 and longer else own


def _part(table: str, code: str, frame: DataFrame, block: str) -> DataFrame:
    """Return activities with the day (`first`) and instant (`at`) at which the block begins in which they are settled."""
    one, activity = contract(table), contract(table).activity[code]
    first = F.trunc("date", block) if block in GRAINS[2:] else F.col("date")
    rows = part(one, code, activity, frame).withColumns({"first": first.cast("date"), "start": F.col("period_start")})
    at = F.col("period_start") if block == "hour" else as_instant(F.col("first"))
    place = {"rank": F.lit(activity.rank), "beside": F.lit(activity.beside)}
    return rows.withColumns({"at": at, "seconds": seconds(one, activity.grain)} | place)


def _only(wanted: DataFrame, rows: DataFrame) -> DataFrame:
    """Keep what is wanted; the small side stands first, of which the embedded engine builds its hash table."""
    same = (F.col("w_subject_id") == rows["subject_id"]) & (F.col("w_code") == rows["activity_code"])
    return F.broadcast(wanted).join(rows, same, "inner").select(*rows.columns)


def _wanted(rows: DataFrame, subject: DataFrame) -> DataFrame:
    """Return the subjects and codes that more than one table tells, or a whole and its part both do."""
    by = ("subject_id", "activity_code")
    tellers = rows.groupBy(*by, "source_table").agg(F.count(F.lit(1)).alias("n"))
    twice = tellers.groupBy(*by).agg(F.count(F.lit(1)).alias("tables")).where("tables > 1").select(*by)
    related = kin(subject)
    telling = F.broadcast(related).join(tellers, F.col("member") == tellers["subject_id"])
    own = F.max(F.when(F.col("member") == F.col("head"), F.lit(1)))
    others = F.max(F.when(F.col("member") != F.col("head"), F.lit(1)))
    both = telling.groupBy(F.col("head").alias("f_head"), F.col("activity_code").alias("f_code")).agg(
        own.alias("own"), others.alias("others")).where("own = 1 and others = 1")  # fmt: skip
    families = both.join(related, F.col("f_head") == F.col("head")).select(
        F.col("member").alias("subject_id"), F.col("f_code").alias("activity_code"))  # fmt: skip
    named = twice.unionByName(families).distinct()
    return named.select(F.col("subject_id").alias("w_subject_id"), F.col("activity_code").alias("w_code"))
