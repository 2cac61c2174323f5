-- title: Yearly emission now against the first version
-- title_zh: 年度排放与首个版本的差异
select coalesce(n.book, o.book) as book, coalesce(n.year, o.year) as year, o.emission_tco2e as before, n.emission_tco2e as after,
  coalesce(n.emission_tco2e, 0) - coalesce(o.emission_tco2e, 0) as difference
from (select book, year, sum(emission_tco2e) as emission_tco2e from business.emission_year group by book, year) n
full join (
  select book, year, sum(emission_tco2e) as emission_tco2e from business.emission_year for version as of 1 group by book, year
) o on o.book = n.book and o.year = n.year
order by 1, 2
