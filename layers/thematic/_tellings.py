"""Who tells what: the sums of each source that another source, grain, part or whole may tell as well."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from layers.heads import kin
from layers.history import SINCE
from layers.thematic._activities import GRAINS, as_instant, contested, kind_of, part, seconds, taking_back
from schemas.contracts import contract

TELLING = ("subject_id", "kind", "grain", "first", "at", "source_table")  # names the rows that stand or fall together


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
    told = [contract(other).activity[code].grain for other, one in some if one == code]
    grains = [grain for grain in told if kind_of(code, grain) == kind_of(code, own)]
    longer = [grain for grain in GRAINS if grain in grains and GRAINS.index(grain) > GRAINS.index(own)]
    return longer[0] if own == "hour" and grains.count("hour") == 1 and longer else own


def _part(table: str, code: str, frame: DataFrame, block: str) -> DataFrame:
    """Return activities with the day (`first`) and instant (`at`) at which the block begins in which they are settled."""
    one, activity = contract(table), contract(table).activity[code]
    blocked = block != activity.grain  # else of its own date: a year from April is none of the calendar
    first = F.trunc("date", block) if blocked and block in GRAINS[2:] else F.col("date")
    rows = part(one, code, activity, frame).withColumns({"first": first.cast("date"), "start": F.col("period_start")})
    at = F.col("period_start") if block == "hour" else as_instant(F.col("first"))
    kind = F.lit(kind_of(code, activity.grain))
    place = {"rank": F.lit(activity.rank), "beside": F.lit(activity.beside), "kind": kind}
    return rows.withColumns({"at": at, "seconds": seconds(one, activity.grain)} | place)


def _only(wanted: DataFrame, rows: DataFrame) -> DataFrame:
    """Keep what is wanted; the small side stands first, of which the embedded engine builds its hash table."""
    same = (F.col("w_subject_id") == rows["subject_id"]) & (F.col("w_kind") == rows["kind"])
    exact = (F.col("w_exact") == 1) & (F.col("grain") == "hour")
    given = {"first": "date", "at": "period_start"}
    own = {name: F.when(exact, F.col(of)).otherwise(F.col(name)) for name, of in given.items()}
    return F.broadcast(wanted).join(rows, same, "inner").withColumns(own).select(*rows.columns)


def _wanted(rows: DataFrame, subject: DataFrame) -> DataFrame:
    """Return the subjects and kinds of activity that more than one table tells, or a whole and its part both do.

    Hours of a kind are settled hour by hour (`w_exact`) where a whole and its part both tell hours of it, which need not be
    the same ones, or where somebody joins or leaves a whole on a day within a block.
    """
    by = ("subject_id", "kind")
    tellers = rows.groupBy(*by, "source_table", "grain").agg(F.count(F.lit(1)).alias("n"))
    twice = tellers.groupBy(*by).agg(F.count(F.lit(1)).alias("tables")).where("tables > 1").select(*by, F.lit(0).alias("exact"))
    related = kin(subject)
    changing = subject.groupBy(F.col("subject_id").alias("c_member")).agg(
        F.max(F.when((F.col("valid_from") > F.lit(SINCE).cast("date")) | F.col("valid_to").isNotNull(), F.lit(1))).alias("moves")
    )
    known = related.join(changing, F.col("member") == F.col("c_member"), "left")
    telling = F.broadcast(known).join(tellers, F.col("member") == tellers["subject_id"])
    is_head, hour = F.col("member") == F.col("head"), F.col("grain") == "hour"
    flags = {"own": is_head, "others": ~is_head, "own_hours": is_head & hour, "others_hours": ~is_head & hour,
             "moving": hour & (F.col("moves") == 1)}  # fmt: skip
    both = telling.groupBy(F.col("head").alias("f_head"), F.col("kind").alias("f_kind")).agg(
        *(F.max(F.when(is_, F.lit(1)).otherwise(F.lit(0))).alias(name) for name, is_ in flags.items())
    ).where("own = 1 and others = 1")  # fmt: skip
    exact = F.greatest(F.col("own_hours") * F.col("others_hours"), F.col("moving")).alias("exact")
    families = both.join(related, F.col("f_head") == F.col("head")).select(
        F.col("member").alias("subject_id"), F.col("f_kind").alias("kind"), exact)  # fmt: skip
    named = twice.unionByName(families)
    for kind, of in taking_back().items():  # may have to wait with what it takes back, of itself or of a part
        known = named.where(F.col("kind").isin(*of)).select(*by)
        heads = related.join(known, F.col("member") == known["subject_id"]).select(F.col("head").alias("subject_id"))
        told = known.select("subject_id").unionByName(heads).distinct()
        named = named.unionByName(told.select("subject_id", F.lit(kind).alias("kind"), F.lit(0).alias("exact")))
    named = named.groupBy(*by).agg(F.max("exact").alias("exact"))
    of_kind = F.max("exact").over(Window.partitionBy("kind")).alias("w_exact")
    return named.select(F.col("subject_id").alias("w_subject_id"), F.col("kind").alias("w_kind"), of_kind)
