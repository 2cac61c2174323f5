-- title: 变化的原因（活动量效应与因子、方法效应之和等于变化）
with both_years as (
  select activity_code, unit, sum(quantity) filter (year = (select year from asked)) as q1, sum(quantity) filter (year < (select year from asked)) as q0
  from (select distinct l.year, a.activity_id, a.activity_code, a.unit, a.quantity
    from all_lines l join thematic.activity a on a.activity_id = l.activity_id where l.book = (select book from asked))
  group by all
), tonnes as (
  select activity_code, unit, sum(emission_tco2e) filter (year = (select year from asked)) as e1, sum(emission_tco2e) filter (year < (select year from asked)) as e0
  from (select l.*, a.unit from all_lines l join thematic.activity a on a.activity_id = l.activity_id where l.book = (select book from asked))
  group by all
), effects as (
  select *, cast(case when e1 is null then -e0 when e0 is null then e1 when q0 <> 0 then e0::double * (q1::double / q0::double - 1) end
    as decimal(28, 6)) as by_activity, coalesce(e1, 0) - coalesce(e0, 0) as change
  from both_years join tonnes using (activity_code, unit)
)
select zh('activity', activity_code) as "活动", q0 as "上年活动量", q1 as "本年活动量", unit as "单位", e0 as "上年(tCO2e)", e1 as "本年(tCO2e)",
  change as "变化(tCO2e)", by_activity as "活动量效应(tCO2e)", change - by_activity as "因子与方法效应(tCO2e)",
  case when (e0 is null or e1 is null) and activity_code in (select activity_code from business.unresolved u join places p
      on p.subject_id = u.subject_id and p.valid_from = u.subject_from, asked a where year(u.date) in (a.year - 1, a.year)) then '一年未能核算'
    when e0 is null then '本年新增' when e1 is null then '本年无此活动' when change = 0 then '无变化' when by_activity is null then '无法分解'
    when abs(change - by_activity) < abs(by_activity) then '主要因活动量变化'
    else '主要因因子或方法变化' end as "原因"
from effects where (select year_ago_change from changes where book = (select book from asked)) is not null order by abs(change) desc, activity_code
