-- title: 排放结构（按类别）
select zh('category', r.category) as "类别", zh('scope', r.scope::varchar) as "范围", sum(r.emission_tco2e) as "排放量(tCO2e)",
  cast(100 * sum(r.emission_tco2e)::double / nullif(any_value(t.emission_tco2e), 0)::double as decimal(28, 6)) as "占比(%)",
  if(any_value(t.scope) is null, '各范围合计', zh('scope', r.scope::varchar)) as "占何者", sum(r.unresolved_rows)::bigint as "未核算条数"
from rollup r join totals t on t.book = r.book and coalesce(t.scope, r.scope) = r.scope
where r.grain = 'year' and r.period = (select first_day from asked) and r.book = (select book from asked)
group by r.category, r.scope order by 3 desc nulls last, r.category, r.scope
