-- title: Enterprises ranked within their industry
-- title_zh: 企业在行业内的排放排名
with yearly as (
  select year, industry_code, subject_id, sum(emission_tco2e) as emission_tco2e
  from business.emission_year
  where book = 'enterprise'
  group by year, industry_code, subject_id
)
select y.year, y.industry_code, s.name, y.emission_tco2e,
  rank() over (partition by y.year, y.industry_code order by y.emission_tco2e desc) as place
from yearly y
join thematic.subject s on s.subject_id = y.subject_id and s.latest
order by y.year, y.industry_code, place, s.name
