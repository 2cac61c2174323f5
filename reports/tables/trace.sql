-- title: 主要数字的追溯命令
with told as (
  select t.book, t.scope, t.emission_tco2e, 'emission_change' as "of", '' as part from totals t where t.scope is null
  union all
  select r.book, r.scope, r.emission_tco2e, 'emission_rollup', ' scope=' || r.scope || ' category=' || r.category || ' activity_code='
    || r.activity_code || ' gas=' || r.gas
  from rollup r, asked a where a.level <> 'enterprise' and r.grain = 'year' and r.period = a.first_day and r.emission_tco2e is not null
)
select zh('book', t.book) as "账册", coalesce(zh('scope', t.scope::varchar), '各范围合计') as "范围", t.emission_tco2e as "排放量(tCO2e)",
  'carbonlake trace business.' || t."of" || ' book=' || t.book || ' grain=year period=' || a.first_day || ' level=' || a.level
  || ' member=' || a.member || t.part || coalesce(' --release ' || a.release, '') as "命令"
from told t, asked a order by t.book <> a.book, t.book, t.scope, t.part
