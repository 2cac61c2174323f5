"""Column lineage against the truth: what moves when an input column changes."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lineage.columns import column_lineage
from lineage.edges import Edge
from tests.lineage.perturb import content, moved, perturbed
from tests.lineage.transforms import METER, SITE, TRANSFORMS, rows

NAMES = {"meter": [part.split()[0] for part in METER.replace("a:int,b", "a:int;b").split(", ")],
         "site": [part.split()[0] for part in SITE.split(", ")]}  # fmt: skip


def _frames(spark: Any, meters: Any, sites: Any) -> tuple[DataFrame, DataFrame]:
    return spark.createDataFrame(meters, METER), spark.createDataFrame(sites, SITE)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_output_that_moves_is_claimed(spark: Any, name: str) -> None:
    meters, sites = rows(spark)
    m, s = _frames(spark, meters, sites)
    made = TRANSFORMS[name](m, s)
    lineage = column_lineage(made, {"meter": m, "site": s})
    before = content(made)
    assert list(lineage.columns) == made.columns
    seen = 0
    for table, column, changed in _changes(meters, sites):
        for name_ in moved(lambda: TRANSFORMS[name](*_frames(spark, *changed)), before):  # noqa: B023
            seen += 1
            # Headings of a pivot come and go with the values they are made of.
            claimed = lineage.inputs(name_) if name_ in lineage.columns else {(table, column)}
            assert (table, column) in claimed, f"{name_} moves with {table}.{column}, unclaimed"
    assert seen, "nothing moved: the transform is no test"


def _changes(meters: Any, sites: Any) -> Any:
    for i, column in enumerate(NAMES["meter"]):
        for changed in perturbed(meters, i):
            yield "meter", column, (changed, sites)
    for i, column in enumerate(NAMES["site"]):
        for changed in perturbed(sites, i):
            yield "site", column, (meters, changed)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_identity_claims_hold_exactly(spark: Any, name: str) -> None:
    meters, sites = rows(spark)
    m, s = _frames(spark, meters, sites)
    made = TRANSFORMS[name](m, s)
    lineage = column_lineage(made, {"meter": m, "site": s})
    given = {"meter": content(m), "site": content(s)}
    found = content(made)
    for column in lineage.columns:
        places = lineage.identity(column)
        allowed = {value for table, name_ in places for value in given[table][name_]} | {"None"}
        assert not places or set(found[column]) <= allowed, column


@pytest.mark.parametrize("name", TRANSFORMS)
def test_narrowing_by_a_column_that_passes_through_gives_the_same_rows(spark: Any, name: str) -> None:
    m, s = _frames(spark, *rows(spark))
    frames = {"meter": m, "site": s}
    made = TRANSFORMS[name](m, s)
    lineage = column_lineage(made, frames)
    for column in lineage.columns:
        for table, of in lineage.passes_through(column):
            for value in [row[0] for row in made.select(F.col(f"`{column}`")).distinct().collect() if row[0] is not None]:
                less = {**frames, table: frames[table].filter(F.col(of) == F.lit(value))}
                again = TRANSFORMS[name](less["meter"], less["site"])
                if again.columns != made.columns:  # a pivot finds fewer headings
                    continue
                same = F.col(f"`{column}`") == F.lit(value)
                assert content(again.filter(same)) == content(made.filter(same)), (column, table, of, value)


def test_kinds_and_subtypes_are_those_of_openlineage(spark: Any) -> None:
    m, s = _frames(spark, *rows(spark))
    joined = m.join(s, "site").filter("area > 1").groupBy("region").agg(F.sum(F.col("kwh") * 2).alias("kwh"))
    assert set(column_lineage(joined.orderBy("region"), {"meter": m, "site": s}).columns["kwh"]) == {
        Edge("meter", "kwh", "DIRECT", "AGGREGATION"),
        Edge("meter", "site", "INDIRECT", "JOIN"),
        Edge("site", "site", "INDIRECT", "JOIN"),
        Edge("site", "area", "INDIRECT", "FILTER"),
        Edge("site", "region", "INDIRECT", "GROUP_BY"),
        Edge("site", "region", "INDIRECT", "SORT"),
    }
    case = F.when(F.col("kwh") > 1, F.col("site")).alias("c")
    assert set(column_lineage(m.select(case), {"meter": m}).columns["c"]) == {
        Edge("meter", "kwh", "INDIRECT", "CONDITIONAL"), Edge("meter", "site", "DIRECT", "TRANSFORMATION"),
    }  # fmt: skip
    window = F.max("kwh").over(Window.partitionBy("site")).alias("w")
    assert set(column_lineage(m.select(window), {"meter": m}).columns["w"]) == {
        Edge("meter", "site", "INDIRECT", "WINDOW"), Edge("meter", "kwh", "DIRECT", "AGGREGATION"),
    }  # fmt: skip


def test_a_window_over_months_forbids_rebuilding_one_month(spark: Any) -> None:
    m, _ = _frames(spark, *rows(spark))
    before = F.lag("kwh").over(Window.partitionBy("site").orderBy("month")).alias("before")
    lineage = column_lineage(m.select("site", "month", before), {"meter": m})
    assert lineage.identity("month") == {("meter", "month")}
    assert lineage.passes_through("month") == set()
    assert lineage.passes_through("site") == {("meter", "site")}


def test_a_second_use_without_the_key_forbids_narrowing(spark: Any) -> None:
    m, _ = _frames(spark, *rows(spark))
    total = m.agg(F.sum("kwh").alias("total"))
    assert column_lineage(m.crossJoin(total).select("site", "total"), {"meter": m}).passes_through("site") == set()


def test_an_equal_join_lets_both_sides_be_narrowed(spark: Any) -> None:
    m, s = _frames(spark, *rows(spark))
    for how in ("inner", "left", "right", "anti", "semi"):
        made = m.join(s, m["site"] == s["site"], how)
        key = s["site"] if how == "right" else m["site"]
        lineage = column_lineage(made.select(key.alias("key")), {"meter": m, "site": s})
        assert lineage.passes_through("key") == {("meter", "site"), ("site", "site")}, how


def test_inputs_are_known_by_their_plan_even_when_read_twice(spark: Any, tmp_path: Any) -> None:
    m, _ = _frames(spark, *rows(spark))
    m.select("site", "kwh").write.parquet(str(tmp_path / "t"))
    one, two = (spark.read.parquet(str(tmp_path / "t")) for _ in range(2))
    assert column_lineage(two.select("site"), {"meter": one}).identity("site") == {("meter", "site")}


def test_what_cannot_be_looked_into_is_said(spark: Any) -> None:
    m, _ = _frames(spark, *rows(spark))
    lineage = column_lineage(m.select("site", "kwh").mapInPandas(lambda parts: parts, "a string"), {"meter": m})
    assert lineage.inputs("a") == {("meter", "site"), ("meter", "kwh")}
    assert any("map partitions" in text for text in lineage.opaque)
