-- title: 各账册的排放总量（账册之间不相加）
select zh('book', c.book) as "账册", c.emission_tco2e as "排放量(tCO2e)", c.lines as "明细条数", c.unresolved_rows as "未核算条数",
  case when c.unresolved_rows > 0 then '合计不含未核算部分' else '完整' end as "说明"
from changes c order by c.book <> (select book from asked), c.book
