-- title: 与上年相比
select zh('book', t.book) as "账册", coalesce(zh('scope', t.scope::varchar), '各范围合计') as "范围", t.emission_tco2e as "本年(tCO2e)",
  t.year_ago_emission_tco2e as "上年(tCO2e)", t.year_ago_change as "变化(tCO2e)", t.year_ago_percent as "变化率(%)",
  c.covered_months as "账册本年有数据的月数", c.year_ago_covered_months as "账册上年有数据的月数",
  c.unresolved_rows as "账册本年未核算条数", c.year_ago_unresolved_rows as "账册上年未核算条数"
from totals t join changes c on c.book = t.book where t.scope is null or t.scope > 0
order by t.book <> (select book from asked), t.book, t.scope
