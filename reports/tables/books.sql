-- title: 各账册的排放总量（账册之间、园区与区域的范围之间不相加）
select zh('book', book) as "账册", coalesce(zh('scope', scope::varchar), '各范围合计') as "范围", emission_tco2e as "排放量(tCO2e)",
  lines as "明细条数", unresolved_rows as "未核算条数", case when unresolved_rows > 0 then '不含未核算部分' else '完整' end as "说明"
from totals order by book <> (select book from asked), book, scope
