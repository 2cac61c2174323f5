-- title: Electricity of each building by day
-- title_zh: 建筑逐日用电量
select building_id, date, sum(electricity_kwh) as electricity_kwh, count(*) as hours
from cleaned.building_meter_hour
where date between date '2017-01-01' and date '2017-01-31'
group by building_id, date
order by building_id, date
