-- title: 重复报送、未重复计入的活动数据
select zh('activity', o.activity_code) as "活动", o.source_table as "未计入的来源表", zh('grain', o.grain) as "频次", count(*) as "记录数",
  -sum(o.quantity) as "未计入的数量", o.unit as "单位", o.stands_table as "保留的来源表", zh('settled_by', o.settled_by) as "裁决依据",
  max(abs(o.difference_percent)) as "最大差异(%)"
from thematic.activity_overlap o, asked a
where year(o.date) = a.year and exists (select 1 from states s where s.subject_id = o.subject_id
  and o.date between s.valid_from and coalesce(s.valid_to, date '9999-12-31'))
group by o.activity_code, o.source_table, o.grain, o.unit, o.stands_table, o.settled_by
order by o.activity_code, o.source_table, o.grain, o.settled_by, o.unit, o.stands_table
