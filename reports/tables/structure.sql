-- title: 排放结构（按类别）
select zh('category', part) as "类别", emission_tco2e as "排放量(tCO2e)", share_percent as "占比(%)", unresolved_rows as "未核算条数"
from structures where kind = 'category' and book = (select book from asked) order by emission_tco2e desc nulls last, part
