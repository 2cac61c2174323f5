"""Why two statements differ: rules in the order in which they are asked, each with its evidence; nothing is guessed."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.business._statements import PROVINCES
from layers.numbers import fix, to_double

UNEXPLAINED = "unexplained"
TIMES = (
    (1000.0, "1000"),
    (10000.0, "10000 (万)"),
    (1000000.0, "1000000"),
    (100000000.0, "100000000 (亿)"),
    (44 / 12, "44/12, carbon for CO2"),
)
NEAR = 0.01  # of a factor of ten: what else differs between two publishers may lie within
WHOSE = ("subject_id", "gas", "year", "fuel")
SIDE = ("publisher", "edition", "basis", "sector")
NEARLY = len(PROVINCES) - 1  # all provinces: CEADs has none of Tibet
SAME = 0.001  # of a part, and of a ratio that stays the same
GUAN = "provincial and national energy statistics of China do not agree (Guan et al. 2012, doi:10.1038/nclimate1560)"


def classified(pairs: DataFrame, added: DataFrame, parts: DataFrame) -> DataFrame:
    """Return the pairs with `cause`, the first rule that fits, its `evidence`, and `also`, the other rules that fit.

    `pairs` has the columns of two statements (a_…, b_…), `kind`, `difference_tco2e` and `ratio`, and so has `added`, which
    holds a statement against the sum of its parts; `parts` are statements by fuel or by part of a sector.
    Order: unit, rounding, time, boundary, missing, factors, revision, statistical.
    """
    # No part of another statement and no ratio of two publishers says anything of a sum, and sums are most of what differs:
    # past the joins that look for them, all provinces fit into a quarter of the memory. The ratio goes first, for it reads its
    # input twice.
    alone = {"part": F.lit(None).cast("string"), "points": F.lit(1).cast("bigint"), "steady": F.lit(False),
             "lowest": F.col("ratio")}  # fmt: skip
    plain = added.select("*", *(value.alias(name) for name, value in alone.items()))
    known = _with_part(_with_ratio(pairs), parts).select(*plain.columns).unionByName(plain)
    rules = _rules()
    fits = {name: F.coalesce(condition, F.lit(False)) for name, (condition, _) in rules.items()}
    cause, evidence = F.lit(UNEXPLAINED), F.lit("no rule fits")
    for name, (_, told) in reversed(rules.items()):
        cause, evidence = F.when(fits[name], F.lit(name)).otherwise(cause), F.when(fits[name], told).otherwise(evidence)
    named = known.select("*", cause.alias("cause"), evidence.alias("evidence"))
    also = F.concat_ws(", ", *(F.when(fit & (F.col("cause") != name), F.lit(name)) for name, fit in fits.items()))
    return named.select("*", F.when(also != "", also).alias("also"))


def within_digits() -> Column:
    """Tell whether two statements differ by no more than the digits that they show."""
    a, b = to_double(F.col("a_emission_tco2e")), to_double(F.col("b_emission_tco2e"))
    digits = to_double(F.col("a_shown_to_t")) + to_double(F.col("b_shown_to_t"))
    return F.abs(b - a) <= digits / 2


def _rules() -> dict[str, tuple[Column, Column]]:
    a, b, kind = to_double(F.col("a_emission_tco2e")), to_double(F.col("b_emission_tco2e")), F.col("kind")
    two, known = kind.isin("publishers", "ours"), b.isNotNull()
    digits = to_double(F.col("a_shown_to_t")) + to_double(F.col("b_shown_to_t"))
    periods = F.concat_ws(
        " against ", F.coalesce("a_period", F.lit("calendar year")), F.coalesce("b_period", F.lit("calendar year"))
    )
    covers = F.concat_ws(" against ", "a_boundary", "b_boundary")
    wider = F.when((b > a) & F.col("b_lacks").isNotNull(), F.concat(F.lit("; "), F.col("b_lacks"), F.lit(" would widen it")))
    wider = F.coalesce(wider, F.lit(""))
    return {
        "unit": (two & _times().isNotNull(), F.concat(F.lit("one is the other times "), _times())),
        "rounding": (within_digits(), F.concat(F.lit("within the digits shown, together to "), _text(digits / 2), F.lit(" t"))),
        "time": (known & ~F.col("a_period").eqNullSafe(F.col("b_period")), periods),
        "boundary": (known & two & (F.col("a_boundary") != F.col("b_boundary")), covers),
        "missing": _missing(a, b),
        "factors": (two & F.col("steady"), F.concat(F.lit("the ratio is "), _text(F.col("lowest")), F.lit(" in each of "),
                                                    F.col("points").cast("string"), F.lit(" figures of this source stream"))),
        "revision": (kind == "editions", F.concat_ws(" against ", "a_edition", "b_edition")),
        "statistical": ((kind == "parts") & _of_energy(), F.concat(F.lit(GUAN), wider)),
    }  # fmt: skip


def _missing(a: Column, b: Column) -> tuple[Column, Column]:
    """A side that has nothing, or of which nothing could be computed; a part as large; provinces not there; activity unresolved.

    What is not there makes a sum smaller, never larger, and a province is not asked to hold more than those that are
    there hold on average: where the gap is wider, it is not explained by it.
    """
    none, part, lacks = (a == 0) | (b == 0), F.col("part"), F.col("b_lacks")
    could = (F.col("kind") != "parts") | (a - b <= b / F.col("b_parts") * (len(PROVINCES) - F.col("b_parts")))
    side = F.when(a == 0, F.lit("the first has none of it")).otherwise(F.lit("the second has none of it"))
    told = F.when(none, side).when(part.isNotNull(), F.concat(F.lit("as large as "), part, F.lit(" of the larger one")))
    fits = b.isNull() | none | part.isNotNull() | (lacks.isNotNull() & (b < a) & could)
    return fits, told.otherwise(F.concat(F.lit("the second lacks "), lacks))


def _of_energy() -> Column:
    """Tell whether all provinces, or nearly, are added up of what energy statistics hold: no process, farm, waste or land."""
    other = F.col("a_sector").rlike("^([2-7]|5bis)([.]|$)") | F.col("a_sector").isin("cement", "total_lulucf")
    process = F.lower("fuel").isin("process", "processes", "cement")
    return (F.col("b_parts") >= NEARLY) & (F.col("gas") == "CO2") & ~other & ~process


def _times() -> Column:
    ratio = F.greatest(F.col("ratio"), F.lit(1.0) / F.col("ratio"))
    found = F.lit(None).cast("string")
    for times, name in TIMES:
        found = F.when((F.col("ratio") > 0) & (F.abs(ratio / F.lit(times) - 1) < NEAR), F.lit(name)).otherwise(found)
    return found


def _with_ratio(pairs: DataFrame) -> DataFrame:
    """Whether the ratio of two publishers stays the same for a source stream, in two years or of two subjects at least.

    A figure that several editions tell is one.
    """
    one = ("kind", "a_publisher", "b_publisher", "a_sector", "fuel", "gas")
    asked = pairs.where("fuel <> 'all' and ratio is not null").select("*", fix(F.col("ratio")).alias("fixed"))
    ends = asked.groupBy(*(F.col(name).alias(f"one_{name}") for name in one)).agg(
        F.min("fixed").alias("low"), F.max("fixed").alias("high"), F.countDistinct("subject_id", "year").alias("points"),
    )  # fmt: skip
    low, high = to_double(F.col("low")), to_double(F.col("high"))
    return pairs.join(ends, [F.col(name) == F.col(f"one_{name}") for name in one], "left").select(
        "*", ((F.col("points") > 1) & (high - low <= F.abs(low) * SAME)).alias("steady"), low.alias("lowest")
    )


def _with_part(pairs: DataFrame, parts: DataFrame) -> DataFrame:
    """Name the first part of the larger statement that is as large as the difference and that the smaller does not state."""
    of = parts.select(*(F.col(n).alias(f"of_{n}") for n in (*WHOSE, *SIDE)), "part_name",
                      to_double(F.col("emission_tco2e")).alias("size"))  # fmt: skip
    has = parts.select(*(F.col(n).alias(f"has_{n}") for n in (*WHOSE, *SIDE)), F.col("part_name").alias("has_part"))
    first = F.col("difference_tco2e") < 0
    larger = {n: F.when(first, F.col(f"a_{n}")).otherwise(F.col(f"b_{n}")) for n in SIDE}
    smaller = {n: F.when(first, F.col(f"b_{n}")).otherwise(F.col(f"a_{n}")) for n in SIDE}
    gap = F.when(F.col("kind").isin("publishers", "ours"), F.abs(to_double(F.col("difference_tco2e"))))
    asked = pairs.select("*", gap.alias("gap"), *(c.alias(f"larger_{n}") for n, c in larger.items()),
                         *(c.alias(f"smaller_{n}") for n, c in smaller.items()))  # fmt: skip
    same = [F.col(n) == F.col(f"of_{n}") for n in WHOSE] + [F.col(f"larger_{n}") == F.col(f"of_{n}") for n in SIDE]
    near = F.abs(F.col("gap") - F.col("size")) <= F.col("size") * SAME
    theirs = [F.col(n) == F.col(f"has_{n}") for n in WHOSE] + [F.col(f"smaller_{n}") == F.col(f"has_{n}") for n in SIDE]
    found = asked.join(of, [*same, near], "left").join(has, [*theirs, F.col("part_name") == F.col("has_part")], "left")
    alone = F.when(F.col("has_part").isNull(), F.col("part_name"))
    return found.groupBy(*pairs.columns).agg(F.min(alone).alias("part"))


def _text(x: Column) -> Column:
    """A figure of evidence as text, the same on every engine."""
    return F.regexp_replace(fix(x).cast("string"), "[.]?0+$", "")
