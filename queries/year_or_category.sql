-- title: Emission by year and by category in one answer
-- title_zh: 分年与分类别的排放
select year, category, grouping(year, category) as level, sum(emission_tco2e) as emission_tco2e,
  sum(unresolved_rows) as unresolved_rows
from (
  select year(period) as year, category, emission_tco2e, unresolved_rows
  from business.emission_rollup
  where book = 'enterprise' and level = 'total' and grain = 'year'
)
group by grouping sets ((year), (category), ())
order by level, year nulls last, category nulls last
