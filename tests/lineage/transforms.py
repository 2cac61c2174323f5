"""Transforms of every usual kind, over two small tables, for the perturbation test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from layers.numbers import fix, to_double

METER = (
    "meter_id bigint, site string, month string, kwh double, price decimal(10,2), tags array<string>, spec struct<a:int,b:string>"
)
SITE = "site string, region string, area int, opened date"

Make = Callable[[DataFrame, DataFrame], DataFrame]


def _self_join(m: DataFrame, s: DataFrame) -> DataFrame:
    before = m.select("meter_id", F.col("kwh").alias("before"))
    return m.join(before, "meter_id", "left").select("meter_id", (F.col("kwh") - F.col("before")).alias("change"))


def _same_names(m: DataFrame, s: DataFrame) -> DataFrame:
    return m.join(s, m["site"] == s["site"]).select(m["site"].alias("left"), s["site"].alias("right"), s["area"])


def _aliased(m: DataFrame, s: DataFrame) -> DataFrame:
    return m.alias("m").join(s.alias("s"), F.col("m.site") == F.col("s.site")).select("m.kwh", "s.*")


def _share(m: DataFrame, s: DataFrame) -> DataFrame:
    total = m.groupBy("site").agg(F.sum("kwh").alias("total"))
    return m.join(total, "site").select("meter_id", "site", (F.col("kwh") / F.col("total")).alias("share"))


def _sql(m: DataFrame, s: DataFrame) -> DataFrame:
    return m.sparkSession.sql(
        "with big as (select site, sum(kwh) as total from {m} where price > 1 group by site having sum(kwh) > 1) "
        "select s.region, big.total * 2 as twice from big left join {s} s on s.site = big.site",
        m=m, s=s,
    )  # fmt: skip


def _union(m: DataFrame, s: DataFrame) -> DataFrame:
    return m.select("site", F.lit("meter").alias("kind")).union(s.select(F.col("region"), F.lit("site")))


def _by_name(m: DataFrame, s: DataFrame) -> DataFrame:
    return m.select("site", "month").unionByName(s.select(F.col("region").alias("month"), "site"))


def _chain(m: DataFrame, s: DataFrame) -> DataFrame:
    doubled = m.withColumn("kwh", F.col("kwh") * 2).withColumnsRenamed({"month": "period", "site": "place"})
    return doubled.drop("tags", "spec").withColumns({"cost": F.col("kwh") * to_double(F.col("price"))})


def _udf(m: DataFrame, s: DataFrame) -> DataFrame:
    return m.select("site", F.udf(lambda value: value * 2, "double")("kwh").alias("twice"))


def _rank(m: DataFrame, s: DataFrame) -> DataFrame:
    order = Window.partitionBy("site").orderBy(F.desc("kwh"), "meter_id")
    return m.select("meter_id", F.row_number().over(order).alias("rank"), F.lag("kwh").over(order).alias("before"))


def _kept(m: DataFrame, s: DataFrame) -> DataFrame:
    order = Window.partitionBy("site").orderBy(F.desc("kwh"), "meter_id")
    ranked = m.withColumn("rank", F.row_number().over(order))
    return ranked.filter("rank = 1").select("site", "month")


def _when(m: DataFrame, s: DataFrame) -> DataFrame:
    size = F.when(F.col("kwh") > 2.5, F.col("month")).otherwise(F.lit("small"))
    return m.select("meter_id", size.alias("size"), F.expr("if(price > 2, site, 'cheap')").alias("where"))


TRANSFORMS: dict[str, Make] = {
    "project": lambda m, s: m.select("meter_id", F.col("kwh").alias("used"), (F.col("kwh") * 2).alias("twice")),
    "chain of columns": _chain,
    "filter": lambda m, s: m.filter((F.col("kwh") > 2) & (F.col("site") != "x")).select("meter_id", "month"),
    "filter on a column left out": lambda m, s: m.select("meter_id").filter(m["kwh"] > 2),
    "inner join by name": lambda m, s: m.join(s, "site").select("site", "kwh", "region"),
    "inner join by condition": _same_names,
    "left join": lambda m, s: m.join(s, "site", "left").select("site", "month", "region"),
    "right join": lambda m, s: m.join(s, "site", "right").select("site", "month", "region"),
    "full join": lambda m, s: m.join(s, "site", "full").select("site", "month", "region"),
    "semi join": lambda m, s: m.join(s.filter("area > 15"), "site", "semi").select("site", "month"),
    "anti join": lambda m, s: m.join(s.filter("area > 15"), "site", "anti").select("site", "month"),
    "cross join": lambda m, s: m.select("site").crossJoin(s.select("region")),
    "aliases and a star": _aliased,
    "self join": _self_join,
    "group": lambda m, s: m.groupBy("site").agg(F.sum("kwh").alias("kwh"), F.count("*").alias("rows"), F.max("month")),
    "group by an expression": lambda m, s: m.groupBy(F.substring("month", 1, 4).alias("year")).agg(F.avg("kwh").alias("mean")),
    "rollup": lambda m, s: m.rollup("site", "month").agg(F.sum("kwh").alias("kwh")),
    "cube": lambda m, s: m.cube("site").agg(F.sum("kwh").alias("kwh"), F.grouping_id().alias("level")),
    "pivot": lambda m, s: m.groupBy("site").pivot("month").agg(F.sum("kwh"), F.min("price")),
    "share of a total": _share,
    "window": _rank,
    "newest of a key": _kept,
    "union by position": _union,
    "union by name": _by_name,
    "except": lambda m, s: m.select("site").subtract(s.filter("area > 15").select("site")),
    "intersect": lambda m, s: m.select("site").intersect(s.select("site")),
    "sort and limit": lambda m, s: m.orderBy(F.desc("kwh"), "meter_id").limit(2).select("site", "month"),
    "distinct": lambda m, s: m.select("site", "month").distinct(),
    "melt": lambda m, s: m.select("meter_id", "site", "month").melt(["meter_id"], ["site", "month"], "name", "value"),
    "explode": lambda m, s: m.select("meter_id", "site", F.explode("tags").alias("tag")),
    "explode with positions": lambda m, s: m.select("meter_id", F.posexplode("tags")),
    "struct": lambda m, s: m.select("meter_id", "spec.b", F.col("spec").getField("a"), F.struct("site", "kwh").alias("pair")),
    "lambda": lambda m, s: m.select("meter_id", F.transform("tags", lambda t: F.concat(t, F.col("site"))).alias("labels")),
    "condition": _when,
    "SQL expressions": lambda m, s: m.selectExpr("site as place", "kwh + 1 as more", "sum(kwh) over (partition by site) as t"),
    "SQL query": _sql,
    "toDF and hint": lambda m, s: m.select("site", "kwh").toDF("a", "b").hint("broadcast").repartition(2),
    "nulls": lambda m, s: m.select("site", "kwh").na.fill({"kwh": 0.0}).na.drop(subset=["site"]).replace("x", "y", "site"),
    "fixed decimals": lambda m, s: m.groupBy("month").agg(F.sum(fix(F.col("kwh") * to_double(F.col("price")))).alias("cost")),
    "rows of our own": lambda m, s: m.sparkSession.createDataFrame([(1, "a")], "n int, c string").crossJoin(m.select("site")),
    "python function": _udf,
}  # fmt: skip


def rows(spark: Any) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return the rows of the two tables."""
    from datetime import date
    from decimal import Decimal

    meters = [
        (1, "a", "2024-01", 1.0, Decimal("1.50"), ["p", "q"], (1, "u")),
        (2, "a", "2024-02", 2.0, Decimal("2.50"), ["q"], (2, "v")),
        (3, "b", "2024-01", 3.0, Decimal("3.50"), ["r", "s", "t"], (3, "w")),
        (4, "c", "2024-02", 4.0, Decimal("0.50"), ["u"], (4, "x")),
        (5, "x", "2023-01", 5.0, Decimal("9.50"), ["v"], (5, "y")),
    ]
    sites = [("a", "north", 10, date(2020, 1, 1)), ("b", "south", 20, date(2021, 1, 1)), ("d", "east", 30, date(2022, 1, 1))]
    return meters, sites
