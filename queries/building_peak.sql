-- title: The hour in which each building used most
-- title_zh: 各建筑用电最高的小时
select building_id, period_start, electricity_kwh
from (
  select building_id, period_start, electricity_kwh,
    row_number() over (partition by building_id order by electricity_kwh desc, period_start) as place
  from cleaned.building_meter_hour
)
where place = 1
order by building_id
