-- title: Activity that has no emission, and why
-- title_zh: 未能核算的活动及原因
-- view: yes
select activity_code, reason, unit, count(*) as rows_of_it, sum(quantity) as quantity
from business.unresolved
group by activity_code, reason, unit
order by activity_code, reason, unit
