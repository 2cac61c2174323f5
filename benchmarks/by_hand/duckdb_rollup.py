"""Roll-ups by hand in DuckDB: line items of hours to day, month and year, and from there to every level and grain.

Tuned: lines are read once for days, months are made of days, and each level of sums that are few.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb

from benchmarks import content

TABLES = {"emission": "business.emission", "unresolved": "business.unresolved", "subject": "thematic.subject"}
DETAIL = "scope, category, activity_code, gas"
PLACE = "region_code, industry_code, park_id, enterprise_id, facility_id"
SUMS = "sum(mass_t)::decimal(28,6) as mass_t, sum(emission_tco2e)::decimal(28,6) as emission_tco2e, " \
       "sum(lines)::bigint as lines, sum(fallback_lines)::bigint as fallback_lines, " \
       "sum(unrated_tco2e)::decimal(28,6) as unrated_tco2e, sum(unrated_lines)::bigint as unrated_lines"  # fmt: skip
# Half intervals of lines that share meter and factor, in grams; those of days and months, and their squares, in tonnes.
HALF = "floor(abs((emission_tco2e * 1000000)::bigint::double) * uncertainty_percent / 100.0 + 0.5)::bigint"
MOST = "sum(uncertainty_tco2e)::decimal(28,6)"
SQUARE = "(uncertainty_tco2e::decimal(18,6) * uncertainty_tco2e::decimal(18,6))::decimal(28,8)"
# Half intervals of sums of independent parts, fixed to six decimals.
ROOT = "(floor(sqrt({}::varchar::double) * 1e6 + 0.5)::bigint * 0.000001)::decimal(28,6)"
ABOVE = f"{SUMS}, sum(most)::decimal(28,6) as most, sum(square)::decimal(28,8) as square"
HELD = "sum(unresolved_rows)::bigint as unresolved_rows, " \
       "sum(unresolved_quantity)::decimal(28,6) as unresolved_quantity, min(low) as low, max(high) as high"  # fmt: skip
# What the activities at hand need: counties of China, and one division of manufacturing.
LEVELS = {
    "total": "'all'", "nation": "'CHN'", "province": "region_code[:2] || '0000'", "prefecture": "region_code[:4] || '00'",
    "county": "region_code", "section": "'C'", "division": "industry_code", "group": "'unknown:' || industry_code",
    "class": "'unknown:' || industry_code", "sector": "'industry'", "park": "coalesce(park_id, 'unknown')",
    "enterprise": "coalesce(enterprise_id, 'unknown')", "facility": "coalesce(facility_id, 'unknown')",
}  # fmt: skip
PLACED = f"""
    create view place as select subject_id, valid_from as subject_from, region_code, industry_code, park_id,
        case when parent_id like 'enterprise:%' then parent_id end as enterprise_id,
        case when subject_type = 'facility' then subject_id end as facility_id from subject;
    create table daily as
    with sums as (
        select book, date, subject_id, subject_from, {DETAIL}, sum(mass_t)::decimal(28,6) as mass_t,
            sum(emission_tco2e)::decimal(28,6) as emission_tco2e, count(*)::bigint as lines,
            count(*) filter (fallback)::bigint as fallback_lines,
            (sum({HALF}) * 0.000001)::decimal(28,6) as uncertainty_tco2e,
            sum(case when uncertainty_percent is null then emission_tco2e else 0 end)::decimal(28,6) as unrated_tco2e,
            count(*) filter (uncertainty_percent is null)::bigint as unrated_lines
        from emission where grain = 'hour' group by all)
    select s.*, {PLACE} from sums s left join place p using (subject_id, subject_from);
    create table monthly as select book, date_trunc('month', date)::date as month, subject_id, subject_from, {PLACE}, {DETAIL},
        {SUMS}, {MOST} as uncertainty_tco2e, 0::bigint as quarter_lines, 0::bigint as year_lines from daily group by all;
    create table missing as
    with sums as (
        select 'enterprise' as book, date, subject_id, subject_from, 2 as scope, 'purchased_heat' as category, activity_code,
            'CO2' as gas, count(*)::bigint as unresolved_rows, sum(quantity)::decimal(28,6) as unresolved_quantity,
            min(unit) as low, max(unit) as high
        from unresolved where reason = 'negative' group by all)
    select s.*, {PLACE} from sums s left join place p using (subject_id, subject_from);
"""
MEASURES = "mass_t, emission_tco2e, lines, fallback_lines, unrated_tco2e, unrated_lines, uncertainty_tco2e as most, " \
           f"{SQUARE} as square"  # fmt: skip
BASE = f"""
    select book, 'day' as grain, date as period, {PLACE}, {DETAIL}, {MEASURES},
        0 as unresolved_rows, null::decimal(28,6) as unresolved_quantity, null as low, null as high from daily
    union all by name
    select book, 'month' as grain, month as period, {PLACE}, {DETAIL}, {MEASURES},
        0 as unresolved_rows from monthly
    union all by name
    select book, grain, case grain when 'day' then date else date_trunc('month', date)::date end as period, {PLACE}, {DETAIL},
        0 as lines, 0 as fallback_lines, 0 as unrated_lines, unresolved_rows, unresolved_quantity, low, high
    from missing, (values ('day'), ('month')) g(grain)
"""
OUTPUTS = {
    "emission_day": f"select book, date, subject_id, subject_from, {PLACE}, {DETAIL}, mass_t, emission_tco2e, "
                    "uncertainty_tco2e, unrated_tco2e, unrated_lines, lines, fallback_lines from daily",
    "emission_month": "from monthly",
    "emission_year": f"select book, year(month)::integer as year, subject_id, subject_from, region_code, industry_code, park_id, "
                     f"scope, category, gas, {SUMS}, {MOST} as uncertainty_most_tco2e, "
                     f"{ROOT.format(f'sum({SQUARE})')} as uncertainty_tco2e from monthly group by all",
    "emission_rollup": f"select book, grain, period, level, member, {DETAIL}, mass_t, emission_tco2e, "
                       f"{ROOT.format('square')} as uncertainty_tco2e, most as uncertainty_most_tco2e, unrated_tco2e, "
                       "unrated_lines, lines, fallback_lines, 0::bigint as coarser_lines, unresolved_rows, "
                       "case when low = high then unresolved_quantity end as "
                       "unresolved_quantity, case when low = high then low end as unresolved_unit from rollup",
}  # fmt: skip


def run(lake: Path, out: Path) -> None:
    """Write `out`/emission_day.parquet, and so on, month, year and rollup."""
    out.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "6GB", "temp_directory": str(out / "spill")})
    connection.execute("set preserve_insertion_order = false; set TimeZone = 'UTC'")
    for name, table in TABLES.items():
        connection.execute(f"create view {name} as {content.table(lake, table)}")
    connection.execute(PLACED)
    connection.execute(f"create table base as {BASE}")
    for place, (level, member) in enumerate(LEVELS.items()):
        verb = "insert into rollup" if place else "create table rollup as"
        connection.execute(f"""{verb} select book, grain, period, '{level}' as level, {member} as member, {DETAIL}, {ABOVE},
            {HELD} from base group by all""")
    for grain in ("quarter", "year"):
        connection.execute(f"""insert into rollup select book, '{grain}', date_trunc('{grain}', period)::date as period, level,
            member, {DETAIL}, {ABOVE}, {HELD} from rollup where grain = 'month' group by all""")
    for name, sql in OUTPUTS.items():
        connection.execute(f"copy ({sql}) to '{out}/{name}.parquet' (format parquet, compression zstd)")


if __name__ == "__main__":
    began = time.perf_counter()
    run(Path(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps({"seconds": time.perf_counter() - began}))
