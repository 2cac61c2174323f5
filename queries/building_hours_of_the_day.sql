-- title: Electricity of the buildings over the hours of the day, local time
-- title_zh: 建筑用电的日内分布（当地时间）
-- view: yes
select extract(hour from period_start at time zone 'America/Los_Angeles') as local_hour,
  sum(electricity_kwh) as electricity_kwh, max(electricity_kwh) as highest_kwh
from cleaned.building_meter_hour
group by 1
order by 1
