-- title: Emission by scope and category, with totals and what could not be computed
-- title_zh: 按范围与类别汇总（含小计与未能核算的条数）
select year(period) as year, scope, category, sum(emission_tco2e) as emission_tco2e, sum(lines) as lines,
  sum(unresolved_rows) as unresolved_rows
from business.emission_rollup
where book = 'enterprise' and level = 'total' and grain = 'year'
group by year(period), rollup (scope, category)
order by year, scope nulls last, category nulls last
