-- title: 与上年相比
select zh('book', book) as "账册", emission_tco2e as "本年(tCO2e)", year_ago_emission_tco2e as "上年(tCO2e)", year_ago_change as "变化(tCO2e)",
  year_ago_percent as "变化率(%)",
  covered_months as "本年有数据的月数", year_ago_covered_months as "上年有数据的月数", unresolved_rows as "本年未核算条数", year_ago_unresolved_rows as "上年未核算条数"
from changes order by book <> (select book from asked), book
