"""The same transforms on the embedded engine without checks, balance, lineage or publishing: Parquet in, Parquet out."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from pyspark.sql import functions as F

from jobs.readers import Request, read
from jobs.session import Engine, engine
from schemas.numbers import fix_sql

NUMBER = "try_cast(nullif(trim(`用电量(kWh)`), '') as double)"
TYPED = (
    "nullif(trim(`户号`), '') as meter_id",
    "to_utc_timestamp(try_cast(nullif(trim(`时间`), '') as timestamp), 'Asia/Shanghai') as time",
    f"case when abs({NUMBER}) < 1e12 then {fix_sql(NUMBER, 'decimal(18,6)')} end as electricity_kwh",
    "nullif(trim(`区域代码`), '') as area_code",
    "nullif(trim(`数据状态`), '') as status",
    "_delivery",
    "_locator",
)
MONTH = "cast(year(time + interval 8 hours) * 100 + month(time + interval 8 hours) as int)"


def run(session: Engine, csv: Path, out: Path) -> None:
    """Write `out`/meter/month=*/ and `out`/month/, from values as found that our reader parsed."""
    parsed = out / "parsed"
    parsed.mkdir(parents=True)
    read("csv", Request(path=csv, out=parsed, delivery=1, name=csv.name, options={}))
    found = session.parquet(sorted(str(path) for path in parsed.glob("part-*.parquet")))
    typed = found.selectExpr(*TYPED).withColumn("month", F.expr(MONTH))
    typed.write.option("compression", "snappy").partitionBy("month").parquet(str(out / "meter"))
    readings = session.parquet([str(out / "meter")])
    sums = readings.groupBy("meter_id", "area_code", "month").agg(
        F.sum("electricity_kwh").cast("decimal(28,6)").alias("electricity_kwh"), F.count(F.lit(1)).alias("readings")
    )
    sums.write.option("compression", "snappy").partitionBy("month").parquet(str(out / "month"))


def main(csv: Path, out: Path) -> dict[str, float]:
    """Return the seconds of starting the engine and of the transforms."""
    began = time.perf_counter()
    with engine("sail") as session:
        started = time.perf_counter()
        run(session, csv, out)
        return {"start": started - began, "seconds": time.perf_counter() - started}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute())))
