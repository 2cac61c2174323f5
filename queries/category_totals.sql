-- title: Emission by scope and category, with totals
-- title_zh: 按范围与类别汇总（含小计）
select year, scope, category, sum(emission_tco2e) as emission_tco2e, count(*) as items
from business.emission_year
where book = 'enterprise'
group by year, rollup (scope, category)
order by year, scope nulls last, category nulls last
