-- title: 采用的核算方法
select l.method_id as "方法", m.title_zh as "名称", m.standard as "标准", m.clause as "条款", m.version as "版本", m.formula as "公式",
  l.gas as "气体", zh('scope', l.scope::varchar) as "范围", zh('category', l.category) as "类别", zh('book', l.book) as "账册",
  string_agg(distinct l.gwp_set, ', ' order by l.gwp_set) as "增温潜势", count(*) as "明细条数"
from lines l left join knowledge.method m on m.method_id = l.method_id
group by all order by l.method_id, l.gas, 8, 9, 10, 5, 4
