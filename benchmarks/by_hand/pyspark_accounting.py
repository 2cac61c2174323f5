"""Emissions by hand in PySpark on Apache Spark: the same outputs as by DuckDB; the second run in the warm session counts.

Tuned: two threads, factors chosen for kinds of activity, which are few, and broadcast; the large side is never shuffled.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession

from benchmarks.by_hand.methods import COEFFICIENT, METHODS, NEGATIVE, parameters, values
from benchmarks.by_hand.pyspark_meter import session
from jobs.lake import Lake

TABLES = {"activity": "thematic.activity", "subject": "thematic.subject", "factor": "knowledge.factor"}
LOCATED = """
    select /*+ broadcast(s) */ a.*, cast(a.quantity as double) as q, s.region_code,
        coalesce(s.valid_from, date'1900-01-01') as subject_from
    from activity a join subject s on a.subject_id = s.subject_id and a.date >= coalesce(s.valid_from, date'1900-01-01')
        and a.date <= coalesce(s.valid_to, date'9999-12-31')
"""
CHOSEN = """
    with kind as (select distinct activity_code, date, region_code from located),
    asked as (select k.*, m.gas, p.* from kind k join method m on k.activity_code = m.activity_code
        join parameter p on m.method_id = p.method_id),
    near as (
        select a.*, f.factor_id, f.value * a.times as found, f.uncertainty_percent, f.activity_code is not null as of_activity,
            f.valid_from, f.known_from, case when f.factor_id is null then null when f.region_code is null then 'everywhere'
                when f.region_code = a.region_code then 'region' when f.region_code = 'CHN' then 'nation'
                else 'province' end as near
        from asked a left join factor f on f.role = a.role and f.factor_set = a.factor_set and f.subject_id is null
            and coalesce(f.activity_code, a.activity_code) = a.activity_code and coalesce(f.gas, a.gas) = a.gas
            and f.industry_code is null and f.technology is null
            and coalesce(f.region_code, 'CHN') in ('CHN', a.region_code, substr(a.region_code, 1, 2) || '0000')
            and coalesce(f.valid_from, date'0001-01-01') <= a.date and coalesce(f.valid_to, date'9999-12-31') >= a.date),
    ranked as (select *, row_number() over (partition by activity_code, date, region_code, method_id, parameter
        order by case near when 'region' then 3 when 'province' then 2 when 'nation' then 1 else 0 end desc,
            of_activity desc, valid_from desc, known_from desc, factor_id) as place from near)
    select activity_code, date, region_code, method_id, parameter, unit, coalesce(found, preset) as value,
        near is null as defaulted, coalesce(factor_id, method_id) as ref_id,
        case when near is not null then factor_set end as factor_set,
        coalesce(near, 'default') as chosen_by, uncertainty_percent
    from ranked where place = 1
"""
CASES = f"""
    with wide as (
        select activity_code, date, region_code, method_id, bool_or(defaulted) as defaulted,
            max(factor_set) filter (where parameter <> 'gwp') as factor_set,
            {
    ", ".join(
        f"max(value) filter (where parameter = '{name}') as {name}" for name in sorted({str(row[1]) for row in parameters("")})
    )
},
            case when count_if(parameter <> 'gwp' and uncertainty_percent is null) = 0
                then sum(uncertainty_percent * uncertainty_percent) filter (where parameter <> 'gwp') end as variance,
            collect_list(struct(parameter as role, case when chosen_by = 'default' then 'default' else 'factor' end as kind,
                ref_id, value, unit, factor_set, chosen_by, uncertainty_percent)) as inputs
        from chosen group by activity_code, date, region_code, method_id)
    select w.*, {COEFFICIENT} as coefficient, m.gas, m.scope, m.category, m.quantity_name
    from wide w join method m on w.method_id = m.method_id
"""
LINES = """
    select /*+ broadcast(c) */ l.*, c.method_id, c.defaulted, c.factor_set, c.variance, c.inputs, c.gas, c.scope, c.category,
        c.quantity_name, c.gwp, concat_ws('|', activity_id, c.method_id, c.gas) as line_id, l.q * c.coefficient as mass
    from located l join cases c on l.activity_code = c.activity_code and l.date = c.date and l.region_code = c.region_code
"""
FIXED = "cast(cast(sign({0}) * floor(abs({0}) * 1e6D + 0.5D) as bigint) as decimal(19,0)) * 0.000001BD"
GRADES = "case data_grade when 'measured' then 6.25D when 'calculated' then 25D when 'estimated' then 100D else 625D end"
OUTPUTS = {
    "emission": f"""
        select line_id, 'enterprise' as book, method_id, subject_id, subject_from, period_start, date, grain, activity_id,
            activity_code, gas, cast({FIXED.format("mass")} as decimal(28,6)) as mass_t, 'AR5' as gwp_set,
            cast({FIXED.format("(mass * gwp)")} as decimal(28,6)) as emission_tco2e, scope, category, data_grade, factor_set,
            false as fallback, defaulted, false as measured, sqrt({GRADES} + variance) as uncertainty_percent,
            q as activity_data
        from line where q >= 0""",
    "emission_input": """
        select line_id, i.* from (select line_id, explode(concat(inputs, array(struct(quantity_name as role, 'activity' as kind,
            activity_id as ref_id, q as value, unit, cast(null as string) as factor_set, cast(null as string) as chosen_by,
            cast(null as double) as uncertainty_percent)))) as i from line where q >= 0)""",
    "unresolved": f"""
        select activity_id, method_id, 'negative' as reason, cast(null as string) as lacking, '{NEGATIVE}' as suggestion,
            subject_id, subject_from, date, grain, activity_code, quantity, unit, cast(null as int) as missing_periods,
            region_code from line where q < 0""",
}  # fmt: skip


def run(spark: SparkSession, lake: Path, out: Path) -> None:
    """Write `out`/emission/, emission_input/ and unresolved/."""
    for name, table in TABLES.items():
        spark.read.parquet(*DeltaTable(Lake(lake).table_path(table)).file_uris()).createOrReplaceTempView(name)
    names = "method_id, activity_code, gas, scope, category, quantity_name"
    spark.sql(f"select * from values {values(METHODS)} as t({names})").createOrReplaceTempView("method")
    names = "method_id, parameter, role, factor_set, unit, times, preset"
    spark.sql(f"select * from values {values(parameters('AR5'))} as t({names})").createOrReplaceTempView("parameter")
    spark.sql(LOCATED).createOrReplaceTempView("located")
    _kept(spark, spark.sql(CHOSEN), out, "chosen")
    _kept(spark, spark.sql(CASES), out, "cases")
    spark.sql(LINES).createOrReplaceTempView("line")
    for name, sql in OUTPUTS.items():
        spark.sql(sql).write.parquet(str(out / name))


def _kept(spark: SparkSession, small: DataFrame, out: Path, name: str) -> None:
    """Put a small table down, so that what chooses factors is done once for the three outputs."""
    small.coalesce(1).write.parquet(str(out / name))
    spark.read.parquet(str(out / name)).createOrReplaceTempView(name)


def main(lake: Path, out: Path) -> dict[str, float]:
    """Run twice in one session; the first run warms it up on the very data that the second is measured on."""
    began = time.perf_counter()
    spark = session()
    laps = {"start": time.perf_counter() - began}
    for name in ("cold", "seconds"):
        shutil.rmtree(out, ignore_errors=True)
        began = time.perf_counter()
        run(spark, lake, out)
        laps[name] = time.perf_counter() - began
    spark.stop()
    return laps


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute())))
