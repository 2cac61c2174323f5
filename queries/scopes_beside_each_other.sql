-- title: Direct and indirect emission beside each other
-- title_zh: 直接排放与间接排放对照
select year(period) as year, member as industry_code,
  sum(emission_tco2e) filter (where scope = 1) as direct_tco2e,
  sum(emission_tco2e) filter (where scope = 2) as indirect_tco2e,
  sum(unresolved_rows) as unresolved_rows
from business.emission_rollup
where book = 'enterprise' and level = 'division' and grain = 'year'
group by year(period), member
order by year, industry_code
