-- title: Yearly emission now against the first version
-- title_zh: 年度排放与首个版本的差异
select coalesce(n.book, o.book) as book, coalesce(n.year, o.year) as year, o.emission_tco2e as before, n.emission_tco2e as after,
  coalesce(n.emission_tco2e, 0) - coalesce(o.emission_tco2e, 0) as difference,
  o.unresolved_rows as unresolved_before, n.unresolved_rows as unresolved_after
from (select * from index.emission_cube where dimension = 'total') n
full join (select * from index.emission_cube for version as of 1 where dimension = 'total') o
  on o.book = n.book and o.year = n.year
order by 1, 2
