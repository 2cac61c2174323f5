-- title: 逐月排放量（园区与区域不给合计：范围之间不相加）
select strftime(period, '%Y-%m') as "月份", sum(emission_tco2e) filter (scope = 1) as "范围一(tCO2e)",
  sum(emission_tco2e) filter (scope = 2) as "范围二(tCO2e)", sum(emission_tco2e) filter (scope = 3) as "范围三(tCO2e)",
  case when (select level from asked) = 'enterprise' then sum(emission_tco2e) end as "合计(tCO2e)",
  sum(coarser_lines)::bigint as "时段长于月的明细", sum(unresolved_rows)::bigint as "未核算条数"
from rollup where grain = 'month' and year(period) = (select year from asked) and book = (select book from asked)
group by period order by period
