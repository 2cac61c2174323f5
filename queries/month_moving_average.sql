-- title: Emission by month with the mean of three months
-- title_zh: 月度排放与三个月滑动平均
select month, cast(emission_tco2e as double) as emission_tco2e,
  avg(cast(emission_tco2e as double)) over (order by month rows between 2 preceding and current row) as mean_of_three,
  unresolved_rows
from (
  select period as month, sum(emission_tco2e) as emission_tco2e, sum(unresolved_rows) as unresolved_rows
  from business.emission_rollup
  where book = 'enterprise' and level = 'total' and grain = 'month'
  group by period
)
order by month
