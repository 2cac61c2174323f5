"""Which of several tellings of the same stands: by rank, by grain, and between a whole and its parts. All else is lost."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.window import WindowSpec

from layers.thematic._activities import GRAINS, as_instant, taking_back

RANK, EQUAL, NOBODY, WAITS = "rank", "equal", "nobody", "waits"
QUANTITY = "decimal(28,6)"
SAME = ("subject_id", "kind", "grain", "at")
STATE = ("lost", "settled_by", "stands_table", "stands_grain", "stands_subject_id", "stands_quantity", "told_there", "block",
         "compared_grain", "entire", "stood", "over", "nested")  # fmt: skip


@dataclass(frozen=True)
class Sides:
    """Two sides that tell of the same, the coarse or whole one above, and what decided where the one or the other stands."""

    upper: Column
    lower: Column
    above: str
    below: str


def by_rank(sums: DataFrame) -> DataFrame:
    """Settle between the sources of one subject, activity and period: adds STATE to rows of `Tellings.sums`.

    The lowest rank stands; of two that tell the same quantity in one unit the first by name; where they differ, none.
    """
    all_ = Window.partitionBy(*SAME)
    best = sums.withColumns({"_n": F.count(F.lit(1)).over(all_), "_best": F.min("rank").over(all_)})
    first = best.withColumn("_first", F.col("rank") == F.col("_best"))

    def of_first(name: str) -> list[Column]:
        value = F.when(F.col("_first"), F.col(name))
        return [F.min(value).over(all_), F.max(value).over(all_)]

    (table, _), (low, high), (unit, other) = of_first("source_table"), of_first("told"), of_first("unit")
    tied = F.sum(F.col("_first").cast("int")).over(all_)
    known = first.withColumns({"_table": table, "_low": low, "_high": high, "_unit": unit, "_other": other, "_tied": tied})
    agree = (F.col("_low") == F.col("_high")) & (F.col("_unit") == F.col("_other"))
    clear = (F.col("_tied") == 1) | agree
    lost = (F.col("_n") > 1) & (~clear | (F.col("source_table") != F.col("_table")))
    ranked = (F.col("_tied") == 1) | (agree & ~F.col("_first"))
    by = F.when(ranked, F.lit(RANK)).when(agree, F.lit(EQUAL)).otherwise(F.lit(NOBODY))
    settled = lost & clear
    state = {
        "lost": lost, "settled_by": F.when(lost, by), "stands_table": F.when(settled, F.col("_table")),
        "stands_grain": F.when(settled, F.col("grain")), "stands_subject_id": F.when(settled, F.col("subject_id")),
        "stands_quantity": F.when(settled & (F.col("unit") == F.col("_unit")), F.col("_low")),
        "told_there": F.when(lost, F.col("told")), "block": F.col("at"),
        "compared_grain": F.when(lost, F.col("grain")), "entire": F.lit(True), "stood": F.lit(True),
        "over": F.lit(0).cast(QUANTITY), "nested": F.lit(0).cast(QUANTITY),
    }  # fmt: skip
    return known.select(*sums.columns, *(value.alias(name) for name, value in state.items()))


def by_grain(rows: DataFrame, grains: Collection[str]) -> DataFrame:
    """Settle between the grains of one subject and activity, the finest first, so that what stands never overlaps.

    Finer tellings stand where they cover the coarser period from end to end; else the coarser one stands, whole.
    """
    for coarse in [grain for grain in GRAINS[1:] if grain in grains]:
        finer = F.col("grain").isin(*GRAINS[: GRAINS.index(coarse)])
        sides = Sides(F.col("grain") == coarse, finer, "coarser", "finer")
        group = rows.withColumn("_over", F.lit(coarse))
        covered = F.sum(_standing("_lower", "seconds"))
        rows = _settled(group, ("subject_id", "kind"), sides, covered).select(*rows.columns)
    return rows


def by_part(rows: DataFrame, head: str, grains: Collection[str]) -> DataFrame:
    """Settle between a whole and its parts, in periods as long as the longest that one of them tells.

    The parts stand where they cover the period from end to end (all of them together, at one grain); else the whole does.
    `head` is the column that names the whole; one whose contract says `beside` is no sum of its parts: both stand.
    """
    whole = F.coalesce(F.col("subject_id") == F.col(head), F.lit(False))
    part = F.coalesce(F.col("subject_id") != F.col(head), F.lit(False))
    sides = Sides(whole & ~F.col("beside"), part, "whole", "parts")
    # Several parts tell of one period: it is covered once, by the one that tells most of it.
    order = (F.col("seconds").desc(), "subject_id", "source_table")
    once = Window.partitionBy(head, "kind", "grain", "at", "lost", part).orderBy(*order)
    told = [grain for grain in GRAINS if grain in grains]
    group = _longest(rows.withColumn("_nth", F.row_number().over(once)), head, told, sides)
    alone = [F.sum(F.when(_covers(grain), _standing("_lower", "seconds"))) for grain in told]
    return _settled(group, (head, "kind"), sides, *alone).select(*rows.columns)


def _longest(rows: DataFrame, head: str, told: Sequence[str], sides: Sides) -> DataFrame:
    """Add `_over`, the longest grain that stands on one of the sides, or in which a whole within has a remainder.

    Such a remainder is within that of the whole above it, which is told in as long a period, where both sides tell all of it:
    else each of the shorter ones would list its own again. Where one of them tells a part, the shorter ones are settled alone.
    """
    group = rows
    for place, grain in enumerate(told):
        period = Window.partitionBy(head, "kind", _begin(F.lit(grain)))
        stands, own = ~F.col("lost") & _calendar(), F.col("grain") == grain
        within = F.when(sides.lower & (F.col("over") > 0) & own & _calendar(), F.col("seconds"))
        above = F.when(sides.upper & stands & F.col("grain").isin(*told[:place]), F.col("seconds"))
        below = {f"_low_{one}": F.when(sides.lower & stands & _covers(one), F.col("seconds")) for one in told[:place]}
        tells = F.max(F.when(~F.col("lost") & own & (sides.upper | sides.lower), F.lit(1))).over(period)
        sums = {name: F.sum(value).over(period) for name, value in {"_up": above, **below}.items()}
        seen = group.withColumns({"_tells": tells, "_within": F.max(within).over(period), **sums})
        full = [(F.col("_up") >= F.col("_within")) & (F.col(name) >= F.col("_within")) for name in below]
        both = reduce(lambda a, b: a | b, (F.coalesce(one, F.lit(False)) for one in full), F.lit(False))
        longer = F.when((F.col("_tells") == 1) | both, F.lit(1)).alias(f"_{grain}")
        group = seen.select(*group.columns, longer)
    longest = F.coalesce(*(F.when(F.col(f"_{grain}") == 1, F.lit(grain)) for grain in reversed(told)), F.col("grain"))
    return group.withColumn("_over", longest)


def _covers(grain: str) -> Column:
    return (F.col("_nth") == 1) & (F.col("grain") == grain)


def _calendar() -> Column:
    """Tell whether a row is of a period of the calendar: a year from April is none."""
    return _begin(F.col("grain")) == F.col("at")


def with_what_it_takes_back(rows: DataFrame, grains: Collection[str]) -> DataFrame:
    """Take out what would take back a figure that nobody settled, of its subject or a part of it: it waits with that.

    Alone it would make a total less than what is emitted, or than nothing.
    """
    columns, told = rows.columns, [grain for grain in GRAINS if grain in grains]
    for kind, of in taking_back().items():
        unsettled = F.col("lost") & (F.col("settled_by") == NOBODY) & F.col("kind").isin(*of)
        waits: Column = F.lit(False)
        for by, grain in product(("subject_id", "enterprise_id"), told):
            at_most = F.col("grain").isin(*GRAINS[: GRAINS.index(grain) + 1])
            group = Window.partitionBy(by, _begin(F.lit(grain)))
            for name, where in {"in": at_most, "as": F.col("grain") == grain}.items():
                there = F.max(F.when(unsettled & where, F.lit(1)).otherwise(F.lit(0))).over(group)
                rows = rows.withColumn(f"_{name}_{by}_{grain}", there)
            finer = F.col("grain").isin(*GRAINS[: GRAINS.index(grain)])
            within = (F.col("grain") == grain) & (F.col(f"_in_{by}_{grain}") == 1)
            whole = F.coalesce(F.col("subject_id") == F.col(by), F.lit(False))
            waits = waits | (whole & (within | (finer & (F.col(f"_as_{by}_{grain}") == 1))))
        falls = waits & (F.col("kind") == kind) & ~F.col("lost")
        nothing = [name for name in STATE if name.startswith("stands_")]
        given = {"settled_by": F.lit(WAITS), "told_there": F.col("told"), "block": F.col("at"),
             "compared_grain": F.col("grain"), "entire": F.lit(True), "stood": F.lit(True)}  # fmt: skip
        marked = rows.withColumn("_falls", falls)
        falling = {name: F.when(F.col("_falls"), value).otherwise(F.col(name)) for name, value in given.items()}
        falling |= {name: F.when(~F.col("_falls"), F.col(name)) for name in nothing}
        rows = marked.withColumns(falling | {"lost": F.col("lost") | F.col("_falls")})
        rows = rows.select(*columns)
    return rows


def _settled(rows: DataFrame, by: Sequence[str], sides: Sides, *covered: Column) -> DataFrame:
    """Settle in each group of `by` and the period of the grain `_over`; `covered` are the seconds that the lower side tells of.

    Whoever lost before on the side that loses here is settled anew, for what it lost to may stand no more.
    """
    fits = (_place(F.col("grain")) <= _place(F.col("_over"))) & _calendar()
    sided = rows.withColumns({"_block": _begin(F.col("_over")), "_upper": fits & sides.upper, "_lower": fits & sides.lower})
    group = Window.partitionBy(*by, "_over", "_block")
    exact = F.col("grain") == F.col("_over")
    span = F.max(F.when(exact & (F.col("_upper") | F.col("_lower")), F.col("seconds")))
    seen = sided.withColumns({
        "_span": span.over(group), "_whole": F.max(F.when(exact, _standing("_upper", "seconds"))).over(group),
        "_exact": F.max(F.when(exact, _standing("_lower", "seconds"))).over(group),
        **{f"_covered{n}": F.coalesce(one.over(group), F.lit(0).cast("bigint")) for n, one in enumerate(covered)},
    })  # fmt: skip
    longest = F.greatest(*(F.col(f"_covered{n}") for n in range(len(covered)))) if len(covered) > 1 else F.col("_covered0")
    # A telling at the very grain covers its period; hours may stand for many (see `Tellings`), so theirs are counted.
    exactly = (F.col("_exact") > 0) & (F.col("_over") != "hour")
    full = F.coalesce(F.coalesce(exactly, F.lit(False)) | (longest >= F.col("_span")), F.lit(False))
    below, above = full, ~full & F.col("_whole").isNotNull()
    wins = ((below & F.col("_lower")) | (above & F.col("_upper"))) & ~F.col("lost")
    judged = seen.withColumns({"_wins": wins, "_loses": (below & F.col("_upper")) | (above & F.col("_lower")), "_below": below})
    return _told(judged, group, F.when(F.col("_below"), F.lit(sides.below)).otherwise(F.lit(sides.above)))


def _told(judged: DataFrame, group: WindowSpec, name: Column) -> DataFrame:
    """Write down what stands for the rows that lose, and that they are lost."""
    names = {"unit": "unit", "grain": "grain", "subject": "subject_id", "table": "source_table"}
    ends = {f"_{short}_{end}": of(F.when(F.col("_wins"), F.col(column))).over(group)
            for short, column in names.items() for end, of in (("low", F.min), ("high", F.max))}  # fmt: skip
    sums = {"_stands": _sum("_wins").over(group).cast(QUANTITY), "_gone": _sum("_falls").over(group).cast(QUANTITY),
            "_nested": F.sum(F.when(F.col("_lower"), F.col("over"))).over(group).cast(QUANTITY),
            "_lasting": F.sum(F.when(F.col("_falls"), F.col("seconds"))).over(group),
            "_first": F.min(F.when(F.col("_falls"), _row())).over(group)}  # fmt: skip
    known = judged.withColumn("_falls", F.col("_loses") & ~F.col("lost")).withColumns(ends | sums)

    def only(short: str) -> Column:
        return F.when(F.col(f"_{short}_low") == F.col(f"_{short}_high"), F.col(f"_{short}_low"))

    state = {
        "settled_by": name, "stands_table": F.col("_table_low"), "stands_grain": only("grain"),
        "stands_subject_id": only("subject"), "stands_quantity": F.when(only("unit") == F.col("unit"), F.col("_stands")),
        "told_there": F.col("_gone"), "block": F.col("_block"), "compared_grain": F.col("_over"),
        "entire": F.col("_lasting") >= F.col("_span"), "stood": ~F.col("lost"),
        "over": _over(F.when((only("unit") == F.col("unit")) & (name == "parts"), F.col("_stands"))), "nested": F.col("_nested"),
    }  # fmt: skip
    changed = {column: F.when(F.col("_loses"), value).otherwise(F.col(column)) for column, value in state.items()}
    return known.withColumns(changed).withColumn("lost", F.col("lost") | F.col("_loses"))


def _over(stands: Column) -> Column:
    """What a whole tells beyond its parts, on one row of it: a whole above it that tells as much tells nothing more."""
    more = (F.col("_gone") - stands - F.col("_nested")).cast(QUANTITY)
    first = F.col("_upper") & F.col("_falls") & (_row() == F.col("_first"))
    return F.coalesce(F.when(first & (more > 0), more), F.lit(0).cast(QUANTITY))


def _row() -> Column:
    return F.concat_ws("|", "subject_id", "grain", F.unix_timestamp("at").cast("string"), "source_table", "unit")


def _sum(which: str) -> Column:
    return F.sum(F.when(F.col(which), F.col("told")))


def _standing(side: str, column: str) -> Column:
    return F.when(F.col(side) & ~F.col("lost"), F.col(column))


def _place(grain: Column) -> Column:
    return F.coalesce(*(F.when(grain == one, F.lit(place)) for place, one in enumerate(GRAINS)))


def _begin(grain: Column) -> Column:
    """When the period of a grain begins that holds a row: an instant for hours, else a day."""
    known = F.when(grain == "hour", F.col("at")).when(grain == "day", as_instant(F.col("date")))
    for one in GRAINS[2:]:
        known = known.when(grain == one, as_instant(F.trunc("date", one)))
    return known
