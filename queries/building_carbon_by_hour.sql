-- title: Electricity of each hour times the grid's intensity in that hour
-- title_zh: 逐小时用电与电网碳强度相乘
select m.building_id, m.month, sum(m.electricity_kwh) as electricity_kwh,
  sum(cast(m.electricity_kwh as double) * i.carbon_intensity_kgco2e_per_kwh) as emission_kgco2e
from cleaned.building_meter_hour m
join cleaned.grid_intensity_hour i on i.region_code = m.region_code and i.period_start = m.period_start
group by m.building_id, m.month
order by m.building_id, m.month
