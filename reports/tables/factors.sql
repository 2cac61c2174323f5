-- title: 排放因子与参数
with taken as (
  select activity_code, role, kind, factor_set, chosen_by, uncertainty_percent, unit, value,
    case when chosen_by = 'hour' then regexp_replace(ref_id, '\|[^|]*$', '|*') else ref_id end as ref_id
  from inputs where kind <> 'activity'
), used as (
  select activity_code, role, kind, factor_set, chosen_by, uncertainty_percent, unit, ref_id, min(value) as low, max(value) as high,
    count(*) as n
  from taken group by all
)
select zh('activity', i.activity_code) as "活动", i.role as "参数", i.low as "取值", nullif(i.high, i.low) as "取值上限", i.unit as "单位",
  case when i.kind = 'default' then '方法缺省' when i.chosen_by = 'hour' then '逐时因子' else zh('kind', f.kind) end as "性质",
  i.factor_set as "因子集", zh('chosen_by', i.chosen_by) as "选取依据", i.uncertainty_percent as "不确定度(%)",
  coalesce(f.source, m.standard || '，' || m.clause) as "出处", f.clause as "条款", f.page as "页码",
  f.valid_from as "适用起", f.valid_to as "适用止", zh('confidence', f.confidence) as "核对情况",
  f.reason as "指定原因", f.approver as "批准人", i.n as "明细条数", i.ref_id as "因子标识"
from used i
left join knowledge.factor f on f.factor_id = i.ref_id
left join knowledge.method m on i.kind = 'default' and m.method_id = i.ref_id
order by i.activity_code, i.role, i.ref_id, i.unit, i.kind, i.factor_set, i.chosen_by, i.uncertainty_percent
