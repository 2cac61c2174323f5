-- title: 活动数据及其来源
select zh('activity', a.activity_code) as "活动", a.activity_code as "代码", sum(a.quantity) as "数量", a.unit as "单位",
  zh('grain', a.grain) as "频次", count(*) as "记录数", count(distinct a.date) as "时段数", min(a.date) as "首个时段", max(a.date) as "末个时段",
  zh('grade', a.data_grade) as "数据等级", a.source_table as "来源表",
  (select string_agg(distinct d.name, '、' order by d.name) from raw.delivery d
    where list_contains(list(distinct a.delivery_id), d.delivery_id)) as "文件",
  string_agg(distinct a.delivery_id::varchar, ', ' order by a.delivery_id::varchar) as "接收序号"
from activities a group by a.activity_code, a.unit, a.grain, a.data_grade, a.source_table order by a.activity_code, a.unit, a.grain, a.source_table, a.data_grade
