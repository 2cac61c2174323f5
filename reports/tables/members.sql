-- title: 边界内的排放单位（按范围一排名；范围之间不相加）
select rank() over (order by sum(l.emission_tco2e) filter (l.scope = 1) desc nulls last) as "排名", (select max_by(s.name, s.valid_from)
    from thematic.subject s, asked a where s.subject_id = l.owner_id and year(s.valid_from) <= a.year) as "名称", l.owner_id as "主体标识",
  array_to_string(list_sort(list(distinct concat_ws(' ', l.industry_code, zh('industry', l.industry_code)))
    filter (l.industry_code is not null)), '；') as "行业（GB/T 4754）",
  sum(l.emission_tco2e) filter (l.scope = 1) as "范围一(tCO2e)", sum(l.emission_tco2e) filter (l.scope = 2) as "范围二(tCO2e)",
  sum(l.emission_tco2e) filter (l.scope = 3) as "范围三(tCO2e)",
  cast(100 * (sum(l.emission_tco2e) filter (l.scope = 1))::double
    / nullif(sum(sum(l.emission_tco2e) filter (l.scope = 1)) over (), 0)::double as decimal(28, 6)) as "占范围一(%)",
  (select count(*) from opens o where o.owner_id = l.owner_id) as "未核算条数"
from (select owner_id, industry_code, scope, emission_tco2e from lines where book = (select book from asked)
  union all select distinct owner_id, null, null, null::decimal(28, 6) from opens) l group by l.owner_id order by 1, 3
