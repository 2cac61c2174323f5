-- title: Emission of 2024 at the four levels of industry
-- title_zh: 2024 年国民经济行业四级排放
select level, member as industry_code, sum(emission_tco2e) as emission_tco2e, sum(unresolved_rows) as unresolved_rows
from business.emission_rollup
where book = 'enterprise' and grain = 'year' and period = date '2024-01-01'
  and level in ('section', 'division', 'group', 'class')
group by level, member
order by level, emission_tco2e desc, industry_code
