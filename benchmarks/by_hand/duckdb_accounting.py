"""Emissions by hand in DuckDB: activity × factors to line items, what went into them, and what could not be counted.

Tuned: factors are chosen for kinds of activity, which are few; the large side is joined to small ones and written in any order.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb

from benchmarks import content
from benchmarks.by_hand.methods import COEFFICIENT, METHODS, NEGATIVE, parameters, values

TABLES = {"activity": "thematic.activity", "subject": "thematic.subject", "factor": "knowledge.factor"}
# The nearest region goes first, then the activity itself, then the newest.
CHOSEN = """
    create table chosen as
    with kind as (select distinct activity_code, date, region_code from located),
    asked as (select k.*, m.gas, p.* from kind k join method m using (activity_code) join parameter p using (method_id)),
    ranked as (
        select a.*, f.factor_id, f.value * a.times as found, f.uncertainty_percent,
            case when f.factor_id is null then null when f.region_code is null then 'everywhere'
                when f.region_code = a.region_code then 'region' when f.region_code = 'CHN' then 'nation'
                else 'province' end as near,
            row_number() over (partition by a.activity_code, a.date, a.region_code, a.method_id, a.parameter
                order by case near when 'region' then 3 when 'province' then 2 when 'nation' then 1 else 0 end desc,
                    (f.activity_code is not null) desc, f.valid_from desc, f.known_from desc, f.factor_id) as place
        from asked a left join factor f on f.role = a.role and f.factor_set = a.factor_set and f.subject_id is null
            and coalesce(f.activity_code, a.activity_code) = a.activity_code and coalesce(f.gas, a.gas) = a.gas
            and f.industry_code is null and f.technology is null
            and coalesce(f.region_code, 'CHN') in ('CHN', a.region_code, substr(a.region_code, 1, 2) || '0000')
            and coalesce(f.valid_from, date '0001-01-01') <= a.date and coalesce(f.valid_to, date '9999-12-31') >= a.date)
    select activity_code, date, region_code, method_id, parameter, unit, coalesce(found, preset) as value,
        near is null as defaulted, coalesce(factor_id, method_id) as ref_id,
        case when near is not null then factor_set end as factor_set,
        coalesce(near, 'default') as chosen_by, uncertainty_percent
    from ranked where place = 1
"""
CASES = f"""
    create table cases as
    with wide as (
        select activity_code, date, region_code, method_id, bool_or(defaulted) as defaulted,
            max(factor_set) filter (parameter <> 'gwp') as factor_set,
            {
    ", ".join(f"max(value) filter (parameter = '{name}') as {name}" for name in sorted({str(row[1]) for row in parameters("")}))
},
            case when count(*) filter (parameter <> 'gwp' and uncertainty_percent is null) = 0
                then sum(uncertainty_percent ** 2) filter (parameter <> 'gwp') end as variance,
            list({{'role': parameter, 'kind': case when chosen_by = 'default' then 'default' else 'factor' end,
                'ref_id': ref_id, 'value': value, 'unit': unit, 'factor_set': factor_set, 'chosen_by': chosen_by,
                'uncertainty_percent': uncertainty_percent}}) as inputs
        from chosen group by all)
    select w.*, {COEFFICIENT} as coefficient, m.gas, m.scope, m.category, m.quantity_name
    from wide w join method m using (method_id, activity_code)
"""
LINES = """
    select l.*, c.* exclude (activity_code, date, region_code),
        concat_ws('|', activity_id, c.method_id, c.gas) as line_id, l.q * c.coefficient as mass
    from located l join cases c using (activity_code, date, region_code)
"""
FIXED = "cast(round(cast(sign({0}) * floor(abs({0}) * 1e6 + 0.5) as bigint)) as decimal(19,0)) * 0.000001"
GRADES = "case data_grade when 'measured' then 6.25 when 'calculated' then 25.0 when 'estimated' then 100.0 else 625.0 end"
EMISSION = f"""
    select line_id, 'enterprise' as book, method_id, subject_id, subject_from, period_start, date, grain, activity_id,
        activity_code, gas, cast({FIXED.format("mass")} as decimal(28,6)) as mass_t, getvariable('gwp') as gwp_set,
        cast({FIXED.format("mass * gwp")} as decimal(28,6)) as emission_tco2e, scope, category, data_grade, factor_set,
        false as fallback, defaulted, false as measured, sqrt({GRADES} + variance) as uncertainty_percent,
        q as activity_data
    from ({LINES}) where q >= 0
"""
INPUT = f"""
    select line_id, unnest(inputs, recursive := true) from ({LINES}) where q >= 0
    union all
    select line_id, quantity_name, 'activity', activity_id, q, unit, null, null, null from ({LINES}) where q >= 0
"""
UNRESOLVED = f"""
    select activity_id, method_id, 'negative' as reason, cast(null as varchar) as lacking, '{NEGATIVE}' as suggestion, subject_id,
        subject_from, date, grain, activity_code, quantity, unit, cast(null as integer) as missing_periods, region_code
    from ({LINES}) where q < 0
"""


def run(lake: Path, out: Path, gwp: str) -> None:
    """Write `out`/emission.parquet, emission_input.parquet and unresolved.parquet."""
    out.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "6GB", "temp_directory": str(out / "spill")})
    connection.execute("set preserve_insertion_order = false; set TimeZone = 'UTC'")
    connection.execute("set variable gwp = ?", [gwp])
    for name, table in TABLES.items():
        connection.execute(f"create view {name} as {content.table(lake, table)}")
    names = "method_id, activity_code, gas, scope, category, quantity_name"
    connection.execute(f"create table method as from (values {values(METHODS)}) t({names})")
    names = "method_id, parameter, role, factor_set, unit, times, preset"
    connection.execute(f"create table parameter as from (values {values(parameters(gwp))}) t({names})")
    connection.execute("""
        create view located as
        select a.*, cast(a.quantity as double) as q, s.region_code, coalesce(s.valid_from, date '1900-01-01') as subject_from
        from activity a join subject s on a.subject_id = s.subject_id and a.date >= coalesce(s.valid_from, date '1900-01-01')
            and a.date <= coalesce(s.valid_to, date '9999-12-31')
    """)
    connection.execute(CHOSEN)
    connection.execute(CASES)
    for name, sql in (("emission", EMISSION), ("emission_input", INPUT), ("unresolved", UNRESOLVED)):
        connection.execute(f"copy ({sql}) to '{out}/{name}.parquet' (format parquet, compression zstd)")


if __name__ == "__main__":
    began = time.perf_counter()
    run(Path(sys.argv[1]), Path(sys.argv[2]), *(sys.argv[3:] or ["AR5"]))
    print(json.dumps({"seconds": time.perf_counter() - began}))
