"""Each fence with a transform that it refuses, and what Apache Spark 4.2 answers to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from layers.numbers import fix, to_double

FAILS = "Apache Spark fails"
SCHEMA = (
    "k int, i int, b bigint, d decimal(28,6), w decimal(38,12), x double, n double, s string, t timestamp, "
    "day date, l array<double>"
)
NAN = float("nan")
ROWS = [
    (1, 2147483647, 9223372036854775807, Decimal("480439746257.159895"), Decimal("9e25"), 2.675, NAN, "abc",
     datetime(2026, 1, 31, 17), date(2026, 1, 31), [NAN, 1.0]),
    (1, 2, 3, Decimal("0.000001"), Decimal("9e25"), 1e-7, 1.0, "12", datetime(2026, 2, 1, 1), date(2026, 2, 1), [2.0]),
]  # fmt: skip
Make = Callable[[DataFrame], DataFrame]


@dataclass(frozen=True)
class Case:
    """A refused transform, its answer on Apache Spark 4.2 where it is one answer, and what to write instead."""

    operation: str
    make: Make
    spark: Any = None
    instead: Make | None = None
    tolerance: float = 0.0


def sql(text: str) -> Make:
    """Return the transform that selects one SQL expression."""
    return lambda t: t.selectExpr(text)


def agg(text: str) -> Make:
    """Return the transform that aggregates by one SQL expression."""
    return lambda t: t.agg(F.expr(text))


def _nan_groups(t: DataFrame) -> DataFrame:
    values = t.sparkSession.range(1000).select((F.col("id") % 7).alias("g"), (F.col("id") % 5).alias("r"), "id")
    value = F.when(F.col("r") == 0, F.expr("cast('NaN' as double)")).otherwise(to_double(F.col("id").cast("string")) % 11)
    return values.select("g", value.alias("v")).filter("g = 0").groupBy("g").agg(F.min("v"), F.max("v"))


CASES: dict[str, Case] = {
    "division of decimals": Case(
        "/",
        sql("cast(2 as decimal(28,9)) / cast(3 as decimal(28,9))"),
        [(Decimal("0.6666666667"),)] * 2,
        lambda t: t.select(fix(to_double(F.col("d")) / 3)),
    ),
    "average of decimals": Case(
        "avg",
        lambda t: _thirds(t).agg(F.avg("q")),
        [(Decimal("0.6666666667"),)],
        lambda t: t.agg(to_double(F.sum("d")) / F.count("d")),
    ),
    "product beyond 38 digits": Case(
        "*",
        lambda t: t.filter("x < 1").select(F.col("d") * F.col("d")),
        [(Decimal("0.000000"),)],
        lambda t: t.select(F.col("d") * F.lit(Decimal("2.5"))),
    ),
    "double to decimal": Case(
        "cast",
        lambda t: t.filter("x > 1").select(F.expr("209061685948.4279D").cast("decimal(28,6)")),
        [(Decimal("209061685948.427900"),)],
        lambda t: t.select(fix(F.col("x"))),
    ),
    "decimal to double": Case(
        "cast",
        lambda t: t.filter("x > 1").select(F.col("d").cast("double")),
        [(480439746257.1599,)],
        lambda t: t.filter("x > 1").select(to_double(F.col("d"))),
    ),
    "decimal with double": Case(
        "+",
        lambda t: t.filter("x > 1").select(F.col("d") + F.lit(0.0)),
        [(480439746257.1599,)],
        lambda t: t.filter("x > 1").select(to_double(F.col("d")) + F.lit(0.0)),
    ),
    "root of a decimal": Case(
        "sqrt",
        sql("sqrt(cast('307311950666.099423' as decimal(28,6)))"),
        [(554357.2410153036,)] * 2,
        lambda t: t.select(F.sqrt(to_double(F.col("d")))),
    ),
    "hash of a decimal": Case(
        "hash", sql("hash(cast('1' as decimal(28,6)))"), [(387382461,)] * 2, sql("hash(cast(d as string))")
    ),
    "JSON of a decimal": Case("to_json", sql("to_json(struct(cast('1' as decimal(28,6)) as d))"), [('{"d":1.000000}',)] * 2),
    "int overflow": Case(
        "+", lambda t: t.select(F.col("i") + F.col("i")), FAILS, lambda t: t.select(F.col("i").cast("bigint") + F.col("i"))
    ),
    "int product": Case(
        "*", lambda t: t.select(F.col("i") * 100000), FAILS, lambda t: t.select(F.col("i").cast("bigint") * 100000)
    ),
    "bigint product": Case("*", lambda t: t.select(F.col("b") * F.col("b")), FAILS),
    "sum of bigint": Case("sum", agg("sum(b)"), FAILS, agg("sum(cast(b as decimal(19,0)))")),
    "sum of wide decimals": Case("sum", agg("sum(w)"), FAILS, agg("sum(cast(d as decimal(28,6)))")),
    "least and most with NaN": Case(
        "min", _nan_groups, [(0, 0.0, NAN)], lambda t: t.agg(F.max(F.when(~F.isnan("x"), F.col("x"))))
    ),
    "exponential": Case("exp", sql("exp(1.0D)"), [(2.7182818284590455,)] * 2, sql("exp(1.0D)"), tolerance=1e-12),
    "variance of doubles": Case("variance", agg("variance(x)"), [(3.577812232500005,)], agg("variance(x)"), tolerance=1e-12),
    "sum of doubles": Case("sum", agg("sum(x)"), None, lambda t: t.agg(F.sum(fix(F.col("x"))))),
    "rounding to decimals": Case(
        "round", lambda t: t.filter("x > 1").select(F.round(F.expr("1.025D"), 2)), [(1.03,)], lambda t: t.select(fix(F.col("x")))
    ),
    "double to text": Case(
        "cast", sql("cast(1e10D as string)"), [("1.0E10",)] * 2, lambda t: t.select(fix(F.col("x")).cast("string"))
    ),
    "double in text": Case("concat", sql("concat(1e-7D, '')"), [("1.0E-7",)] * 2),
    "formatted number": Case(
        "format_string", lambda t: t.filter("x > 1").select(F.format_string("%.2f", "x")), [("2.68",)], sql("format_number(x, 2)")
    ),
    "first of a group": Case("first", agg("first(s)"), None, agg("min(s)")),
    "row with the most": Case("max_by", agg("max_by(s, x)"), None, lambda t: t.agg(F.max(F.struct("x", "s"))["s"])),
    "numbering without order": Case(
        "row_number",
        lambda t: t.select(F.row_number().over(Window.partitionBy("k"))),
        FAILS,
        lambda t: t.select(F.row_number().over(Window.partitionBy("k").orderBy("i"))),
    ),
    "list without order": Case("collect_list", agg("collect_list(s)"), None, agg("sort_array(collect_list(s))")),
    "limit without order": Case("limit", lambda t: t.limit(1), None, lambda t: t.orderBy("i").limit(1)),
    "offset without order": Case("offset", lambda t: t.offset(1)),
    "sample": Case("sample", lambda t: t.sample(0.5, seed=1), None, lambda t: t.filter(F.xxhash64("i") % 100 < 100)),
    "any row of a key": Case("dropDuplicates", lambda t: t.dropDuplicates(["k"]), None, lambda t: t.distinct()),
    "running number": Case("monotonically_increasing_id", lambda t: t.select(F.monotonically_increasing_id())),
    "chance": Case("rand", lambda t: t.select(F.rand(1))),
    "clock": Case("current_timestamp", lambda t: t.select(F.current_timestamp())),
    "union of types": Case(
        "union",
        lambda t: t.select("i").union(t.select("x")),
        [("i", "double")],
        lambda t: t.select(F.col("i").cast("double").alias("i")).union(t.select("x")),
    ),
    "union with a missing column": Case(
        "union", lambda t: t.select("i").unionByName(t.select("i", "k"), allowMissingColumns=True), [("i", "int"), ("k", "int")]
    ),
    "branches of types": Case(
        "when",
        lambda t: t.select(F.when(F.col("k") > 1, F.lit(0)).otherwise(F.col("x")).alias("v")),
        [("v", "double")],
        lambda t: t.select(F.when(F.col("k") > 1, F.lit(0.0)).otherwise(F.col("x"))),
    ),
    "hour of an instant": Case(
        "hour", sql("hour(t)"), None, lambda t: t.select(F.hour(F.from_utc_timestamp("t", "Asia/Shanghai")))
    ),
    "day of an instant": Case(
        "cast", sql("cast(t as date)"), None, lambda t: t.select(F.from_utc_timestamp("t", "Asia/Shanghai").cast("date"))
    ),
    "instant of a day": Case(
        "cast",
        sql("cast(day as timestamp)"),
        None,
        lambda t: t.select(F.to_utc_timestamp(F.col("day").cast("timestamp"), "Asia/Shanghai")),
    ),
    "instant of text": Case(
        "to_timestamp",
        sql("to_timestamp('2026-01-31 17:00:00')"),
        None,
        lambda t: t.select(F.to_utc_timestamp(F.to_timestamp(F.lit("2026-01-31 17:00:00")), "Asia/Shanghai")),
    ),
    "weekday": Case("weekday", sql("weekday(day)"), [(5,), (6,)], sql("dayofweek(day)")),
    "day of week in SQL": Case("extract dow", sql("extract(dow from day)"), [(7,), (1,)]),
    "approximate percentile": Case(
        "percentile_approx", agg("percentile_approx(x, 0.5)"), [(1e-07,)], agg("percentile(x, 0.5)"), tolerance=1e-12
    ),
    "repeated rows in common": Case(
        "intersectAll",
        lambda t: _ones(t, 3).intersectAll(_ones(t, 2)),
        [(1,), (1,)],
        lambda t: _ones(t, 3).intersect(_ones(t, 2)),
    ),
    "group before a letter": Case(
        "regexp_replace", sql("regexp_replace(s, '(b)', '$1x')"), [("abxc",), ("12",)], sql("regexp_replace(s, '(b)', '-$1-')")
    ),
    "number in JSON": Case("get_json_object", sql("get_json_object('{\"a\":1.50}', '$.a')"), [("1.5",)] * 2),
    "missing function": Case("zip_with", sql("zip_with(l, l, (p, q) -> p + q)"), None),
    "temporary view": Case("named table", lambda t: t.sparkSession.read.table("somewhere")),
    "observed metric": Case("observe", lambda t: t.observe("seen", F.count(F.lit(1)).alias("n"))),
}


def _thirds(t: DataFrame) -> DataFrame:
    return t.sparkSession.createDataFrame([(Decimal(1),), (Decimal(1),), (Decimal(0),)], "q decimal(28,6)")


def _ones(t: DataFrame, many: int) -> DataFrame:
    return t.sparkSession.createDataFrame([(1,)] * many, "a int")
