-- title: Share of each enterprise in the emission of its region
-- title_zh: 企业占所在地区排放的份额
with yearly as (
  select year(period) as year, member as subject_id, sum(emission_tco2e) as emission_tco2e, sum(unresolved_rows) as unresolved_rows
  from business.emission_rollup
  where book = 'enterprise' and level = 'enterprise' and grain = 'year'
  group by year(period), member
)
select y.year, s.region_code, s.name, y.emission_tco2e,
  cast(y.emission_tco2e as double) / cast(sum(y.emission_tco2e) over (partition by y.year, s.region_code) as double) as share,
  y.unresolved_rows, sum(y.unresolved_rows) over (partition by y.year, s.region_code) as unresolved_in_region
from yearly y
join thematic.subject s on s.subject_id = y.subject_id and s.latest
order by y.year, s.region_code, share desc, s.name
