-- title: 生物质燃料的二氧化碳（单列，不计入总量）
select zh('activity', activity_code) as "活动", gas as "气体", sum(mass_t) as "气体质量(t)", sum(lines)::bigint as "明细条数"
from rollup where grain = 'year' and period = (select first_day from asked) and book = 'biogenic'
group by activity_code, gas order by activity_code, gas
