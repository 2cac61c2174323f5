"""The SQL of a comparison: lines of both sides in pairs, and the effects of each pair, which telescope."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import duckdb

GROUPS = ("book", "year", "subject_id", "region_code", "industry_code", "category", "scope", "gas", "activity_code")
# What a method is, beside its id; the number of factors in its library is not part of it.
MARKS = ("standard", "clause", "version", "formula", "inputs")
# A figure that rests on stored ones to the sixth digit: no effect is told that their rounding alone would make.
ROUNDING = "1.5e-6 * greatest(1, abs(g0 / g1), abs(q1 / nullif(q0, 0))) + 1e-12 * abs(e1)"

PAIRED = """create table pairs as
with same as (
  select case when a.line_id is not null then a end as a, case when b.line_id is not null then b end as b
  from a_lines a full join b_lines b on a.line_id = b.line_id
), gone as (
  select a, count(*) over (partition by a.activity_id, a.book, a.gas) as times from same where b is null
), came as (
  select b, count(*) over (partition by b.activity_id, b.book, b.gas) as times from same where a is null
), other as (
  select g.a, c.b from (select a from gone where times = 1) g full join (select b from came where times = 1) c
    on g.a.activity_id = c.b.activity_id and g.a.book = c.b.book and g.a.gas = c.b.gas
)
select a, b from same where a is not null and b is not null and (a.emission_tco2e <> b.emission_tco2e or {moved})
union all select a, b from other
union all select a, null from gone where times > 1
union all select null, b from came where times > 1"""

# A line on one side only: whose fault it is. Streams are what a subject does: its activity code, within a book.
ALONE = """
select {columns}, case
    when not exists (from {other}_activity t where t.activity_id = x.activity_id) then
      case when exists (from {other}_lines s where s.subject_id = x.subject_id and s.book = x.book
                        and s.activity_code = x.activity_code) then 'activity' else 'boundary' end
    when exists (from {other}_unresolved u where u.activity_id = x.activity_id and u.method_id = x.method_id
                 ) then 'factor' else 'method' end as effect, {sign}x.emission_tco2e as amount
from (select unnest({letter}) from pairs where {other} is null) x"""

STEPS = """create table steps as
with sized as (
  select a, b, a.emission_tco2e as e0, b.emission_tco2e as e1, a.quantity as q0,
    b.quantity * case when a.unit = b.unit then 1
      else (select t.scale from times t where t.a_unit = a.unit and t.b_unit = b.unit) end as q1,
    case when a.gwp_set = b.gwp_set and a.gwp is not distinct from b.gwp then 1
      else coalesce(a.gwp, a.emission_tco2e::double / nullif(a.mass_t::double, 0)) end as g0,
    case when a.gwp_set = b.gwp_set and a.gwp is not distinct from b.gwp then 1
      else coalesce(b.gwp, b.emission_tco2e::double / nullif(b.mass_t::double, 0)) end as g1
  from pairs where a is not null and b is not null
), scaled as (
  select *, case when g0 = g1 or g0 / g1 is null then e1
      else cast(round(e1::double * g0 / g1, 6) as decimal(28,6)) end as at_old_gwp,
    q0 = q1 or q0 is null or q1 is null as still
  from sized
), quantified as (
  select *, case when still then e0 when q0 = 0 then at_old_gwp
    else cast(round(e0::double * (q1 / q0), 6) as decimal(28,6)) end as at_old_factor from scaled
), settled as (
  select * replace (case when still and g0 <> g1 and abs((at_old_gwp - at_old_factor)::double) <= {rounding}
    then at_old_factor else at_old_gwp end as at_old_gwp) from quantified
)
select a, b, e0, e1, at_old_gwp, case when not still and abs((at_old_gwp - at_old_factor)::double) <= {rounding}
  then at_old_gwp else at_old_factor end as at_old_factor from settled"""

EFFECTS = """create table effects as
{gone}
union all {came}
union all select {of_a}, {moved_by}, -e0 from steps where {moved}
union all select {of_b}, {moved_by}, e0 from steps where {moved}
union all select {of_b}, 'activity', at_old_factor - e0 from steps where at_old_factor <> e0
union all select {of_b}, case when a.method_id = b.method_id and a.method_mark is not distinct from b.method_mark
  then 'factor' else 'method' end, at_old_gwp - at_old_factor from steps where at_old_gwp <> at_old_factor
union all select {of_b}, 'gwp', e1 - at_old_gwp from steps where e1 <> at_old_gwp"""

MOVED_BY = """case when a.subject_id <> b.subject_id then 'boundary' when a.book <> b.book then 'method'
  when a.method_id <> b.method_id
  and a.region_code = b.region_code and a.industry_code = b.industry_code then 'method' else 'code_list' end"""


def lines(letter: str, emission: Collection[str], subject: Collection[str], method: Collection[str]) -> str:
    """Return the SQL that makes `<letter>_lines`: line items with place, quantity, warming potential and mark of the method."""
    joined = "s.subject_id = e.subject_id"
    if "valid_from" in subject and "subject_from" in emission:
        joined += " and s.valid_from = e.subject_from"
    elif "valid_from" in subject:
        joined += " and e.date between s.valid_from and coalesce(s.valid_to, date '9999-12-31')"
    marks = [name for name in MARKS if name in method]
    mark = f"concat_ws('|', {', '.join(marks)})" if marks else "null::varchar"
    return f"""create view {letter}_lines as
select e.line_id, e.activity_id, e.method_id, e.book, year(e.date) as year, e.subject_id,
  coalesce(s.region_code, '') as region_code,
  coalesce(s.industry_code, '') as industry_code, e.category, e.scope, e.gas, e.activity_code, e.mass_t, e.emission_tco2e,
  e.gwp_set, t.quantity::double as quantity, t.unit, g.gwp, m.method_mark
from {letter}_emission e
left join {letter}_subject s on {joined}
left join {letter}_activity t on t.activity_id = e.activity_id
left join (select factor_set, gas, min(value) as gwp from {letter}_factor where role = 'gwp' group by all
           having count(distinct value) = 1) g on g.factor_set = e.gwp_set and g.gas = e.gas
left join (select method_id, {mark} as method_mark from {letter}_method) m on m.method_id = e.method_id"""


def effects(duck: duckdb.DuckDBPyConnection) -> None:
    """Fill `effects` with one row for each effect of each pair of lines: what it is in, which effect, tCO2e."""
    moved = " or ".join(f"a.{name} <> b.{name}" for name in GROUPS if name != "gas")
    duck.execute(PAIRED.format(moved=moved))
    duck.execute(STEPS.format(rounding=ROUNDING))
    alone = ", ".join(f"x.{name}" for name in GROUPS)
    words = {
        "gone": ALONE.format(columns=alone, letter="a", other="b", sign="-"),
        "came": ALONE.format(columns=alone, letter="b", other="a", sign=""),
        "moved": f"({moved})",
        "moved_by": MOVED_BY,
    }
    of = {f"of_{letter}": ", ".join(f"{letter}.{name}" for name in GROUPS) for letter in "ab"}
    duck.execute(EFFECTS.format(**words, **of))


def report(groups: Sequence[str], names: Sequence[str]) -> str:
    """Return the SQL of the answer: for each group before, every effect, change and after."""
    listed = ", ".join(groups)
    sums = ", ".join(f"coalesce(sum(amount) filter (effect = '{name}'), 0) as {name}" for name in names)
    sides = [f"select {listed}, '{name}' as effect, emission_tco2e as amount from {letter}_lines"
             for letter, name in (("a", "before"), ("b", "after"))]  # fmt: skip
    whole = " union all by name ".join([*sides, f"select {listed}, effect, amount from effects"])
    before, after = (f"coalesce(sum(amount) filter (effect = '{name}'), 0)" for name in ("before", "after"))
    return (f"select {listed}, {before} as before, {sums}, {after} - {before} as change, {after} as after"
            f" from ({whole}) group by {listed} order by {listed}")  # fmt: skip
