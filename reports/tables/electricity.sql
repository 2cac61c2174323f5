-- title: 电力间接排放的两种口径（分列，不相加）
select zh('book', book) as "账册", zh('category', category) as "类别", sum(emission_tco2e) as "排放量(tCO2e)",
  sum(lines)::bigint as "明细条数", sum(unresolved_rows)::bigint as "未核算条数"
from rollup where grain = 'year' and period = (select first_day from asked) and (starts_with(book, 'enterprise') or book = 'hourly')
  and (scope = 2 or (scope = 0 and activity_code in ('electricity_purchased', 'electricity_green')))
group by book, category order by book, category
