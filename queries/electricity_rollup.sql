-- title: Electricity used by province and quarter, against a year ago
-- title_zh: 各省各季度用电量及同比
select period, member as region_code, quantity as electricity_kwh, previous_percent, year_ago_percent, covered_months,
  complete
from business.activity_change
where activity_code = 'electricity_purchased' and unit = 'kWh' and level = 'province' and grain = 'quarter'
order by period, electricity_kwh desc, region_code
