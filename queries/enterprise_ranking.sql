-- title: Enterprises ranked within their industry
-- title_zh: 企业在行业内的排放排名
with yearly as (
  select year(period) as year, member as subject_id, sum(emission_tco2e) as emission_tco2e, sum(unresolved_rows) as unresolved_rows
  from business.emission_rollup
  where book = 'enterprise' and level = 'enterprise' and grain = 'year'
  group by year(period), member
)
select y.year, s.industry_code, s.name, y.emission_tco2e,
  rank() over (partition by y.year, s.industry_code order by y.emission_tco2e desc) as place, y.unresolved_rows
from yearly y
join thematic.subject s on s.subject_id = y.subject_id and s.latest
order by y.year, s.industry_code, place, s.name
