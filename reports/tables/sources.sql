-- title: 分排放源的排放量
select zh('activity', activity_code) as "活动", zh('scope', scope::varchar) as "范围", zh('category', category) as "类别",
  sum(emission_tco2e) as "排放量(tCO2e)", sum(lines)::bigint as "明细条数", sum(unresolved_rows)::bigint as "未核算条数"
from rollup where grain = 'year' and period = (select first_day from asked) and book = (select book from asked)
group by activity_code, scope, category order by scope, category, activity_code
