-- title: 分范围、类别和气体的排放量
select zh('book', book) as "账册", zh('scope', scope::varchar) as "范围", zh('category', category) as "类别", gas as "气体",
  sum(mass_t) as "气体质量(t)", sum(emission_tco2e) as "排放量(tCO2e)", sum(lines)::bigint as "明细条数",
  sum(unresolved_rows)::bigint as "未核算条数"
from rollup where grain = 'year' and period = (select first_day from asked)
group by book, scope, category, gas order by book <> (select book from asked), book, scope, category, gas
