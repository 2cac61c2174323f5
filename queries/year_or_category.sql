-- title: Emission by year and by category in one answer
-- title_zh: 分年与分类别的排放
select year, category, grouping(year, category) as level, sum(emission_tco2e) as emission_tco2e
from business.emission_year
where book = 'enterprise'
group by grouping sets ((year), (category), ())
order by level, year nulls last, category nulls last
