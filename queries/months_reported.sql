-- title: Months that enterprises reported fuel for, those with nothing included
-- title_zh: 企业燃料填报月份（含缺报）
select cast(m.month as date) as month, count(distinct f.uscc) as enterprises, count(f.uscc) as rows_of_it
from unnest(sequence(date '2022-11-01', date '2025-02-01', interval '1' month)) as m(month)
left join cleaned.enterprise_fuel_month f on f.month = m.month
group by m.month
order by 1
