-- title: 排放结构（按燃料与能源品种）
select coalesce(nullif(zh('energy_carrier', part), 'none'), '非燃料') as "品种", emission_tco2e as "排放量(tCO2e)",
  case when (select level from asked) = 'enterprise' then share_percent end as "占比(%)", unresolved_rows as "未核算条数"
from structures where kind = 'fuel' and book = (select book from asked) order by emission_tco2e desc nulls last, part
