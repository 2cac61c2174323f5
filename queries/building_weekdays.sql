-- title: Electricity of the buildings by day of the week
-- title_zh: 建筑用电的星期分布
select day_of_week(date) as weekday, sum(electricity_kwh) as electricity_kwh, count(distinct date) as days
from cleaned.building_meter_hour
group by day_of_week(date)
order by weekday
