-- title: 未能核算的活动数据（不计为零）
select zh('activity', activity_code) as "活动", zh('reason', reason) as "原因", method_id as "方法", lacking as "缺少的参数", count(*) as "条数",
  sum(quantity) filter (reason <> 'gap') as "活动量", unit as "单位", min(date) as "最早", max(date) as "最晚", min(suggestion) as "处理建议"
from opens group by activity_code, reason, method_id, lacking, unit order by activity_code, reason, method_id, lacking, unit
