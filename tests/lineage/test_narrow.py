"""Narrowing the inputs of a trace gives the stored row back, and never from a wrong place."""

from __future__ import annotations

from typing import Any

from pyspark.sql import functions as F

from lineage.columns import column_lineage
from lineage.edges import Lineage
from lineage.narrow import pushdown


def test_a_key_goes_down_through_columns_that_pass_unchanged() -> None:
    ways = {"id": {("a", "id"), ("b", "key")}, "month": {("a", "month")}, "sum": set()}
    lineage = Lineage({}, {name: frozenset(places) for name, places in ways.items()}, {})
    assert pushdown(lineage, {"id": 7, "month": "2024-01", "sum": 3}) == {"a": {"id": 7, "month": "2024-01"}, "b": {"key": 7}}
    assert pushdown(lineage, {"id": None}) == {}


def test_the_narrowed_rerun_gives_the_stored_row_back(spark: Any) -> None:
    lines = spark.createDataFrame([("x", 1, 2.0), ("x", 2, 3.0), ("y", 1, 4.0)], "place string, hour int, kwh double")
    price = spark.createDataFrame([("x", 10), ("y", 20)], "place string, price int")

    def transform(lines: Any, price: Any) -> Any:
        kept = lines.filter("hour < 3").join(price, "place").withColumn("cost", F.col("kwh") * F.col("price"))
        return kept.groupBy("place").agg(F.sum("cost").alias("cost"))

    frames = {"lines": lines, "price": price}
    down = pushdown(column_lineage(transform(**frames), frames), {"place": "x"})
    assert down == {"lines": {"place": "x"}, "price": {"place": "x"}}
    narrowed = {name: df.filter(F.col("place") == down[name]["place"]) for name, df in frames.items()}
    assert narrowed["lines"].count() == 2
    assert transform(**narrowed).collect() == transform(**frames).filter("place = 'x'").collect()


def test_a_table_is_rebuilt_by_partitions_only_where_they_keep_apart(spark: Any) -> None:
    lines = spark.createDataFrame([("a", "2024-01", 1.0)], "place string, month string, kwh double")
    frames = {"lines": lines}
    sums = lines.groupBy("place", "month").agg(F.sum("kwh").alias("kwh"))
    assert column_lineage(sums, frames).passes_through("month") == {("lines", "month")}
    assert column_lineage(sums, frames).passes_through("kwh") == set()
    assert column_lineage(lines.orderBy("kwh").limit(3), frames).passes_through("month") == set()
