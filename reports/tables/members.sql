-- title: 边界内的排放单位
select rank() over (order by sum(l.emission_tco2e) desc) as "排名", any_value(l.name) as "名称", l.owner_id as "主体标识",
  string_agg(distinct concat_ws(' ', l.industry_code, zh('industry', l.industry_code)), '；') as "行业（GB/T 4754）",
  sum(l.emission_tco2e) as "排放量(tCO2e)",
  cast(100 * sum(l.emission_tco2e)::double / nullif(sum(sum(l.emission_tco2e)) over (), 0)::double as decimal(28, 6)) as "占比(%)",
  (select count(*) from opens o where o.owner_id = l.owner_id) as "未核算条数"
from lines l where l.book = (select book from asked) group by l.owner_id order by 1, 3
