-- title: Direct and indirect emission beside each other
-- title_zh: 直接排放与间接排放对照
select year, industry_code,
  sum(emission_tco2e) filter (where scope = 1) as direct_tco2e,
  sum(emission_tco2e) filter (where scope = 2) as indirect_tco2e,
  count(distinct subject_id) as enterprises
from business.emission_year
where book = 'enterprise'
group by year, industry_code
order by year, industry_code
