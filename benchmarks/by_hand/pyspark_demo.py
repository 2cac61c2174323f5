"""The demo by hand on Apache Spark: the same typing and transforms, read from Delta and written to Delta by Spark itself.

Nothing around them: no audit by another engine, no balance, no lineage, no quarantine tables, no compare-and-swap.
Starts from the values as found that a lake of ours holds, on the very engine that ours runs on.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from functools import reduce
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from benchmarks.ours import opened_engine
from jobs.clean import DELIVERY, LOCATOR, RULES, VERDICT, clean, judged, key_checks
from jobs.derived import as_contract, transform_of
from jobs.lake import Lake
from jobs.land import receipts
from quality.rules import row_checks
from schemas import graph
from schemas.contract import Contract
from schemas.contracts import contracts


def cleaned(spark: Any, lake: Lake, one: Contract) -> DataFrame:
    """Return the typed rows of every delivery of a table, those of the same columns read at once."""
    names, shapes = {}, {}
    for receipt in receipts(lake, one.table):
        folder = lake.read_folder(one.table, receipt.delivery_id)
        columns = tuple(json.loads((folder / "read.json").read_text())["columns"])
        shapes.setdefault(columns, []).extend(sorted(map(str, folder.glob("part-*.parquet"))))
        names[receipt.delivery_id] = receipt.name
    frames = [clean(spark.read.parquet(*files), one, names) for files in shapes.values() if files]
    return reduce(DataFrame.unionByName, frames)


def standing(frame: DataFrame, one: Contract) -> DataFrame:
    """Return one row of a key: that of the latest delivery, none where that one contradicts itself."""
    by = Window.partitionBy(*(one.period or one.key))
    newest = frame.withColumn("newest", F.max(DELIVERY).over(by)).filter(F.col(DELIVERY) == F.col("newest"))
    values = F.struct(*(F.col(name) for name in one.columns))
    key = Window.partitionBy(*one.key)
    told = newest.withColumns({"kinds": F.size(F.collect_set(values).over(key)), "first": F.min(LOCATOR).over(key)})
    return told.filter((F.col("kinds") == 1) & (F.col(LOCATOR) == F.col("first"))).drop("newest", "kinds", "first")


def build(spark: Any, lake: Lake, out: Path, one: Contract) -> None:
    """Write `out`/<table> as Delta, and what is set aside to `out`/aside/<table>."""
    if one.source:
        staged = out / "staged" / one.table
        cleaned(spark, lake, one).write.partitionBy(VERDICT).parquet(str(staged))
        rows = spark.read.parquet(str(staged))
        good = rows.filter(F.col(VERDICT) == "ok").drop(VERDICT, RULES)
        if one.key and good.groupBy(*one.key).count().filter("count > 1").limit(1).count():
            good = standing(good, one)
    else:
        given = {
            name: {table: _read(spark, out, table) for table in tables}
            if graph.several(one.inputs[name])
            else _read(spark, out, tables[0])
            for name, tables in graph.inputs(one).items()
        }
        made = as_contract(transform_of(one)(**given), one)
        rows = judged(made, one, row_checks(one) + key_checks(one)) if one.rules else None
        good = rows.filter(F.col(VERDICT) == "ok").drop(VERDICT, RULES) if rows is not None else made
    good.write.format("delta").partitionBy(*one.partition_by).save(str(out / one.table))


def _read(spark: Any, out: Path, table: str) -> DataFrame:
    return spark.read.format("delta").load(str(out / table))


def main(folder: Path, out: Path) -> dict[str, float]:
    """Return the seconds of the start and of all tables."""
    began = time.perf_counter()
    lake, known = Lake(folder), contracts()
    with opened_engine() as engine:
        started = time.perf_counter()
        shutil.rmtree(out, ignore_errors=True)
        for table in graph.select([]):
            build(engine.session, lake, out, known[table])
        return {"start": started - began, "seconds": time.perf_counter() - started}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute())))
